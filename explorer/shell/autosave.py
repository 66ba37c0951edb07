"""Saves settings and session while the window is open, so that a crash loses only seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.engine import errors, tasks
from explorer.engine.engine import Engine
from explorer.state.settings import write_object

EVERY = 3000  # ms between two looks at what there is to keep
LAST = 2.0  # seconds that the end waits for a write that is under way

Files = Mapping[Path, dict[str, Any]]


class Autosave(QObject):
    """Writes what has changed since it was written last: in the I/O pool, as the disk may be slow.

    files   what is kept now: a JSON object for each file

    `failed(message)` once a session, the first time that something cannot be written.
    """

    failed = Signal(str)

    def __init__(self, engine: Engine, files: Callable[[], Files]) -> None:
        super().__init__(engine)
        self._engine = engine
        self._files = files
        self._written: dict[Path, dict[str, Any]] = {}
        self._failed = False
        self._writing: asyncio.Task[None] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        self._timer.start()

    def look(self) -> None:
        """Writes what is new, unless the disk is still busy with what was new before."""
        if self._writing is None or self._writing.done():
            changed = self._changed()
            if changed:
                self._writing = tasks.spawn(self._write(changed), self)

    async def _write(self, changed: Files) -> None:
        message = await self._engine.io(_write, changed)
        if message and not self._failed:
            self._failed = True
            self.failed.emit(message)

    async def finish(self) -> None:
        """For good: what is being written is written, and then what there is to keep at the end."""
        self._timer.stop()
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=LAST)
        try:
            _write(self._files())
        except Exception as error:  # a session that cannot be saved must still end
            errors.report(error, "saving the session")

    def _changed(self) -> Files:
        new = {path: one for path, one in self._files().items() if one != self._written.get(path)}
        self._written.update(new)
        return new


def _write(files: Files) -> str:
    """Why a file of them cannot be written; "" where all were."""
    messages = [write_object(path, values) for path, values in files.items()]
    return next(filter(None, messages), "")
