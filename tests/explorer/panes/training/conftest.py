"""A training pane of its own for each test: an engine with torch, runs in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.explorer.conftest import dispose
from tests.explorer.demo import eager_runs


@pytest.fixture
def make_training(torch_engine, tmp_path) -> Iterator[Callable[..., Any]]:
    """`make_training(*specs)`: a pane with these modes, or with all that there are; call it inside
    a coroutine. Runs that still train are ended.
    """
    from explorer.panes.base import Context
    from explorer.panes.training.pane import TrainingPane
    from explorer.state.settings import Settings
    from explorer.state.workspace import Workspace

    runs = eager_runs(torch_engine, tmp_path / "runs")
    panes = []

    def make(*specs: Any) -> TrainingPane:
        context = Context(torch_engine, Workspace(torch_engine), Settings(), runs)
        pane = TrainingPane(context, specs=specs or None)
        pane.player.set_motion("off")
        pane.resize(960, 560)
        panes.append(pane)
        return pane

    yield make
    for pane in panes:
        dispose(pane.inputs, pane)
    for folder in runs.live:
        runs.process_launcher.kill(folder)
    dispose(runs)
