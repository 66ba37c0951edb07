"""Asks the engine for the splits of the text that is there now; older questions are dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
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
        self._later: tuple[Any, ...] | None = None
        self._cut_by: dict[str, Any] = {}  # the tokenizer of each name that was asked last
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(theme.MOTION["waiting"])
        self._timer.timeout.connect(self.slow)
        engine.activityChanged.connect(self._on_activity)

    def ask(
        self, cutters: Mapping[str, Any], splits: Mapping[str, Split], text: str, specials: bool
    ) -> bool:
        """Wants what is missing among `splits`: tokenizers' splits of the text, by id, and for
        those of a long one whether they lose anything. What was wanted before is not any more.

        False where no split is missing: what is being checked goes on.
        """
        asked = [(one, cutter) for one, cutter in cutters.items() if one not in splits]
        if not asked:
            return False
        self.stop()
        if not self._engine.alive and not self._engine.has_died:
            self._later = (cutters, splits, text, specials)  # the window is shown first
            return True
        self._cut_by.update(asked)
        unchecked = [
            (split, cutters[one])
            for one, split in splits.items()
            if one in cutters and split.lossless is None and not split.error
        ]
        name = f"cutting {theme.format_bytes(len(text))} of text" if len(text) > LONG else ""
        steps = split_steps(asked, text, specials, unchecked)
        try:
            job = self._engine.run(steps, name=name, foreground=True, pure_python=True)
        except EngineDied as error:
            self.failed.emit(str(error))
            return True
        self._job = job
        self._timer.start()
        job.progressed.connect(self._on_progress)
        tasks.spawn(self._watch(job), self._owner)
        return True

    def still_true(
        self, splits: Mapping[str, Split], cutters: Mapping[str, Any]
    ) -> dict[str, Split]:
        """The splits that the tokenizers made which bear these names now."""
        return {
            one: split
            for one, split in splits.items()
            if one in cutters and cutters[one] is self._cut_by.get(one)
        }

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
