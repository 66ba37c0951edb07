"""Which runs wait: their folders alone tell, whoever left them and however."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from core.training import RunControl, new_run_folder
from core.training.control import ControlLog
from core.training.writer import RunWriter
from explorer.runs.folders import WaitingRun, run_folders, settled_runs, waiting_runs
from explorer.runs.live import Runs
from tests.explorer.demo import tiny_training


class Launcher:
    def start(self, folder, resume):
        pass


def run_in(tmp_path, name, *, step=1, end="stopped", start=True, stop=False, kept=False):
    """A run as a session left it; `end` None: killed."""
    folder = new_run_folder(tmp_path / "runs", name, tiny_training(steps=9))
    control = RunControl(folder, Launcher())
    if start:
        control.start()
    if stop:
        control.stop()
    if step:
        writer = RunWriter(folder)
        writer.step({"step": step, "loss": 1.0})
        if kept:
            (folder / "checkpoints" / f"step-{step:06d}").mkdir()
        if end is not None:
            writer.event("end", step, {"reason": end, "message": ""})
        writer.close()
    return folder


def died(folder):
    """Whoever trained it has another number than any process of this machine."""
    manifest = json.loads((folder / "run.json").read_text())
    manifest["attempts"][-1] |= {"pid": 2**22 + 7}
    (folder / "run.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize(
    ("left", "state"),
    [
        ({}, "stopped"),
        ({"step": 0}, "new"),
        ({"end": "failed", "kept": True}, "failed"),
        ({"end": "failed"}, None),  # it has nothing to go on from
        ({"stop": True}, None),  # as a person wanted it
        ({"start": False}, None),  # by another program, which says itself that it stopped
        ({"step": 9, "end": "finished"}, None),
    ],
)
def test_a_run_waits_that_was_started_and_not_stopped_by_a_person(tmp_path, left, state):
    folder = run_in(tmp_path, "run", **left)
    step = left.get("step", 1)
    expected = [] if state is None else [WaitingRun(folder, state, step, 9, "kept" in left)]
    assert waiting_runs([folder]) == expected


def test_what_a_killed_trainer_left_waits_and_what_is_trained_does_not(tmp_path):
    killed = died(run_in(tmp_path, "killed", end=None))
    trained = run_in(tmp_path, "trained", step=0)
    writer = RunWriter(trained)
    assert [run.folder for run in waiting_runs([killed, trained])] == [killed]
    writer.close()


def test_two_windows_on_one_folder_lose_none_of_each_others_runs(engine, tmp_path, run_async):
    first, second = (Runs(engine, tmp_path / "runs") for _ in range(2))
    one, two = run_in(tmp_path, "one"), run_in(tmp_path, "two", step=0)

    async def body():
        offered = [{run.folder for run in await runs.waiting()} for runs in (first, second)]
        await first.put_aside(one)
        return offered, [run.folder for run in await second.waiting()]

    assert run_async(body()) == ([{one, two}] * 2, [two])


def test_an_offer_that_is_dismissed_late_stops_no_run_that_was_taken_up(
    engine, tmp_path, run_async
):
    folder = run_in(tmp_path, "run")
    writer = RunWriter(folder)  # by another window, since the offer was made
    run_async(Runs(engine, tmp_path / "runs").put_aside(folder))
    writer.close()
    log = ControlLog(folder)
    log.refresh()
    assert [command.name for command in log.commands] == ["start"]


def test_a_damaged_folder_hides_no_other(tmp_path):
    good, bad = run_in(tmp_path, "good"), run_in(tmp_path, "bad")
    (bad / "run.json").write_text("{")
    assert [run.folder for run in waiting_runs(run_folders(tmp_path / "runs"))] == [good]


def test_a_run_that_cannot_be_read_is_not_known_to_wait_no_longer(tmp_path):
    good, bad = run_in(tmp_path, "good"), run_in(tmp_path, "bad")
    ended = run_in(tmp_path, "ended", stop=True)
    (bad / "run.json").write_text("{")
    assert settled_runs([good, bad, ended, tmp_path / "gone"]) == [ended, tmp_path / "gone"]


def test_runs_elsewhere_are_known_and_none_is_known_twice(tmp_path):
    here, there = run_in(tmp_path, "here"), run_in(tmp_path / "other", "there")
    elsewhere = [str(here), str(there), str(tmp_path / "gone"), ""]
    assert run_folders(tmp_path / "runs", elsewhere) == [here, there]


def test_a_run_that_fails_before_a_persons_eyes_is_not_offered_again(
    engine, tmp_path, run_async, monkeypatch, caplog
):
    caplog.set_level("CRITICAL")

    def training(folder, resume):
        writer = RunWriter(folder)
        yield SimpleNamespace(safe=True, idle=0.0)
        (folder / "checkpoints" / "step-000001").mkdir()
        writer.event("end", 1, {"reason": "failed", "message": "no"})
        writer.close()
        raise ValueError("no")

    monkeypatch.setattr("explorer.runs.live.training_steps", training)

    async def body():
        from explorer.engine import tasks

        runs = Runs(engine, tmp_path / "runs")
        folder = runs.new(tiny_training(), "run")
        runs.start(folder)
        await runs.job(folder).done()
        await tasks.wait_for(runs)
        return await runs.waiting()

    assert run_async(body()) == []
