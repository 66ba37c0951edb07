"""The newest question of one place on the screen: a job of core that a newer one replaces."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QMetaMethod, QObject, Signal

from explorer.engine import errors, tasks
from explorer.engine.engine import Engine
from explorer.engine.jobs import EngineDied, Job

EXPECTED = (ValueError, OSError, EngineDied)  # they say their remedy, and the place shows it


@dataclass(frozen=True, eq=False)
class _Question:
    steps: Generator[Any, Any, Any]
    name: str
    is_told: bool


class Latest(QObject):
    """One job at a time. From an older one nothing more is heard once a newer one is asked; one
    that is asked before the engine runs waits for it, for the window is shown first. It ends with
    its owner; who waits for the owner's tasks waits for it too, unless it is `open_ended`: one that
    a person ends.

    progressed(items)  what it has yielded since the last time, a list
    came(result)       it is done, and this is what it returned
    failed(message)    why it could not; an error that nobody expects has its card, too, and so has
                       one that nobody hears of
    ended()            after both, and when the engine is closed: nothing is under way any more
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
        self._waiting: _Question | None = None  # for the engine
        self._job: Job | None = None
        self._name = ""
        engine.activityChanged.connect(self._on_activity)

    @property
    def job(self) -> Job | None:
        """The one under way, to pause or to wake it; None where there is none."""
        return self._job

    @property
    def running(self) -> bool:
        return self._job is not None

    def ask(self, steps: Generator[Any, Any, Any], name: str, *, is_told: bool = True) -> None:
        """Runs `steps` in place of what was asked before. `name`: what it does, for the status bar
        where `is_told`, and for an error's card.
        """
        self.stop()
        question = _Question(steps, name, is_told)
        if not self._engine.alive and not self._engine.has_died:
            self._waiting = question
        else:
            self._start(question)

    def stop(self) -> bool:
        """Gives up what was asked, and says nothing of it. False where there was nothing."""
        asked = self._waiting is not None or self._job is not None
        self._waiting = None
        job, self._job = self._job, None
        if job is not None:
            job.progressed.disconnect(self.progressed)
            job.finished.disconnect(self._on_finished)
            self.destroyed.disconnect(job.cancel)
            job.cancel()
        return asked

    async def settled(self) -> None:
        """Returns once nothing is under way; what only waits for the engine is not."""
        while self._job is not None:
            await self._job.done()

    def _start(self, question: _Question) -> None:
        name = question.name if question.is_told else ""
        try:
            job = self._engine.run(
                question.steps, name=name, foreground=self._foreground, pure_python=True
            )
        except EngineDied as error:
            self.failed.emit(str(error))
            self.ended.emit()
            return
        self._job = job
        self._name = question.name
        job.progressed.connect(self.progressed)
        job.finished.connect(self._on_finished)
        self.destroyed.connect(job.cancel)
        if not self._open_ended and tasks.in_loop():
            tasks.spawn(job.done(), self._owner)

    def _on_finished(self) -> None:
        job, self._job = self._job, None
        if job is None:
            return
        self.destroyed.disconnect(job.cancel)
        if job.error is not None:
            if not self._is_expected(job.error):
                errors.report(job.error, self._name)
            self.failed.emit(str(job.error) or type(job.error).__name__)
        elif job.state == "done":
            self.came.emit(job.result())
        if not self.running:  # unless somebody who heard of it has asked anew
            self.ended.emit()

    def _is_expected(self, error: BaseException) -> bool:
        """Whether the place shows it; that the engine has died, the window shows."""
        if isinstance(error, EngineDied):
            return True
        heard = self.isSignalConnected(QMetaMethod.fromSignal(self.failed))
        return heard and isinstance(error, EXPECTED)

    def _on_activity(self) -> None:
        if self._waiting is not None and self._engine.alive:
            question, self._waiting = self._waiting, None
            self._start(question)
