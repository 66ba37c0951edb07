"""The mode Ranks: a folder of two ranks, computed strategies, and a real run that loses a rank."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication

from core.training.runs import create_run
from core.training.writer import RunWriter
from explorer.panes.training.ranks import text
from explorer.panes.training.ranks.start import two_ranks_config
from tests.core.training.small import small_config
from tests.core.training.test_lanes import spans
from tests.explorer.panes.training.ranks.test_scene import QUICK, SLOW
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


def two_ranks(folder: Path, steps: int = 1) -> Path:
    """A folder as two ranks leave it."""
    run = create_run(folder / "run", small_config(folder, ranks=2))
    for rank, mine in enumerate((QUICK, SLOW)):
        writer = RunWriter(run, 0, rank, ranks=2)
        for step in range(1, steps + 1):
            mine = mine.copy()
            mine["step"] = step
            writer.spans(mine)
            writer.step({"step": step, "loss": 1.0, "tokens": 96, "seconds": 1.1, "memory": 10**8})
        writer.event("end", steps, {"reason": "failed", "message": "rank 1 of 2 was killed"})
        writer.close()
    return run


def test_without_ranks_a_step_is_computed_and_labelled(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = make_mode()
        await until(lambda: mode.scene.events, "the computed step")
        assert mode.headline.startswith("Computed, not measured: every device holds the whole")
        assert mode.view.start.isVisibleTo(mode.view) and not mode.view.faults.isVisibleTo(
            mode.view
        )
        assert "computed for 4 devices" in mode.view.note.text()
        mode.choose("pipeline")
        await until(lambda: mode.computed.strategy == "pipeline", "the pipeline")
        assert mode.scene.ranks == 4 and mode.player.tracks[0].length == len(mode.scene.events)
        mode.choose_devices(8)
        await until(lambda: mode.scene.ranks == 8, "eight devices")
        assert mode.state() == {"version": 1, "strategy": "pipeline", "devices": 8}
        mode.restore({"strategy": "nonsense", "devices": 3})
        assert mode.strategy == "pipeline" and mode.devices == 8

    run_async(body())


def test_a_run_s_ranks_are_shown_with_the_one_that_is_slow(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = make_mode()
        folder = two_ranks(tmp_path, steps=3)
        mode.workspace.set_run(str(folder))
        await until(lambda: mode.shows_run and mode.scene.events, "the run's lanes")
        assert mode.headline == "Rank 0 waits 400 ms of 1.10 s for rank 1"
        assert "DDP, failed, step 3 of 12" in mode.view.note.text()
        assert "rank 1 of 2 was killed" in mode.view.message.text()
        assert mode.view.resume.isVisibleTo(mode.view)
        mode.view.copyRequested.emit()
        copied = QGuiApplication.clipboard().text()
        assert "=1 torchrun --nnodes 2 " in copied
        assert copied.endswith(f"-m core.training --run-folder {folder} --resume")
        told = []
        mode.inspection.connect(told.append)
        mode.player.seek(2)
        assert told[-1].title.startswith("All-reduce 1: ")
        assert told[-1].step.code == "core.training.data_parallel:_add_up#all_reduce"
        bar = mode.scene.events[3].bars[0]
        lanes = mode.view.lanes
        lanes.resize(800, 300)
        assert lanes.said_at(lanes.layout_now().rect(bar).center()).startswith("Rank 0: all-reduce")
        lanes.chosen.emit(3)
        assert mode.player.step == 3
        mode.choose("ddp")
        await until(lambda: mode.scene.computed, "the computed step")
        mode.choose("run")
        assert not mode.scene.computed and lanes.displayed()["rank"].size == 10
        holdings = mode.view.holdings
        holdings.resize(800, 100)
        assert set(holdings.displayed()["share"]) == {1.0}

    run_async(body())


def test_a_folder_that_is_read_while_it_grows(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = make_mode()
        folder = create_run(tmp_path / "run", small_config(tmp_path, ranks=2))
        writers = [RunWriter(folder, 0, rank, ranks=2) for rank in (0, 1)]
        mode.workspace.set_run(str(folder))
        await until(lambda: mode.measured is not None and mode.measured.ranks == 2, "two ranks")
        assert mode.headline == text.NO_SPANS
        for step in (1, 2):
            for writer, mine in zip(writers, (QUICK, SLOW), strict=True):
                mine = mine.copy()
                mine["step"] = step
                writer.spans(mine)
            mode.look()
            await until(lambda step=step: mode.measured.step == step, f"step {step}")
        for writer in writers:
            writer.close()

    run_async(body())


@pytest.mark.filterwarnings("ignore")
def test_two_ranks_train_and_one_is_killed_and_they_go_on(
    make_mode: Any, run_async: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = two_ranks_config(steps=100_000).change(
        {"batch_size": 4, "checkpoint_every": 2, "evaluate_every": 0, "sample_every": 0}
    )
    monkeypatch.setattr("explorer.panes.training.ranks.start.two_ranks_config", lambda: small)

    async def body() -> None:
        mode = make_mode()
        mode.view.startRequested.emit()
        await until(lambda: mode.measured is not None and mode.measured.step >= 3, "step 3")
        assert mode.shows_run and mode.scene.ranks == 2 and mode.view.faults.isVisibleTo(mode.view)
        mode.view.fill_faults(2)
        menu = mode.view.faults.menu()
        assert [part.text() for part in menu.actions()] == ["Rank 0", "Rank 1"]
        mode.view.faultRequested.emit("kill", 1)
        killed = "rank 1 of 2 was killed (SIGKILL)"
        await until(lambda: (mode.look(), killed in mode.view.message.text())[1], "the failure")
        assert mode.measured.state == "failed"
        before = mode.measured.newest
        said = []
        mode.statusRequested.connect(said.append)
        mode.view.resumeRequested.emit()
        await until(lambda: (mode.look(), mode.measured.newest > before + 2)[1], "it goes on")
        assert mode.measured.active and not said

    run_async(body())


def test_spans_of_the_test_are_spans() -> None:
    assert len(QUICK) == len(SLOW) == 5 and spans(("clip", 0, 1, 0))["kind"].tolist() == [5]
