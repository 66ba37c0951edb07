"""The mode Ranks: a folder of two ranks, estimated strategies, and a real run that loses a rank."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication

from core.training.runs import create_run
from core.training.writer import RunWriter
from explorer.panes.training import presets
from explorer.panes.training.ranks import text
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
        assert mode.headline.startswith("Computed, not measured: every device holds the whole")
        view = mode.view
        assert view.start.isVisibleTo(view) and not view.faults.isVisibleTo(view)
        assert "computed for 4 devices" in view.note.text()
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
        assert "2 layers make no pipeline of 4 stages" in mode.headline
        assert mode.view.body.state == "empty" and mode.player.length == 0
        mode.view.body.actionRequested.emit()
        assert mode.strategy == "ddp" and mode.view.body.state == "ready"

    run_async(body())


def test_a_run_s_ranks_are_shown_with_the_one_that_is_slow(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = make_mode()
        folder = two_ranks(tmp_path, steps=3)
        mode.workspace.set_run(str(folder))
        await until(lambda: mode.shows_run and mode.lanes.number, "the run's lanes")
        assert mode.headline == "Rank 0 waits 400 ms of 1.10 s for rank 1"
        assert "DDP, failed, step 3 of 12" in mode.view.note.text()
        assert "rank 1 of 2 was killed" in mode.view.message.text()
        assert mode.view.resume.isVisibleTo(mode.view)
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
        assert mode.lanes.estimated
        mode.choose("run")
        assert not mode.lanes.estimated and mode.view.lanes.displayed()["rank"].size == 10

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
        mode.go(-1)
        await until(lambda: mode.lanes.number == 2, "the step before")
        assert mode.player.step == 2 and "step 2 of 12" in mode.view.note.text()
        field.turn(False)
        await until(lambda: mode.lanes.number == 1, "the first step")
        mode.go(-1)
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
        for step in (1, 2):
            for writer, mine in reversed(list(zip(writers, (QUICK, SLOW), strict=True))):
                mine = mine.copy()
                mine["step"] = step
                writer.spans(mine)
                writer.step({"step": step, "loss": 1.0, "tokens": 96, "seconds": 1.1})
            await until(lambda step=step: mode.lanes.number == step, f"step {step}")
        assert mode.headline == "Rank 0 waits 400 ms of 1.10 s for rank 1"
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
        await until(lambda: mode.ranks and mode.lanes.number >= 3, "step 3")
        assert mode.shows_run and mode.lanes.ranks == 2 and mode.view.faults.isVisibleTo(mode.view)
        mode.view.fill_faults(2)
        menu = mode.view.faults.menu()
        assert [part.text() for part in menu.actions()] == ["Rank 0", "Rank 1"]
        mode.view.faultRequested.emit("kill", 1)
        killed = "rank 1 of 2 was killed (SIGKILL); resume the run to go on"
        await until(lambda: mode.view.message.whole == killed, "the failure")
        assert mode.data.state == "failed"
        before = mode.data.step
        said = []
        mode.statusRequested.connect(said.append)
        mode.view.resume.click()
        await until(lambda: mode.data.step > before + 2, "it goes on")
        assert mode.trains and not said

    run_async(body())
