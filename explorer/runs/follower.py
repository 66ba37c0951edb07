"""Follows a run folder: reads what is new off the GUI thread, a few times a second.

The only way that a run reaches the pane, whether it trains in a thread, in a process, elsewhere or
no longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.training.alerts import silence
from core.training.claims import controller
from explorer.engine import tasks
from explorer.runs.run_data import ACTIVE, RunData, read

if TYPE_CHECKING:
    from core.training.reader import RunReader
    from explorer.runs.live import Runs
    from explorer.runs.tail import Tail

POLL = 120  # ms between two reads while a run trains
# A run's state, why its trainer died, where it trains, who controls it, whether a rank is silent,
# whether its launcher is about to restart it.
Told = tuple[str, str, str, str, bool, bool]
NOTHING: Told = ("", "", "", "", False, False)
SLOW = 1000  # ms between two reads of a run that has ended


More = Callable[["RunReader", RunData], Any]


class Follower(QObject):
    """Emits `changed` with a new RunData when the run has new data, and `failed` once for each
    reason why it cannot be read.

    `more(reader, data)` reads additional parts of the run, in the I/O pool; its result is the
    follower's `extra` when `changed` is emitted. After replacing `more`, call `look(again=True)`.
    """

    changed = Signal(object)  # RunData
    failed = Signal(str)

    def __init__(self, runs: Runs, parent: QObject, more: More | None = None) -> None:
        super().__init__(parent)
        self.more, self.extra = more, None
        self._runs = runs
        self._owner = parent
        self._tail: Tail | None = None
        self._news = 0  # how much of the run was known at the last read
        self._look: asyncio.Task[None] | None = None  # in progress
        self._watched = True
        self._state = NOTHING  # state from its folder, and what the app knew of its trainer
        self._trouble = False  # the last read failed, and this was reported
        self.data: RunData | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL)
        self._timer.timeout.connect(self.look)

    @property
    def folder(self) -> Path | None:
        return self._tail.folder if self._tail is not None else None

    @property
    def polls(self) -> bool:
        """True while the timer polls."""
        return self._timer.isActive()

    def follow(self, folder: Path | None) -> None:
        """Follows another run, or none. Its first read emits `changed`."""
        self._tail = self._runs.tail(folder) if folder is not None else None
        self._news, self.data, self.extra = 0, None, None
        self._state, self._trouble = NOTHING, False
        self._stop()
        self._timer.stop()
        if folder is not None:
            self.look()

    def run(self, on: bool) -> None:
        """Starts or stops polling."""
        self._watched = on
        if not on:
            self._timer.stop()
        elif self._tail is not None:
            if self._news:
                self._timer.start()
            self.look()

    def _stop(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def look(self, again: bool = False) -> None:
        """Reads new data, unless a read is in progress; `again` reads everything anew.

        Qt also sends timer events while the asyncio loop is blocked: then nothing is read.
        """
        if again:
            self._stop()
            self._state = NOTHING
        idle = self._look is None or self._look.done()
        if self._tail is not None and idle and tasks.in_loop():
            self._look = tasks.spawn(self._read(self._tail), self._owner)

    async def _read(self, tail: Tail) -> None:
        known, state = self._news, self._state
        why, backend = self._runs.failure(tail.folder), self._runs.backend(tail.folder)
        job = self._runs.job(tail.folder)
        raised = job is not None and job.error is not None
        more = self.more

        def see(reader: RunReader, news: int) -> tuple[int, Told, RunData | None, Any]:
            """Runs in the I/O pool; returns None for the data if nothing is new. A dead run is
            noticed by its state alone.
            """
            active = reader.state in ACTIVE
            hangs = active and bool(silence(reader))
            other = controller(tail.folder) if active else None
            now = reader.state, why, backend, str(other or ""), hangs, reader.restarts
            if news == known and now == state:
                return news, now, None, None
            seen = replace(read(reader), news=news, controller=str(other or ""))
            data = _as_trained(seen, why, backend, raised).prepare()
            return news, now, data, more(reader, data) if more is not None else None

        try:
            news, told, data, extra = await tail.look(see)
        except (ValueError, OSError) as error:
            self._on_trouble(str(error))
            return
        first, self._news = not self._news, news
        self._trouble = False
        self._state = told
        if data is not None:
            self.data, self.extra = data, extra
            self.changed.emit(data)
        if self.data is not None:
            self._timer.setInterval(POLL if self.data.state in ACTIVE else SLOW)
        if first and self._watched and not self._timer.isActive():
            self._timer.start()

    def _on_trouble(self, message: str) -> None:
        """Keeps polling a run that could be read before: a disk may return, and a sync ends."""
        if self.data is None:
            self._timer.stop()
        else:
            self._timer.setInterval(SLOW)
        if not self._trouble:
            self._trouble = True
            self.failed.emit(message)


def _as_trained(data: RunData, why: str, backend: str, raised: bool) -> RunData:
    """Sets the state of a run whose trainer died before it opened the folder, or without disk space
    for a last entry: the app knows `why`, or that there is no trainer.
    """
    if why and raised and data.state == "dead":
        return replace(data, state="failed", message=why)
    if backend or data.state not in ("new", "stopped"):
        return replace(data, backend=backend)
    if why:
        return replace(data, state="failed", message=why)
    return replace(data, state="stopped")
