"""Asks the engine for the splits of the text that is there now; older questions are dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from explorer import errors, tasks, theme
from explorer.engine import Engine, EngineDied, Job
from explorer.panes.tokenizers.compare.model import Split, split_steps

LONG = 50_000  # characters from which on the status bar tells of the work


class Splitting(QObject):
    """`came(splits)` a handful at a time, always of the newest text; `slow` when they take so long
    that what is shown should be marked as old; `failed(message)`."""

    came = Signal(object)
    slow = Signal()
    failed = Signal(str)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._owner = parent
        self._job: Job | None = None
        self._later: tuple[list[tuple[str, Any]], str, bool] | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(theme.MOTION["waiting"])
        self._timer.timeout.connect(self.slow)
        engine.activityChanged.connect(self._on_activity)

    def ask(self, asked: Sequence[tuple[str, Any]], text: str, specials: bool) -> None:
        """Wants these tokenizers' splits of a text; whatever was wanted before is not any more."""
        self.stop()
        if not asked:
            return
        if not self._engine.alive and not self._engine.has_died:
            self._later = (list(asked), text, specials)  # the window is shown first
            return
        name = f"cutting {theme.format_bytes(len(text))} of text" if len(text) > LONG else ""
        steps = split_steps(list(asked), text, specials)
        try:
            job = self._engine.run(steps, name=name, foreground=True, pure_python=True)
        except EngineDied as error:
            self.failed.emit(str(error))
            return
        self._job = job
        self._timer.start()
        job.progressed.connect(self._on_progress)
        tasks.spawn(self._watch(job), self._owner)

    def stop(self) -> None:
        self._later = None
        self._timer.stop()
        if self._job is not None:
            self._job.progressed.disconnect(self._on_progress)
            self._job.cancel()
            self._job = None

    async def _watch(self, job: Job) -> None:
        try:
            await job.done()
        except asyncio.CancelledError:  # the pane is gone
            job.cancel()
            raise
        if job is self._job:
            self._job = None
            self._timer.stop()
            if job.error is not None:
                errors.report(job.error, "cutting the text")
                self.failed.emit(str(job.error))

    def _on_progress(self, batches: list[list[Split]]) -> None:
        self._timer.stop()
        self.came.emit([split for batch in batches for split in batch])

    def _on_activity(self) -> None:
        if self._later is not None and self._engine.alive:
            self.ask(*self._later)
