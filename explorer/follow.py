"""Reads the run folder of the run that is looked at, a few times a second while it is alive."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from explorer import errors, tasks
from explorer.live import same
from explorer.widgets.status_strip import RunStatus

if TYPE_CHECKING:
    from core.training import RunReader
    from explorer.engine import Engine
    from explorer.live import Runs

EVERY = 250  # ms
STATES = {"new": "preparing", "dead": "stopped"}  # other states are called the same on screen


class RunFollower(QObject):
    """`refreshed` carries the RunReader whenever there is something new in its folder."""

    refreshed = Signal(object)  # RunReader, or None when no run is followed

    def __init__(self, engine: Engine, runs: Runs) -> None:
        super().__init__(engine)
        self._engine = engine
        self._runs = runs
        self.reader: RunReader | None = None
        self._busy = False
        self._turn = 0
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self._on_tick)
        runs.changed.connect(self._on_run_changed)

    def follow(self, folder: str | None) -> None:
        """Another run, or none."""
        self._timer.stop()
        self._turn += 1
        self.reader = None
        if folder is None:
            self.refreshed.emit(None)
        else:
            tasks.spawn(self._open(folder, self._turn), self)

    def stop(self) -> None:
        self._timer.stop()

    async def _open(self, folder: str, turn: int) -> None:
        from core.training import RunReader

        reader = await self._engine.io(RunReader, folder)
        if turn != self._turn:  # another run was asked for while this one was read
            return
        self.reader = reader
        self.refreshed.emit(reader)
        if self._alive():
            self._timer.start()

    def _alive(self) -> bool:
        reader = self.reader
        if reader is None:
            return False
        return reader.state in ("running", "paused") or self._runs.running_here(reader.folder)

    def _on_run_changed(self, folder: str) -> None:
        if self.reader is not None and same(folder, self.reader.folder):
            self._timer.start()

    def _on_tick(self) -> None:
        if not self._busy and self.reader is not None:
            self._busy = True
            tasks.spawn(self._refresh(self.reader), self)

    async def _refresh(self, reader: RunReader) -> None:
        try:
            news = await self._engine.io(reader.refresh)
        except (OSError, ValueError) as error:
            self._timer.stop()
            errors.report(error, "the run's folder")
            return
        finally:
            self._busy = False
        if reader is not self.reader:
            return
        if news:
            self.refreshed.emit(reader)
        if not self._alive():
            self._timer.stop()
            self.refreshed.emit(reader)


def status_of(reader: RunReader, here: bool) -> RunStatus:
    """A run in one line of the status bar. `here`: it trains in this app now."""
    loss = None
    with contextlib.suppress(IndexError, ValueError):
        loss = float(reader.steps["loss"][-1])
    state = reader.state
    if state == "new" and not here:  # whoever was to train it is gone
        state = "stopped"
    return RunStatus(reader.name, STATES.get(state, state), reader.step, reader.config.steps, loss)
