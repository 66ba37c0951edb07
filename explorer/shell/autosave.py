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

EVERY = 3000  # ms between two checks for changes
LAST = 2.0  # seconds to wait at the end for a write in progress

Files = Mapping[Path, dict[str, Any]]


class Autosave(QObject):
    """Writes the files that have changed, in the I/O pool, because the disk may be slow.

    files   returns a JSON object for each file

    Emits `failed(message)` at the first file that cannot be written, once in a session.
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
        """Writes the changed files, unless the previous write is still in progress."""
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
        """Stops, waits for the write in progress, and writes the final state."""
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
    """Writes the files; returns the first reason why one could not be written, or ""."""
    messages = [write_object(path, values) for path, values in files.items()]
    return next(filter(None, messages), "")
