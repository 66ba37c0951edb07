"""The mode Ranks: a folder of two ranks, estimated strategies, and a real run that loses a rank."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton

from core.training.runs import create_run
from core.training.writer import RunWriter
from explorer.panes.training import presets
from explorer.panes.training.ranks import text
from explorer.widgets.base import Picture
from tests.core.training.small import small_config
from tests.core.training.test_lane_trace import QUICK, SLOW, two_ranks
from tests.explorer.waiting import until


@pytest.fixture
def make_mode(make_training: Callable[..., Any]) -> Callable[[], Any]:
    """`make_mode()`: the mode Ranks, shown; call it inside a coroutine."""

    def make() -> Any:
        pane = make_training()
        pane.join_workspace()
        pane.shown()
        pane.show_mode("ranks")
        return pane.mode

    return make


def test_without_ranks_a_step_is_estimated_and_labelled(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = make_mode()
        assert mode.headline.startswith("Estimated, not measured: each device holds the whole")
        view = mode.view
        assert view.start.isVisibleTo(view) and not view.faults.isVisibleTo(view)
        assert "4 devices of" in view.note.text()
        mode.choose("pipeline")
        assert mode.lanes.ranks == 4 and mode.player.length == len(mode.lanes.trace)
        mode.choose_devices(8)
        assert mode.lanes.ranks == 8
        assert mode.state() == {"version": 1, "strategy": "pipeline", "devices": 8}
        mode.restore({"strategy": "nonsense", "devices": 3})
        assert mode.strategy == "pipeline" and mode.devices == 8

    run_async(body())


def test_what_cannot_be_estimated_is_said_with_a_way_out(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = make_mode()
        mode.workspace.set_run(str(two_ranks(tmp_path)))
        await until(lambda: mode.shows_run, "the run")
        mode.choose("pipeline")
        assert mode.headline.startswith("A pipeline of 4 devices needs a layer for each")
        assert mode.view.body.state == "empty" and mode.player.length == 0
        mode.view.grab()
        assert [one for one in mode.view.findChildren(Picture) if one.broken] == []
        buttons = mode.view.body.findChildren(QPushButton)
        (button,) = (one for one in buttons if one.isVisibleTo(mode.view.body))
        assert button.text() == "Use 2 devices"
        button.click()
        assert (mode.strategy, mode.devices) == ("pipeline", 2)
        assert mode.view.body.state == "ready" and mode.lanes.ranks == 2

    run_async(body())


def test_a_run_s_ranks_are_shown_with_the_one_that_is_slow(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = make_mode()
        folder = two_ranks(tmp_path, steps=3)
        mode.workspace.set_run(str(folder))
        await until(lambda: mode.shows_run and mode.lanes.number, "the run's lanes")
        assert mode.headline == "2 ranks failed after step 3"
        assert (
            text.headline(mode.lanes)
            == "Rank 0 spends 300 ms of this 1.10 s step waiting for rank 1"
        )
        assert "DDP, failed, step 3 of 12" in mode.view.note.whole
        assert "rank 1 of 2 was killed" in mode.view.message.text()
        assert mode.view.resume.isVisibleTo(mode.view)
        assert (mode.view.resume.text() == text.AGAIN) == (not mode.data.checkpoints)
        assert not mode.data.checkpoints, "then nothing is there to resume from"
        assert not mode.view.start.isVisibleTo(mode.view)
        assert mode.view.command.isVisibleTo(mode.view)
        mode.view.copy.click()
        copied = QGuiApplication.clipboard().text()
        assert "=1 torchrun --nnodes 1 --nproc-per-node 2 " in copied
        assert copied.endswith(f"-m core.training --run-folder {folder} --resume")
        told = []
        mode.inspection.connect(told.append)
        mode.player.seek(2)
        assert told[-1].title.startswith("All-reduce 1: ")
        assert told[-1].step.code == "core.training.data_parallel:_add_up#all_reduce"
        mode.view.lanes.chosen.emit(3)
        assert mode.player.step == 3
        mode.choose("ddp")
        assert mode.lanes.estimated and not mode.view.message.text()
        assert not mode.view.resume.isVisibleTo(mode.view)
        mode.choose("run")
        assert not mode.lanes.estimated and mode.view.lanes.displayed()["rank"].size == 11

    run_async(body())


def test_a_run_of_one_process_says_so_and_offers_two(
    make_mode: Any, run_async: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        mode = make_mode()
        assert mode.inputs.strategies.current == "ddp"  # there is no run
        writer = RunWriter(create_run(tmp_path / "run", small_config(tmp_path)))
        writer.step({"step": 1, "loss": 1.0, "tokens": 96, "seconds": 1.1})
        mode.workspace.set_run(str(writer.folder))
        await until(lambda: mode.data is not None, "the run")
        assert mode.inputs.strategies.current == "run" and mode.headline == text.ONE_PROCESS
        assert mode.view.body.state == "empty" and mode.view.body.message == text.ONE_HELP
        begun = []
        monkeypatch.setattr(mode, "train_here", begun.append)
        mode.view.body.actionRequested.emit()
        assert [list(configs) for configs in begun] == [["two-ranks"]]
        mode.choose("zero1")
        assert mode.lanes.estimated and mode.headline.startswith("Estimated, not measured: ")
        writer.close()

    run_async(body())


def test_alerts_and_whoever_begins_again_are_told(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = make_mode()
        mode.workspace.set_run(str(two_ranks(tmp_path, steps=3)))
        await until(lambda: mode.shows_run and mode.lanes.number, "the run's lanes")
        view, data = mode.view, mode.data
        mode.follower.data = replace(data, restarts=True)  # torchrun has restarts left
        mode.refresh()
        assert mode.headline == "Restarting from the beginning" and not view.message.text()
        assert not view.resume.isVisibleTo(view) and not view.start.isVisibleTo(view)
        mode.follower.data = replace(data, state="running", alerts=("rank 1 has hung",))
        mode.refresh()
        assert view.message.text() == "The run needs attention: rank 1 has hung"
        assert view.message.isVisibleTo(view)

    run_async(body())


def test_older_steps_of_a_run_are_gone_back_to(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = make_mode()
        field = mode.inputs.step
        assert not field.isVisibleTo(mode.inputs)
        mode.workspace.set_run(str(two_ranks(tmp_path, steps=3)))
        await until(lambda: mode.shows_run and mode.lanes.number == 3, "the newest step")
        assert field.isVisibleTo(mode.inputs) and field.value == 3
        mode.player.seek(2)
        field.turn(False)
        await until(lambda: mode.lanes.number == 2, "the step before")
        assert mode.player.step == 2 and "step 2 of 12" in mode.view.note.whole
        field.turn(False)
        await until(lambda: mode.lanes.number == 1, "the first step")
        field.turn(False)
        await mode.settled()
        assert mode.lanes.number == 1
        field.choose(3)
        await until(lambda: mode.lanes.number == 3, "the newest step again")
        assert not mode.follower.more.step  # and whichever will be the newest

    run_async(body())


def test_a_folder_that_is_read_while_it_grows(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = make_mode()
        folder = create_run(tmp_path / "run", small_config(tmp_path, ranks=2))
        writers = [RunWriter(folder, 0, rank, ranks=2) for rank in (0, 1)]
        mode.workspace.set_run(str(folder))
        await until(lambda: mode.ranks == 2, "two ranks")
        assert mode.headline == text.NO_SPANS and not mode.inputs.step.isVisibleTo(mode.inputs)

        def write(step: int) -> None:
            for writer, mine in reversed(list(zip(writers, (QUICK, SLOW), strict=True))):
                mine = mine.copy()
                mine["step"] = step
                writer.spans(mine)
                writer.step({"step": step, "loss": 1.0, "tokens": 96, "seconds": 1.1})

        for step in (1, 2):
            write(step)
            await until(lambda step=step: mode.lanes.number == step, f"step {step}")
        assert mode.headline == "Rank 0 spends 300 ms of this 1.10 s step waiting for rank 1"
        newest = mode.inputs.newest
        assert not newest.isEnabled() and mode.lanes.number == 2
        mode.player.seek(1)  # who moves through a step keeps it
        assert newest.isEnabled()
        write(3)
        await until(lambda: mode.data.step == 3, "step 3")
        assert mode.lanes.number == 2 and mode.player.step == 1
        newest.click()
        await until(lambda: mode.lanes.number == 3, "the newest step")
        write(4)
        await until(lambda: mode.lanes.number == 4, "step 4")
        assert mode.player.step == 1 and not newest.isEnabled()
        for writer in writers:
            writer.close()

    run_async(body())


@pytest.mark.filterwarnings("ignore")
def test_two_ranks_train_and_one_is_killed_and_they_go_on(
    make_mode: Any, run_async: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = presets.two_ranks().change(
        {
            "steps": 100_000,
            "batch_size": 4,
            "checkpoint_every": 2,
            "evaluate_every": 0,
            "sample_every": 0,
        }
    )
    monkeypatch.setattr(presets, "two_ranks", lambda: small)

    async def body() -> None:
        mode = make_mode()
        mode.view.start.click()
        await until(lambda: mode.shows_run and mode.lanes and mode.lanes.number >= 3, "step 3")
        assert mode.shows_run and mode.lanes.ranks == 2 and mode.view.faults.isVisibleTo(mode.view)
        mode.view.fill_faults(2)
        menu = mode.view.faults.menu()
        assert [part.text() for part in menu.actions()] == ["Rank 0", "Rank 1"]
        mode.view.faultRequested.emit("kill", 1)
        killed = "rank 1 of 2 was killed (SIGKILL); resume the run to go on"
        await until(lambda: mode.view.message.text() == killed, "the failure")
        assert mode.data.state == "failed"
        await until(lambda: mode.lanes.ends, "how its ranks ended")
        assert mode.lanes.ends[1].how == "killed" and not mode.lanes.ends[0].is_cause
        assert mode.headline == f"Rank 1 was killed after step {mode.data.step:,}"
        before, kept = mode.data.step, max(mode.data.checkpoints)
        said, headlines = [], []
        mode.statusRequested.connect(said.append)
        mode.headlineChanged.connect(headlines.append)
        mode.view.resume.click()
        await until(lambda: f"Restarting from step {kept}" in headlines, "it says so")
        assert not mode.view.message.text() and not mode.view.resume.isVisibleTo(mode.view)
        await until(lambda: mode.data.step > before + 2, "it goes on")
        assert mode.trains and not said

    run_async(body())
