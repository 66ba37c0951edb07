"""Asks the open model for one example, explained: on every change of text or model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from explorer.engine import errors, tasks
from explorer.engine.jobs import EngineDied
from explorer.engine.latest import Latest
from explorer.panes.backprop.transformer.example import TooShort, read_example
from explorer.panes.backprop.transformer.working import work_out_steps
from explorer.runs.sources import FolderSource

if TYPE_CHECKING:
    from explorer.panes.base import Context

WAIT = 30.0  # seconds until a run that was asked for a checkpoint counts as silent
EVERY = 0.1  # seconds between two looks for it

Newest = tuple[int, Path]  # a checkpoint's step and folder


class Computing(QObject):
    """One question at a time; what comes late for an older one is dropped."""

    asked = Signal(str)  # what is waited for
    came = Signal(object)  # Worked
    failed = Signal(str)
    emptied = Signal(str)  # why there is nothing to learn from
    cancelled = Signal()

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._turn = 0
        self._folder: FolderSource | None = None  # the checkpoint of a run that is explained
        self._task: asyncio.Task[None] | None = None  # what goes before: the text, the weights
        self._job = Latest(context.engine, parent, foreground=True)
        self._job.came.connect(self.came)
        self._job.failed.connect(self.failed)

    def ask(self, text: str, source: Any) -> None:
        """Explains `text` by the model of `source`."""
        self._turn += 1
        self._job.stop()
        if source is None or source.tokenizer is None:
            self.asked.emit("opening the model")
            return
        if not text.strip():
            self.emptied.emit("Without a text there is nothing to learn from.")
            return
        self.asked.emit("going through the model and back")
        self._task = tasks.spawn(self._explain(self._turn, text, source), self.parent())

    def cancel(self) -> None:
        """The person waits no longer."""
        prepares = self._task is not None and not self._task.done()
        if self._job.stop() or prepares:
            self._turn += 1
            if self._task is not None:
                self._task.cancel()
            self.cancelled.emit()

    async def _explain(self, turn: int, text: str, source: Any) -> None:
        if turn != self._turn:
            return
        try:
            limit = source.config.block_size
            example = await self._context.engine.io(read_example, source.tokenizer, text, limit)
            holder, step = await self._holder(turn, source)
            if holder is None or turn != self._turn:
                return
        except TooShort as error:
            if turn == self._turn:
                self.emptied.emit(str(error))
            return
        except (ValueError, OSError, EngineDied) as error:
            if turn == self._turn:
                self.failed.emit(str(error))
            return
        except Exception as error:  # the picture must not wait for ever
            errors.report(error, f"explaining an example by {source.name}")
            if turn == self._turn:
                self.failed.emit(str(error) or type(error).__name__)
            return
        steps = holder.model_steps(work_out_steps, example, source.name, step)
        self._job.ask(steps, f"explaining an example by {source.name}")

    # the model of a run

    async def _holder(self, turn: int, source: Any) -> tuple[FolderSource | None, int | None]:
        """Who has the weights: of a run its newest checkpoint, which is asked for where it has
        none yet; and the step that it is of.
        """
        if not source.is_live:
            return source, None
        newest, trains = await self._look(source)
        if newest is None and trains:
            self.asked.emit(f"waiting for the first checkpoint of {source.name}")
            self._ask_for_checkpoint(source.address)
            newest = await self._wait(source, turn, None)
            if turn != self._turn:
                return None, None
        if newest is None:
            raise ValueError(
                f"{source.name} has written no checkpoint yet, and its weights lie in none; resume "
                "it in the training pane, then choose Retry"
            )
        step, folder = newest
        if self._folder is None or self._folder.address != str(folder):
            if self._folder is not None:
                self._folder.close()
            self._folder = FolderSource(self._context.engine, folder, self)
        return self._folder, step

    def _ask_for_checkpoint(self, folder: str) -> None:
        self._context.runs.control(folder).checkpoint()
        self._context.runs.wake(folder)

    async def newer(self, source: Any) -> None:
        """Asks a run that trains for a checkpoint of this very step, and waits for it."""
        before, trains = await self._look(source)
        if trains:
            self._ask_for_checkpoint(source.address)
            await self._wait(source, self._turn, before)

    async def _wait(self, source: Any, turn: int, before: Newest | None) -> Newest | None:
        """The checkpoint after `before`, while the run trains and the question stands."""
        newest, trains = before, True
        for _ in range(round(WAIT / EVERY)):
            if newest != before or not trains or turn != self._turn:
                break
            await asyncio.sleep(EVERY)
            newest, trains = await self._look(source)
        return newest

    async def _look(self, source: Any) -> tuple[Newest | None, bool]:
        """The newest checkpoint, and whether somebody trains the run."""
        runs = self._context.runs
        newest, state = await runs.tail(source.address).look(_newest)
        starts = state == "new" and runs.running_here(source.address)
        return newest, starts or state in ("running", "paused")


def _newest(reader: Any, _: int) -> tuple[Newest | None, str]:
    """In the pool: the newest checkpoint, and the run's state."""
    last = reader.checkpoints[-1] if reader.checkpoints else None
    return None if last is None else (last.step, last.folder), reader.state
