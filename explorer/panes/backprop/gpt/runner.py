"""Has the engine explain one example by the open model, on every change of text or model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from explorer.engine.latest import Latest
from explorer.panes.backprop.gpt.compute import work_out_steps
from explorer.panes.backprop.gpt.example import Example, TooShort, read_example
from explorer.runs.sources import FolderSource

if TYPE_CHECKING:
    from explorer.panes.base import Context

WAIT = 30.0  # seconds until a run that was asked for a checkpoint counts as silent
EVERY = 0.1  # seconds between two looks for it

Newest = tuple[int, Path]  # a checkpoint's step and folder
Prepared = tuple[FolderSource, Example, str, int | None]  # weights, example, model's name, step


class Runner(QObject):
    """Reads the text, finds the weights, and runs the example on the engine."""

    asked = Signal(str)  # what is waited for
    came = Signal(object)  # Worked
    failed = Signal(str)
    emptied = Signal(str)  # why there is nothing to learn from
    cancelled = Signal()

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._folder: FolderSource | None = None  # the checkpoint of a run that is explained
        self._preparing = Latest(context.engine, parent)  # the text, the weights
        self._preparing.came.connect(self._on_prepared)
        self._preparing.failed.connect(self.failed)
        self._job = Latest(context.engine, parent, foreground=True)
        self._job.came.connect(self.came)
        self._job.failed.connect(self.failed)

    def ask(self, text: str, source: Any, *, newer: bool = False) -> None:
        """Explains `text` by the model of `source`; `newer`: by a run's model as it is now."""
        self._preparing.stop()
        self._job.stop()
        if source is None or source.tokenizer is None:
            self.asked.emit("opening the model")
            return
        if not text.strip():
            self.emptied.emit("Type a text to compute gradients for.")
            return
        self.asked.emit("running the model forward and backward")
        name = f"computing gradients with {source.name}"
        self._preparing.ask(lambda: self._prepare(text, source, newer), name)

    def cancel(self) -> None:
        """Cancels what is under way."""
        if self._preparing.stop() or self._job.stop():
            self.cancelled.emit()

    async def _prepare(self, text: str, source: Any, newer: bool) -> Prepared | None:
        """What the job needs; None where there is nothing to learn from."""
        limit = source.config.block_size
        try:
            example = await self._context.engine.io(read_example, source.tokenizer, text, limit)
        except TooShort as error:
            self.emptied.emit(str(error))
            return None
        holder, step = await self._holder(source, newer)
        return holder, example, source.name, step

    def _on_prepared(self, prepared: Prepared | None) -> None:
        if prepared is not None:
            holder, example, name, step = prepared
            self._job.ask(
                lambda: holder.model_steps(work_out_steps, example, name, step),
                f"computing gradients with {name}",
            )

    # the model of a run

    async def _holder(self, source: Any, newer: bool) -> tuple[FolderSource, int | None]:
        """Who has the weights, and the step that they are of: of a run its newest checkpoint, which
        is asked for where it has none yet, or where a `newer` one is wanted.
        """
        if not source.is_live:
            return source, None
        newest, trains = await self._look(source)
        if trains and (newer or newest is None):
            which = "first" if newest is None else "next"
            self.asked.emit(f"waiting for the {which} checkpoint of {source.name}")
            self._context.runs.control(source.address).checkpoint()
            self._context.runs.wake(source.address)
            newest = await self._wait(source, newest)
        if newest is None:
            raise ValueError(
                f"{source.name} has not written a checkpoint yet, so there are no weights to read; "
                "resume the run in the Training pane, then choose Retry"
            )
        step, folder = newest
        if self._folder is None or self._folder.address != str(folder):
            if self._folder is not None:
                self._folder.close()
            self._folder = FolderSource(self._context.engine, folder, self)
        return self._folder, step

    async def _wait(self, source: Any, before: Newest | None) -> Newest | None:
        """The checkpoint after `before`, while the run trains."""
        newest, trains = before, True
        for _ in range(round(WAIT / EVERY)):
            if newest != before or not trains:
                break
            await asyncio.sleep(EVERY)
            newest, trains = await self._look(source)
        return newest

    async def _look(self, source: Any) -> tuple[Newest | None, bool]:
        """The newest checkpoint, and whether the run is being trained."""
        runs = self._context.runs
        newest, state = await runs.tail(source.address).look(_newest)
        starts = state == "new" and runs.running_here(source.address)
        return newest, starts or state in ("running", "paused")


def _newest(reader: Any, _: int) -> tuple[Newest | None, str]:
    """In the pool: the newest checkpoint, and the run's state."""
    last = reader.checkpoints[-1] if reader.checkpoints else None
    return None if last is None else (last.step, last.folder), reader.state
