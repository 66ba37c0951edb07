"""The followers of a run hear of its start at once, of what they know once, and stop when told."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace

import pytest

from core.training import new_run_folder
from core.training.writer import RunWriter
from explorer.engine import errors, tasks
from explorer.runs.follower import Follower
from explorer.runs.live import Runs
from explorer.shell.follow import RunFollower
from explorer.widgets.run_line import RunLine
from tests.explorer.demo import tiny_training
from tests.explorer.waiting import timer_of, until


@pytest.fixture
def folders(tmp_path):
    return [new_run_folder(tmp_path, name, tiny_training()) for name in ("first", "second")]


async def quiet(owner):
    await until(lambda: not tasks.running(owner))


def test_a_run_that_starts_on_the_thread_is_in_the_strip_at_once_though_another_is_selected(
    engine, tmp_path, folders, run_async, monkeypatch
):
    def waits(folder, resume):
        while True:
            yield SimpleNamespace(safe=True, idle=0.01)

    monkeypatch.setattr("explorer.runs.live.training_steps", waits)

    async def body():
        runs = Runs(engine, tmp_path)
        told = []
        runs.changed.connect(lambda folder: told.append((folder, runs.live)))
        follower = RunFollower(engine, runs)
        follower.follow(str(folders[0]))
        runs.start(folders[1])
        await quiet(follower)
        strip = [run.name for run in follower.training]
        follower.stop()
        job = runs.job(folders[1])
        job.cancel()
        await until(lambda: job.over)
        return told[0], strip

    assert run_async(body()) == ((str(folders[1]), [folders[1].resolve()]), ["second"])


@pytest.mark.parametrize("why", ["", "killed"])
def test_a_run_that_never_began_or_failed_at_once_is_drawn_once(
    engine, tmp_path, folders, run_async, monkeypatch, why
):
    """What the app knows of its trainer is no news at every look."""

    async def body():
        runs = Runs(engine, tmp_path)
        monkeypatch.setattr(runs, "failure", lambda _: why)
        follower, states = Follower(runs, engine), []
        follower.changed.connect(lambda data: states.append(data.state))
        follower.follow(folders[0])
        for _ in range(3):
            await quiet(engine)
            follower.look()
        await quiet(engine)
        follower.follow(None)
        return states

    assert run_async(body()) == ["failed" if why else "stopped"]


def test_a_follower_that_was_stopped_stays_so_whatever_a_run_does_later(
    engine, tmp_path, folders, run_async
):
    async def body():
        runs = Runs(engine, tmp_path)
        follower = RunFollower(engine, runs)
        follower.follow(str(folders[0]))
        follower.stop()  # while a look is under way
        runs.changed.emit(str(folders[0]))
        await quiet(follower)
        return follower.polls

    assert run_async(body()) is False


def test_a_strange_end_is_shown_as_a_stop_and_strange_attempts_are_said_once(
    engine, tmp_path, folders, run_async, caplog
):
    caplog.set_level(logging.CRITICAL)
    writer = RunWriter(folders[0])
    writer.event("end", 0, {"reason": "preempted"})
    writer.close()
    manifest = json.loads((folders[1] / "run.json").read_text())
    (folders[1] / "run.json").write_text(json.dumps(manifest | {"attempts": [{}]}))

    async def body():
        strip, line = RunFollower(engine, Runs(engine, tmp_path)), RunLine()
        strip.changed.connect(lambda: strip.selected and line.set_run(strip.selected))
        strip.follow(str(folders[0]))
        await quiet(strip)
        shown = line.run.state
        strip.follow(str(folders[1]))
        for _ in range(3):
            await quiet(strip)
            timer_of(strip).timeout.emit()
        await quiet(strip)
        strip.stop()
        line.deleteLater()
        return shown

    errors.reports().problems.clear()
    assert run_async(body()) == "stopped"
    (told,) = errors.reports().problems.values()
    errors.reports().problems.clear()
    assert told.count == 1 and "attempts" in told.text and "restore it" in told.text
