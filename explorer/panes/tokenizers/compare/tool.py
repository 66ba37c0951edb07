"""What a further view of Compare is: it asks vocabularies instead of a text."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from core.trace import Step
from explorer import errors, tasks
from explorer.engine import Engine, EngineDied, Job
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.catalogue import Opened

Shown = Sequence[tuple[str, Opened | None]]  # name, and the tokenizer where it is open


class Tool(QObject):
    """`changed` when it says something else; `pieceChosen(opened, token)` when a person has chosen
    a piece of a vocabulary."""

    changed = Signal()
    pieceChosen = Signal(object, int)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self.engine = engine
        self.shown: Shown = ()
        self.active = False
        self._owner = parent
        self._job: Job | None = None

    def widget(self) -> QWidget:
        raise TypeError("a tool has a widget: it must build one")

    def set_shown(self, shown: Shown) -> None:
        """Other tokenizers, or one of them is open now."""
        before = [(name, id(opened)) for name, opened in self.shown]
        self.shown = list(shown)
        if self.active and before != [(name, id(opened)) for name, opened in shown]:
            self.look()

    def begin(self) -> None:
        """It has come into sight."""
        self.active = True
        self.look()

    def end(self) -> None:
        self.active = False

    def look(self) -> None:
        """Asks for what is to be shown now."""

    def headline(self) -> str:
        return ""

    def steps(self) -> list[Step]:
        """What is played."""
        return []

    def inspection(self, place: int) -> Inspection | None:
        """What the inspector shows of one of `steps`."""
        return None

    def state(self) -> dict[str, Any]:
        """What a session remembers."""
        return {}

    def restore(self, state: Any) -> None:
        """Takes back what `state` gave."""

    # for subclasses

    @property
    def opened(self) -> list[Opened]:
        return [opened for _, opened in self.shown if opened is not None]

    def run(self, steps: Generator[Any, Any, Any], name: str) -> None:
        """Runs a job of core in place of the one before; `on_progress`, `on_done`, `on_failed`."""
        self.stop()
        try:
            job = self.engine.run(steps, name=name, foreground=True, pure_python=True)
        except EngineDied as error:
            self.on_failed(str(error))
            return
        self._job = job
        job.progressed.connect(self._on_items)
        tasks.spawn(self._watch(job, name), self._owner)

    def stop(self) -> None:
        if self._job is not None:
            self._job.progressed.disconnect(self._on_items)
            self._job.cancel()
            self._job = None

    def _on_items(self, items: list[Any]) -> None:
        self.on_progress(items)

    async def _watch(self, job: Job, name: str) -> None:
        try:
            await job.done()
        except asyncio.CancelledError:
            job.cancel()
            raise
        if job is self._job:
            self._job = None
            if isinstance(job.error, (ValueError, OSError)):
                self.on_failed(str(job.error))
            elif job.error is not None:
                errors.report(job.error, name)
                self.on_failed(str(job.error))
            else:
                self.on_done(job.result())

    def on_progress(self, items: list[Any]) -> None:
        """What a job has yielded since the last time."""

    def on_done(self, result: Any) -> None:
        """What a job has returned."""

    def on_failed(self, message: str) -> None:
        """Why it could not."""
