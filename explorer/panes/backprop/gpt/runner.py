"""Explains one example with the open model on the engine, on every change of text or model."""

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

WAIT = 30.0  # seconds after which a run that was asked for a checkpoint counts as silent
EVERY = 0.1  # seconds between two checks for it

Newest = tuple[int, Path]  # a checkpoint's step and folder
Prepared = tuple[FolderSource, Example, str, int | None]  # weights, example, model's name, step


class Runner(QObject):
    """Reads the text, loads the weights, and runs the example on the engine."""

    asked = Signal(str)  # what the pane waits for
    came = Signal(object)  # Worked
    failed = Signal(str)
    emptied = Signal(str)  # why there is nothing to learn from

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._folder: FolderSource | None = None  # the explained checkpoint of a run
        self._preparing = Latest(context.engine, parent)  # text and weights
        self._preparing.came.connect(self._on_prepared)
        self._preparing.failed.connect(self.failed)
        self._job = Latest(context.engine, parent, foreground=True)
        self._job.came.connect(self.came)
        self._job.failed.connect(self.failed)

    def ask(self, text: str, source: Any, *, newer: bool = False) -> None:
        """Explains `text` with the model of `source`; `newer`: with a new checkpoint of its run."""
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
        """Cancels the current job."""
        self._preparing.stop()
        self._job.stop()

    async def _prepare(self, text: str, source: Any, newer: bool) -> Prepared | None:
        """Returns the job's inputs; None if there is nothing to learn from."""
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
        """Returns the source of the weights, and their step: for a run its newest checkpoint, which
        is requested if there is none yet, or if a `newer` one is wanted.
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
        """Waits for the checkpoint after `before`, while the run trains."""
        newest, trains = before, True
        for _ in range(round(WAIT / EVERY)):
            if newest != before or not trains:
                break
            await asyncio.sleep(EVERY)
            newest, trains = await self._look(source)
        return newest

    async def _look(self, source: Any) -> tuple[Newest | None, bool]:
        """Returns the newest checkpoint, and whether the run is in training."""
        runs = self._context.runs
        newest, state = await runs.tail(source.address).look(_newest)
        starts = state == "new" and runs.running_here(source.address)
        return newest, starts or state in ("running", "paused")


def _newest(reader: Any, _: int) -> tuple[Newest | None, str]:
    """Returns the newest checkpoint and the run's state; runs in the pool."""
    last = reader.checkpoints[-1] if reader.checkpoints else None
    return None if last is None else (last.step, last.folder), reader.state
