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

POLL = 120  # ms between two looks while a run moves
# A run's state, why its trainer died, where it trains, who controls it, whether a rank is silent,
# whether its launcher is about to begin again.
Told = tuple[str, str, str, str, bool, bool]
NOTHING: Told = ("", "", "", "", False, False)
SLOW = 1000  # ms between two looks at a run that has ended


More = Callable[["RunReader", RunData], Any]


class Follower(QObject):
    """Emits `changed` with a new RunData when the run has moved on, `failed` when it is none or
    cannot be read, once for each trouble.

    `more(reader, data)` reads, in the I/O pool, what else of the run is looked at: the follower's
    `extra` when `changed` comes. Another `more` is asked at once by `look(again=True)`.
    """

    changed = Signal(object)  # RunData
    failed = Signal(str)

    def __init__(self, runs: Runs, parent: QObject, more: More | None = None) -> None:
        super().__init__(parent)
        self.more, self.extra = more, None
        self._runs = runs
        self._owner = parent
        self._tail: Tail | None = None
        self._news = 0  # how much of the run was known at the last look
        self._look: asyncio.Task[None] | None = None  # under way
        self._watched = True
        self._state = NOTHING  # as its folder told, and what the app knew of its trainer
        self._trouble = False  # the last look failed, and this was told
        self.data: RunData | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL)
        self._timer.timeout.connect(self.look)

    @property
    def folder(self) -> Path | None:
        return self._tail.folder if self._tail is not None else None

    @property
    def polls(self) -> bool:
        """It looks again by itself."""
        return self._timer.isActive()

    def follow(self, folder: Path | None) -> None:
        """Another run, or none. `changed` comes with its first look."""
        self._tail = self._runs.tail(folder) if folder is not None else None
        self._news, self.data, self.extra = 0, None, None
        self._state, self._trouble = NOTHING, False
        self._stop()
        self._timer.stop()
        if folder is not None:
            self.look()

    def run(self, on: bool) -> None:
        """Polls while somebody looks."""
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
        """Reads what is new, unless a look is under way; `again`: all, as if nothing was known.

        Qt sends a timer's events also while the loop stands still: then nothing is read.
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
            """In the I/O pool: None where nothing is new. A dead run shows by its state alone."""
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
        """A run that could be read once is looked at again: a disk comes back, a sync ends."""
        if self.data is None:
            self._timer.stop()
        else:
            self._timer.setInterval(SLOW)
        if not self._trouble:
            self._trouble = True
            self.failed.emit(message)


def _as_trained(data: RunData, why: str, backend: str, raised: bool) -> RunData:
    """A trainer may die before it opens its folder, or of a disk without room for a last word: the
    app knows `why`, or that there is none.
    """
    if why and raised and data.state == "dead":
        return replace(data, state="failed", message=why)
    if backend or data.state not in ("new", "stopped"):
        return replace(data, backend=backend)
    if why:
        return replace(data, state="failed", message=why)
    return replace(data, state="stopped")
