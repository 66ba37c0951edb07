"""A backprop pane of its own for each test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from tests.explorer.conftest import dispose


def drawn(widget: QWidget) -> QImage:
    """A widget and all that lies in it; while nothing is painted, `grab` draws no children."""
    window = widget.window()
    window.setUpdatesEnabled(True)
    try:
        return widget.grab().toImage()
    finally:
        window.setUpdatesEnabled(False)


@pytest.fixture
def context(engine, tmp_path, run_async) -> Iterator[Any]:
    from explorer.panes.base import Context
    from explorer.runs.live import Runs
    from explorer.state.settings import Settings
    from explorer.state.workspace import Workspace

    runs = Runs(engine, tmp_path / "runs")
    yield Context(engine, Workspace(engine), Settings(), runs)
    run_async(runs.close(20))


@pytest.fixture
def make_pane(context, run_async) -> Iterator[Any]:
    """`make_pane(*ids)`: shown at 1000 x 600, settled; with these modes, or all that there are."""
    from explorer.panes.backprop.modes import MODES
    from explorer.panes.backprop.pane import BackpropPane

    made: list[Any] = []

    def make(*ids: str) -> Any:
        async def build() -> Any:
            specs = tuple(spec for spec in MODES if spec.id in ids)
            pane = BackpropPane(context, specs=specs or None)
            made.append(pane)
            pane.join_workspace()
            pane.resize(1000, 600)
            pane.show()
            pane.window().setUpdatesEnabled(False)  # no frames that nobody sees: see `drawn`
            pane.shown()
            await pane.settled()
            return pane

        return run_async(build())

    yield make
    for pane in made:
        pane.hide()
        dispose(pane.inputs, pane)


@pytest.fixture
def hold(engine) -> Any:
    """`await hold()` makes the engine stand still until the function that it returns is called."""

    async def do() -> Any:
        begun, go_on = threading.Event(), threading.Event()

        def stand() -> None:
            begun.set()
            go_on.wait(10)

        busy = asyncio.ensure_future(engine.call(stand))
        while not begun.is_set():
            await asyncio.sleep(0.001)

        async def release() -> None:
            go_on.set()
            await busy

        return release

    return do
