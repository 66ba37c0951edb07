"""The requests and jobs that the engine runs, and the GUI-side handle of a job.

A `JobState` belongs to the engine (its fields are guarded by the engine's lock); a `Job` lives in
the GUI thread and is all that a pane ever holds.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from PySide6.QtCore import QObject, Signal


class Superseded(Enum):
    """The type of SUPERSEDED, the value of a request that a newer one replaced."""

    SUPERSEDED = "superseded"


SUPERSEDED = Superseded.SUPERSEDED

LARGEST_BATCH = 2000  # progress items stored for one delivery; older ones are dropped


class EngineDied(RuntimeError):
    """The engine's thread ended with an error that no job survives."""


class JobCancelled(RuntimeError):
    """The job was cancelled, so it has no result."""


@dataclass(eq=False)
class Request:
    """One `engine.call`: a function that must not race with any job; `name` is for the user."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    key: object
    future: asyncio.Future[Any]
    name: str = ""
    asked: float = field(default_factory=time.monotonic)
    superseded: bool = False


@dataclass(eq=False)
class JobState:
    """The engine's side of one job."""

    generator: Generator[Any, Any, Any]
    name: str
    foreground: bool
    pure_python: bool
    status: str = "running"  # running, paused, done, failed, cancelled
    safe: bool = True  # no model is half updated: requests may be served
    step: int | None = None  # the last step that the run reported
    steps_left: int | None = None  # yields still allowed while paused
    wake_at: float = 0.0
    cancelling: bool = False
    served: int = 0  # turn of its last run, for round robin
    step_began: float = 0.0
    seconds_per_step: float = 0.0
    result: Any = None
    error: BaseException | None = None
    items: deque[Any] = field(default_factory=lambda: deque(maxlen=LARGEST_BATCH))

    @property
    def over(self) -> bool:
        return self.status in ("done", "failed", "cancelled")

    @property
    def goes_on(self) -> bool:
        """True if it runs, or will after its wait: it is neither over nor paused."""
        return not self.over and (self.status == "running" or bool(self.steps_left))

    def runnable(self, now: float) -> bool:
        return self.goes_on and self.wake_at <= now

    def note(self, item: Any, now: float) -> None:
        """Reads from a yielded item what controls the engine: `safe`, `idle`, `step`."""
        self.safe = bool(getattr(item, "safe", True))
        idle = float(getattr(item, "idle", 0.0) or 0.0)
        self.wake_at = now + idle if idle > 0 else 0.0
        step = getattr(item, "step", None)
        if isinstance(step, int):
            if self.step is not None and step > self.step and self.step_began:
                took = (now - self.step_began) / (step - self.step)
                before = self.seconds_per_step or took
                self.seconds_per_step = 0.7 * before + 0.3 * took
            if step != self.step:
                self.step_began = now
            self.step = step
        self.items.append(item)


class Job(QObject):
    """A running generator of core, as seen from the GUI thread.

    `progressed` carries the list of items yielded since the last delivery, at most 30 times a
    second. `finished` is emitted once, when the job is done, failed or cancelled.
    """

    progressed = Signal(object)
    stateChanged = Signal(str)
    finished = Signal()

    def __init__(self, engine: Any, state: JobState) -> None:
        super().__init__(engine)
        self._engine = engine
        self._state = state
        self._shown = state.status
        self._waiters: list[asyncio.Future[None]] = []
        self.last: Any = None

    @property
    def name(self) -> str:
        return self._state.name

    @property
    def state(self) -> str:
        """running, paused, done, failed or cancelled, as last delivered."""
        return self._shown

    @property
    def error(self) -> BaseException | None:
        return self._state.error

    @property
    def over(self) -> bool:
        return self._shown in ("done", "failed", "cancelled")

    def pause(self) -> None:
        """Pauses the job at its next yield."""
        self._engine._steer(self._state, status="paused", steps_left=None)

    def resume(self) -> None:
        self._engine._steer(self._state, status="running", steps_left=None, wake_at=0.0)

    def step(self, count: int = 1) -> None:
        """Runs the job to its next yield, then pauses it again."""
        granted = (self._state.steps_left or 0) + count
        self._engine._steer(self._state, status="paused", steps_left=granted, wake_at=0.0)

    def wake(self) -> None:
        """Ends an idle wait now: a command for the job has been written."""
        self._engine._steer(self._state, wake_at=0.0)

    def cancel(self) -> None:
        """Closes the generator at its next yield and discards the result."""
        self._engine._steer(self._state, cancelling=True)

    def result(self) -> Any:
        """Returns what the generator returned; raises what it raised."""
        if self._state.error is not None:
            raise self._state.error
        if self._shown == "cancelled":
            raise JobCancelled(f"{self.name} was canceled, so it has no result; start it again")
        if self._shown != "done":
            raise RuntimeError(f"{self.name} is still {self._shown}; await job.done() first")
        return self._state.result

    async def done(self) -> str:
        """Waits for the end and returns the final state; raises nothing."""
        if not self.over:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        return self._shown

    def _deliver(self, items: list[Any], status: str) -> None:
        """Called by the engine's bridge, on the GUI thread."""
        if items:
            self.last = items[-1]
            self.progressed.emit(items)
        if status == self._shown:
            return
        self._shown = status
        self.stateChanged.emit(status)
        if self.over:
            self.finished.emit()
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
