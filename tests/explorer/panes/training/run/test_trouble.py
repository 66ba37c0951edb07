"""The training pane when things go wrong: no number, no disk, no run, a trainer that was killed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.tensor_files import read_tensors
from core.training.writer import RunWriter
from tests.explorer.waiting import until

from .conftest import started, state_of, step_of


def test_a_loss_that_is_no_number_says_step_and_place_and_offers_a_lower_rate(make_pane, run_async):
    async def story():
        pane = make_pane(learning_rate="10", warmup_steps="0", clip="0", steps="4000")
        pane.setup.draft.begin(pane.setup.draft.value.change({"min_learning_rate": "10"}))
        folder = await started(pane, 1)
        pane.player.pause()
        await until(lambda: state_of(pane) == "paused", "the pause")
        kept = step_of(pane)
        pane.view.card.asked.emit("stop")
        await until(lambda: state_of(pane) == "stopped", "the stop")
        _poison(pane.follower.data.checkpoints[kept])
        pane.player.play()
        await until(lambda: state_of(pane) == "failed", "the failure")
        await until(lambda: pane.follower.data.not_finite, "its kind")
        text = pane.view.card.text
        assert f"step {kept + 1}" in text.message and "is not finite" in text.message
        assert {"lower", "continue"} <= set(text.buttons)
        assert (folder / "checkpoints" / f"step-{kept:06d}").is_dir()
        await pane.settled()

    run_async(story())


def _poison(checkpoint: Path) -> None:
    """Makes one weight not a number, as a diverged run would."""
    from core.tensor_files import write_tensors

    path = checkpoint / "model.safetensors"
    tensors = {name: value.copy() for name, value in read_tensors(path).items()}
    tensors["h.1.mlp.c_fc.weight"][0, 0] = np.nan
    write_tensors(path, tensors, {"format": "pt"})


def test_a_trainer_that_was_killed_is_dead_and_can_be_resumed(make_pane, run_async):
    async def story():
        pane = make_pane(steps="4000", run_in="process")
        folder = await started(pane, 25)
        pane.context.runs.process_launcher.kill(folder)
        await until(lambda: state_of(pane) == "dead", "the death")
        text = pane.view.card.text
        assert text.state == "dead" and "checkpoint of step" in text.message
        assert text.buttons[-1] == "continue"
        before = step_of(pane)
        pane.view.card.asked.emit("continue")
        await until(lambda: state_of(pane) == "running" and step_of(pane) > before, "the resume")
        pane.view.card.asked.emit("stop")
        await until(lambda: state_of(pane) == "stopped", "the stop")
        await until(lambda: not pane.context.runs.running_here(folder), "the end of the process")
        await pane.settled()

    run_async(story())


def test_a_run_that_another_program_is_writing_is_followed(make_pane, run_async, tmp_path):
    async def story():
        pane = make_pane(steps="60")
        folder = pane.context.runs.new(pane.setup.config, "elsewhere")
        writer = RunWriter(folder)
        try:
            pane.open_run(str(folder))
            await until(lambda: state_of(pane) == "running", "the run")
            for step in range(1, 6):
                loss = float("nan") if step == 3 else 5.0 - step
                writer.step({"step": step, "loss": loss, "tokens": 32, "seconds": 0.1})
            await until(lambda: step_of(pane) == 5, "its steps")
            line = pane.view.charts.loss.displayed()["train"]
            assert np.isnan(line[2, 1]) and line[4, 1] == 0.0, "not a number is a gap"
        finally:
            writer.close()
        await pane.settled()

    run_async(story())


def test_a_folder_that_is_no_run_goes_back_to_the_setup_with_a_message(
    make_pane, run_async, tmp_path
):
    async def story():
        pane = make_pane(steps="60")
        said = []
        pane.statusRequested.connect(said.append)
        pane.open_run(str(tmp_path))
        await until(lambda: said, "a message")
        assert "holds no run: choose a run folder" in said[0]
        assert pane.workspace.run is None and pane.stack.currentWidget() is pane.form
        await pane.settled()

    run_async(story())


def test_a_folder_that_is_no_run_leaves_the_run_that_was_shown(make_pane, run_async, tmp_path):
    async def story():
        pane = make_pane(steps="60")
        run = str(pane.context.runs.new(pane.setup.config))
        pane.open_run(run)
        await until(lambda: pane.follower.data is not None, "the run")
        said = []
        pane.statusRequested.connect(said.append)
        pane.open_run(str(tmp_path))
        await until(lambda: said, "a message")
        assert pane.workspace.run == run and pane.stack.currentWidget() is pane.view
        (Path(run) / "run.json").unlink()
        pane.open_run(str(tmp_path))
        await until(lambda: pane.workspace.run is None, "the setup: that run is gone, too")
        await pane.settled()

    run_async(story())


def test_a_full_disk_before_the_start_is_said_and_nothing_begins(make_pane, run_async, monkeypatch):
    async def story():
        pane = make_pane(steps="60")

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(pane.context.runs, "new", full)
        said = []
        pane.statusRequested.connect(said.append)
        pane.start_run()
        await until(lambda: said, "a message")
        assert "No space left" in said[0] and pane.workspace.run is None
        await pane.settled()

    run_async(story())
