"""The pane with real runs: in a thread of the app and as a process, the same test for both."""

from __future__ import annotations

import csv
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import shiboken6

import core
from core.data import Batches, StoriesCorpus
from core.tensor_files import read_tensors
from core.training.reader import RunReader
from explorer.panes.training.run import compute
from explorer.panes.training.run.track import PhaseTrack
from explorer.widgets import dialogs
from tests.explorer.waiting import until

from .conftest import started, state_of, step_of


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a run but the sign of life."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "heartbeat"
    }


@pytest.mark.parametrize("backend", ["thread", "process"])
def test_a_run_as_live_television(make_pane, run_async, backend):
    """Start, pause, one step, replay, go live, train on, stop, go on: every view the same."""

    async def story():
        pane = make_pane(steps="4000", run_in=backend)
        pane.widget().window().show()
        folder = await started(pane, 80)
        player, view = pane.player, pane.view
        assert player.at_live_edge and player.playing
        assert view.card.text.state == "running"
        assert {"pause", "stop"} <= set(view.card.text.buttons)

        player.pause()
        assert not player.playing, "the button answers at once"
        await until(lambda: state_of(pane) == "paused", "the pause")
        assert view.card.text.state == "paused" and "resume" in view.card.text.buttons
        before = step_of(pane)
        player.forward()
        await until(lambda: step_of(pane) == before + 1 and state_of(pane) == "paused", "a step")

        reader = RunReader(folder)
        lines = view.charts.loss.displayed()
        np.testing.assert_array_equal(lines["train"][:, 0], reader.steps["step"])
        np.testing.assert_array_equal(lines["train"][:, 1], reader.steps["loss"])
        np.testing.assert_array_equal(lines["validation"][:, 1], reader.evaluations["validation"])
        norms = view.charts.small["norm"].displayed()["gradient norm"]
        np.testing.assert_array_equal(norms[:, 1], reader.steps["grad_norm"])
        assert view.samples.samples == tuple(reader.samples)
        assert pane.track.moments[-1].step == reader.step

        kept = content(folder)
        player.seek(4)
        assert not player.at_live_edge and pane.replaying
        at = pane.moment
        await until(lambda: pane.snapshots.step == at.step, "the heads of that moment")
        recorded = read_tensors(at.probe, ["attention"])["attention"]
        np.testing.assert_array_equal(view.mosaic.displayed()["maps"], recorded)
        assert all(sample.step <= at.step for sample in view.samples.samples)
        player.set_speed(float("inf"))
        player.play()
        await until(lambda: player.at_live_edge, "the replay's end")
        player.seek(2)
        assert content(folder) == kept, "a replay touches nothing of the run"

        player.end()
        assert player.at_live_edge and not pane.replaying
        before = step_of(pane)
        player.play()
        await until(lambda: step_of(pane) > before + 3, "more steps")
        view.card.asked.emit("stop")
        await until(lambda: state_of(pane) == "stopped", "the stop")
        assert view.card.text.buttons == ("continue",)
        stopped = step_of(pane)
        assert max(pane.follower.data.checkpoints) == stopped, "stopping keeps everything"
        player.play()
        await until(lambda: step_of(pane) > stopped, "the run to go on")
        view.card.asked.emit("stop")
        await until(lambda: state_of(pane) == "stopped", "the second stop")
        steps = RunReader(folder).steps["step"]
        np.testing.assert_array_equal(steps, np.arange(1, len(steps) + 1))
        runs = pane.context.runs
        await until(lambda: not runs.running_here(folder), "the end of the trainer")
        await pane.settled()

    run_async(story())


def test_a_finished_run_replays_and_its_step_opens_phase_by_phase(make_pane, run_async):
    async def story():
        pane = make_pane(steps="60")
        seen = []
        pane.inspection.connect(seen.append)
        await started(pane, 60)
        await until(lambda: state_of(pane) == "finished", "the end")
        await pane.settled()
        assert not pane.track.is_live and "Finished" in pane.headline
        assert pane.view.card.text.buttons in ((), ("branch",))
        pane.player.seek(5)
        pane.enter_phase(4)
        assert isinstance(pane.player.track, PhaseTrack)
        step = pane.player.track.step
        assert f"Inside step {step}" in pane.headline
        norm = RunReader(pane.workspace.run).steps["grad_norm"][step - 1]
        assert seen[-1].step.name == "training.clip"
        assert seen[-1].step.value("norm") == norm
        assert pane.widget().window().cancel() and pane.player.track is pane.track
        assert pane.moment.step == step

    run_async(story())


def test_the_inspector_tells_of_the_moment_that_is_shown_while_a_run_replays(make_pane, run_async):
    async def story():
        pane = make_pane(steps="60")
        seen = []
        await started(pane, 60)
        await until(lambda: state_of(pane) == "finished", "the end")
        await pane.settled()
        pane.inspection.connect(seen.append)
        clock = [0.0]
        pane.player.clock = lambda: clock[0]
        pane.player.set_motion("full")
        pane.player.seek(1)
        pane.player.play()
        told = []
        while pane.player.position < 6:
            clock[0] += 0.01
            pane.player.tick()
            told.append((pane.moment.step, seen[-1].cell.split(":")[0]))
        pane.player.pause()
        assert len({step for step, _ in told}) >= 5
        assert all(cell == f"step {step:,}" for step, cell in told)

    run_async(story())


def test_inside_a_step_the_card_tells_what_the_run_does_now(make_pane, run_async):
    async def story():
        pane = make_pane(steps="4000")
        pane.widget().window().show()
        pane.shown()
        folder = await started(pane, 12)
        pane.cursor.seek_step(10)
        pane.enter_phase(3)
        told = []
        for asked, state in (("", "running"), ("pause", "paused"), ("resume", "running"),
                             ("stop", "stopped")):  # fmt: skip
            if asked:
                pane.view.card.asked.emit(asked)
            await until(lambda state=state: state_of(pane) == state, state)
            text = pane.view.card.text
            assert text.step == step_of(pane), "the run's own step, beside the one looked at"
            told.append((text.state, text.buttons))
            assert pane.headline.startswith("Inside step 10, phase 4 of 7")
        await until(lambda: not pane.context.runs.running_here(folder), "the trainer's end")
        pane.left()
        pane.widget().window().hide()
        return told

    assert run_async(story()) == [
        ("running", ("branch", "pause", "stop")),
        ("paused", ("branch", "resume", "stop")),
        ("running", ("branch", "pause", "stop")),
        ("stopped", ("branch", "continue")),
    ]


def test_inside_data_the_inspector_shows_the_batch_in_ids_and_in_pieces(make_pane, run_async):
    async def story():
        pane = make_pane(steps="60", repeated_fraction="0")
        seen = []
        pane.inspection.connect(seen.append)
        folder = await started(pane, 60)
        await until(lambda: state_of(pane) == "finished", "the end")
        await pane.settled()
        pane.player.seek(5)
        pane.enter_phase(0)
        assert seen[-1].stale and not seen[-1].table, "nothing was drawn before somebody looks"
        await until(lambda: "ids" in seen[-1].table, "the batch")
        step, table = pane.player.track.step, seen[-1].table
        pane.inspect()
        assert seen[-1] is seen[-2], "a table that is read is not begun again"
        config = pane.follower.data.config
        batches = Batches(
            StoriesCorpus(core.load("stories").tokenizer), "train", 16, 2, config.seed
        )
        ids, targets = batches.batch(step - 1)
        np.testing.assert_array_equal(table["ids"], ids)
        np.testing.assert_array_equal(table["targets"], targets)
        np.testing.assert_array_equal(table["pieces"][:, 1:], table["target pieces"][:, :-1])
        tokenizer = core.load("stories").tokenizer
        assert "".join(table["pieces"][0]).replace("\u2423", " ") == tokenizer.decode(
            ids[0].tolist()
        ).replace("\n", "\u21b5")
        pane.player.forward()
        await until(lambda: seen[-1].step.name == "training.forward", "the next phase")
        assert "ids" not in seen[-1].table
        assert folder == Path(pane.workspace.run)
        await pane.settled()

    run_async(story())


def test_resume_from_here_makes_a_branch_and_leaves_the_parent_as_it_was(make_pane, run_async):
    async def story():
        pane = make_pane(steps="60")
        folder = await started(pane, 60)
        await until(lambda: state_of(pane) == "finished", "the end")
        kept = content(folder)
        steps = [moment.step for moment in pane.track.moments]
        pane.player.seek(steps.index(20))
        assert "branch" in pane.view.card.text.buttons
        pane.branch_here()
        pane.view.branch.start.click()
        await until(lambda: Path(pane.workspace.run) != folder, "the branch")
        await until(lambda: state_of(pane) == "finished", "the branch's end")
        data = pane.follower.data
        assert data.parent == {"run": str(folder.resolve()), "step": 20}
        assert (int(data.steps["step"][0]), data.step) == (21, 60)
        assert content(folder) == kept
        pane.overlay(str(folder))
        lines = pane.view.charts.loss
        await until(lambda: f"train {folder.name}" in lines.displayed(), "both runs' lines")
        shown = lines.displayed()
        assert len([name for name in shown if "guess" not in name]) == 4, (
            "the parent lies there whole, so not once more up to the branch"
        )
        np.testing.assert_array_equal(
            shown[f"train {folder.name}"][20:, 1], shown[f"train {data.name}"][:, 1]
        )
        await pane.settled()

    run_async(story())


def test_csv_holds_every_step_exactly_and_png_is_written(
    make_pane, run_async, tmp_path, monkeypatch
):
    async def story():
        pane = make_pane(steps="60")
        await started(pane, 60)
        await until(lambda: state_of(pane) == "finished", "the end")
        threads = []
        real = compute.save_csv

        def watched(data, path):
            threads.append(threading.current_thread())
            real(data, path)

        monkeypatch.setattr(compute, "save_csv", watched)
        monkeypatch.setattr(dialogs, "ask_target", lambda *about: about[3](tmp_path / about[2]))
        pane.ask_for_csv()
        pane.ask_for_png()
        await pane.settled()
        assert threads and threading.main_thread() not in threads, "a window never waits for it"
        return Path(pane.workspace.run)

    reader = RunReader(run_async(story()))
    with open(tmp_path / f"{reader.name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == reader.steps["loss"].tolist()
    measured = {int(row["step"]): row["validation_loss"] for row in rows if row["validation_loss"]}
    assert {10, 60} <= set(measured)
    assert (tmp_path / f"{reader.name}.png").read_bytes().startswith(b"\x89PNG")


def test_state_and_restore_bring_the_pane_back(make_pane, run_async):
    async def story():
        pane = make_pane(steps="77")
        pane.view.charts.log.setChecked(True)
        pane.view.charts.smoothing.setValue(33)
        other = make_pane(steps="60")
        saved = json.loads(json.dumps(pane.workspace.state()))
        other.workspace.restore(saved)
        assert other.workspace.state() == saved
        other.restore({"version": 1, "smoothing": "much"})
        assert other.setup.errors == {}
        await pane.settled()
        await other.settled()

    run_async(story())


def test_actions_have_names_and_no_key_of_another(make_pane, run_async):
    async def story():
        pane = make_pane(steps="60")
        from explorer.state.actions import Actions

        actions = Actions()
        actions.add(pane.actions())
        assert actions.run("training.new")
        assert not actions.run("training.branch"), "there is nothing to branch from"
        await pane.settled()

    run_async(story())


def test_a_pane_that_is_deleted_leaves_nothing_running(make_pane, run_async):
    async def story():
        pane = make_pane(steps="60")
        folder = await started(pane, 60)
        await until(lambda: state_of(pane) == "finished", "the end")
        await pane.settled()
        shutil.rmtree(folder / "probes")
        pane.player.start()
        await pane.settled()
        assert shiboken6.isValid(pane)

    run_async(story())
