"""The mode Run of a pane of its own for each test, with a model small enough to be trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.explorer.waiting import until

TINY = {
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
    pane.form.startRequested.emit()
    await until(lambda: pane.workspace.run, "the run")
    await until(lambda: step_of(pane) >= steps, f"step {steps}")
    return Path(pane.workspace.run)


@pytest.fixture
def make_pane(make_training) -> Callable[..., Any]:
    """`make_pane(**options)`: the mode Run of a pane; call it inside a coroutine."""

    def make(**changes: str) -> Any:
        pane = make_training()
        if changes:
            draft = pane.mode.setup.draft
            draft.begin(draft.value.change({**TINY, "lessons": "text", **changes}))
        pane.join_workspace()
        pane.mode.shown()
        return pane.mode

    return make
