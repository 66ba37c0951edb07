"""The mode Run in a pane of its own for each test: an engine with torch, runs in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.explorer.conftest import dispose
from tests.explorer.demo import eager_runs
from tests.explorer.waiting import until

TINY = {
    "size": "own",
    "n_layer": "2",
    "n_head": "2",
    "n_embd": "16",
    "block_size": "16",
    "batch_size": "2",
    "steps": "60",
    "warmup_steps": "5",
    "evaluate_every": "10",
    "sample_every": "20",
    "checkpoint_every": "20",
}


def step_of(pane) -> int:
    return pane.follower.data.step if pane.follower.data is not None else 0


def state_of(pane) -> str:
    return pane.follower.data.state if pane.follower.data is not None else ""


async def started(pane, steps: int = 12) -> Path:
    """Starts the run of the setup; returns once it has done some steps."""
    pane.setup.startRequested.emit()
    await until(lambda: pane.workspace.run, "the run")
    await until(lambda: step_of(pane) >= steps, f"step {steps}")
    return Path(pane.workspace.run)


@pytest.fixture
def make_pane(torch_engine, tmp_path) -> Iterator[Callable[..., Any]]:
    """`make_pane(**options)`: the mode Run of a pane; call it inside a coroutine. Runs that still
    train are ended.
    """
    from explorer.panes.base import Context
    from explorer.panes.training.pane import TrainingPane
    from explorer.panes.training.run.mode import RunMode
    from explorer.state.settings import Settings
    from explorer.state.workspace import Workspace

    runs = eager_runs(torch_engine, tmp_path / "runs")
    panes = []

    def make(**changes: str) -> RunMode:
        pane = TrainingPane(Context(torch_engine, Workspace(torch_engine), Settings(), runs))
        mode = pane.mode
        pane.player.set_motion("off")
        pane.resize(960, 560)
        if changes:
            mode.planning.draft.begin(mode.planning.draft.value.change({**TINY, **changes}))
        panes.append(pane)
        pane.join_workspace()
        return mode

    yield make
    for pane in panes:
        dispose(pane.inputs, pane)
    for folder in runs.live:
        runs.process_launcher.kill(folder)
    dispose(runs)
