"""Keeps only the newest question of one place on the screen: a new one replaces the last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QMetaMethod, QObject, Signal

from explorer.engine import errors, tasks
from explorer.engine.engine import Engine
from explorer.engine.jobs import SUPERSEDED, EngineDied, Job

EXPECTED = (ValueError, OSError, EngineDied)  # with their remedy, shown by the picture

Work = Generator[Any, Any, Any] | Coroutine[Any, Any, Any]


@dataclass(frozen=True, eq=False)
class _Question:
    make: Callable[[], Work]
    name: str
    is_told: bool


class Latest(QObject):
    """Runs one question at a time: a job, a call or a coroutine. A newer question silences an older
    one. A question asked before the engine runs waits for it, because the window is shown first;
    one that was lost with the engine's thread is asked again after a restart, unless it is
    `open_ended`: started and ended by the user. A question ends with its owner; waiting for the
    owner's tasks includes it, unless it is open-ended.

    progressed(items)  a list of the items that the job has yielded since the last time
    came(result)       done, with the returned value
    failed(message)    the reason; an unexpected error also has a card, and so does one without a
                       connected slot
    ended()            after both, and when the engine is closed: nothing is in progress
    """

    progressed = Signal(object)
    came = Signal(object)
    failed = Signal(str)
    ended = Signal()

    def __init__(
        self,
        engine: Engine,
        owner: QObject,
        *,
        foreground: bool = False,
        open_ended: bool = False,
    ) -> None:
        super().__init__(owner)
        self._engine = engine
        self._owner = owner
        self._foreground = foreground
        self._open_ended = open_ended
        self._question: _Question | None = None  # in progress, or waiting for the engine
        self._late: _Question | None = None  # waiting for the one in progress
        self._job: Job | None = None
        self._task: asyncio.Task[None] | None = None
        engine.activityChanged.connect(self._on_activity)

    @property
    def job(self) -> Job | None:
        """The job in progress, to pause or wake it, or None."""
        return self._job

    @property
    def running(self) -> bool:
        return self._job is not None or self._task is not None

    def ask(
        self, make: Callable[[], Work], name: str, *, is_told: bool = True, waits: bool = False
    ) -> None:
        """Runs the job or awaits the coroutine that `make` returns, and replaces the previous
        question. `name` describes it, for an error's card, and for the status bar if a job
        `is_told`. If it `waits`, the question in progress ends first, so that a dragged slider
        still shows results; of several waiting questions only the newest is asked.
        """
        question = _Question(make, name, is_told)
        if waits and self.running:
            self._late = question
            return
        self.stop()
        self._question = question
        if self._engine.alive or self._engine.has_died:
            self._start(self._question)

    def call(self, function: Callable[..., Any], *arguments: Any, name: str) -> None:
        """Asks for `function(*arguments)` on the engine's thread, between two steps of any run."""
        self.ask(lambda: self._engine.call(function, *arguments, name=name), name)

    def stop(self) -> bool:
        """Drops the question without a signal; returns False if there was none."""
        asked, self._question, self._late = self._question is not None, None, None
        job, self._job = self._job, None
        task, self._task = self._task, None
        if job is not None:
            job.progressed.disconnect(self.progressed)
            job.finished.disconnect(self._on_finished)
            self.destroyed.disconnect(job.cancel)
            job.cancel()
        if task is not None:
            task.cancel()
        return asked

    async def settled(self) -> None:
        """Returns once nothing is in progress; a question that waits for the engine is not."""
        while self.running:
            if self._job is not None:
                await self._job.done()
            elif self._task is not None:
                await asyncio.wait([self._task])

    def _start(self, question: _Question) -> None:
        try:
            work = question.make()
        except Exception as error:
            self._end(question, error)
            return
        if isinstance(work, Coroutine):
            if not tasks.in_loop():  # Qt sends events even while the asyncio loop is blocked
                work.close()
                return
            owner = self if self._open_ended else self._owner
            self._task = tasks.spawn(self._await(work, question), owner)
            self._task.add_done_callback(lambda _: work.close())  # it may not have started
            return
        name = question.name if question.is_told else ""
        try:
            job = self._engine.run(work, name=name, foreground=self._foreground, pure_python=True)
        except EngineDied as error:
            self._end(question, error)
            return
        self._job = job
        job.progressed.connect(self.progressed)
        job.finished.connect(self._on_finished)
        self.destroyed.connect(job.cancel)
        if not self._open_ended and tasks.in_loop():
            tasks.spawn(job.done(), self._owner)

    async def _await(self, work: Coroutine[Any, Any, Any], question: _Question) -> None:
        answer, error, task = SUPERSEDED, None, asyncio.current_task()
        try:
            answer = await work
        except Exception as one:
            error = one
        finally:
            if self._task is task:  # taken before: the loop may be closed by now
                self._task = None
        if question is self._question:  # otherwise it has caused a newer question
            self._end(question, error, answer)

    def _on_finished(self) -> None:
        job, self._job = self._job, None
        if job is None or self._question is None:
            return
        self.destroyed.disconnect(job.cancel)
        answer = job.result() if job.state == "done" else SUPERSEDED
        self._end(self._question, job.error, answer)

    def _end(
        self, question: _Question, error: BaseException | None, answer: Any = SUPERSEDED
    ) -> None:
        again = isinstance(error, EngineDied) and self._engine.has_died and not self._open_ended
        self._question = question if again else None
        if error is not None:
            if not self._is_expected(error):
                errors.report(error, question.name)
            self.failed.emit(str(error) or type(error).__name__)
        elif answer is not SUPERSEDED:
            self.came.emit(answer)
        if self._late is not None and not self.running:
            self.ask(self._late.make, self._late.name, is_told=self._late.is_told)
        if not self.running:  # unless a slot has asked again
            self.ended.emit()

    def _is_expected(self, error: BaseException) -> bool:
        """True if the picture shows the error; the window reports the engine's death."""
        if isinstance(error, EngineDied):
            return True
        heard = self.isSignalConnected(QMetaMethod.fromSignal(self.failed))
        return heard and isinstance(error, EXPECTED)

    def _on_activity(self) -> None:
        question = self._question
        if question is not None and not self.running and self._engine.alive and tasks.in_loop():
            self._start(question)
