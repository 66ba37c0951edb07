"""The one background thread. Core's generators run on it cooperatively, each until its next yield.

Order: requests (`await engine.call(...)`) first, then foreground jobs, then background jobs in
turn. A request is served only while no run stands between two safe points, so jobs never race and
need no lock. Everything that comes back goes through one queued signal, at most 30 times a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from explorer.engine import courtesy
from explorer.engine.collector import Collector
from explorer.engine.jobs import SUPERSEDED, EngineDied, Job, JobCancelled, JobState, Request
from explorer.engine.loop import Loop, load_shared, prepare_environment

__all__ = ["SUPERSEDED", "Engine", "EngineDied", "Job", "JobCancelled"]

DELIVERY = 1 / 30  # least seconds between two deliveries to Qt
IO_THREADS = 4


class Engine(QObject):
    """The bridge to the thread: all its methods and signals belong to the GUI thread."""

    ready = Signal()  # torch is imported
    died = Signal(object)  # the exception that ended the thread; `restart()` starts a new one
    activityChanged = Signal()
    jobsChanged = Signal()
    _woken = Signal()

    def __init__(self, parent: QObject | None = None, *, with_torch: bool = True) -> None:
        super().__init__(parent)
        self._with_torch = with_torch
        self._loop: Loop | None = None
        self._jobs: list[Job] = []
        self._closed = False
        self._ready = False
        self._announced = threading.Event()
        self._delivered = 0.0
        self._ending: asyncio.Future[None] | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._collector = Collector(self, lambda: self.alive and not self.is_ready)
        self._timer = QTimer(self, singleShot=True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._deliver)
        self._woken.connect(self._on_woken, Qt.ConnectionType.QueuedConnection)
        self._resting = courtesy.Resting()

    # life cycle

    def start(self) -> None:
        """Starts the thread (idempotent), which imports torch, so show the window first."""
        if self._loop is not None or self._closed:
            return
        prepare_environment()
        self._collector.start()
        loop = Loop(self._announce, self._with_torch)
        loop.thread = threading.Thread(target=loop.main, name="engine", daemon=True)
        self._loop = loop
        loop.thread.start()
        self.activityChanged.emit()

    @property
    def alive(self) -> bool:
        return self._loop is not None and not self._loop.ended

    @property
    def has_died(self) -> bool:
        """True if the thread ended without `close`; `restart` starts another."""
        return not self._closed and self._loop is not None and self._loop.ended

    @property
    def is_ready(self) -> bool:
        """True once torch is imported, or if it was not requested."""
        return self.alive and self._loop is not None and not self._loop.phase

    def restart(self) -> None:
        """Starts a new thread after `died`; a run resumes from its checkpoint."""
        if not self.alive and not self._closed:
            self._loop = None
            self.start()

    async def close(self, timeout: float = 10.0) -> bool:
        """Closes jobs at their next safe yield; returns True if the thread ended in time."""
        self._closed = True
        self._stop_pool()
        loop = self._loop
        if loop is None or loop.ended:
            self._release()
            self._rest()
            return True
        self._ending = asyncio.get_running_loop().create_future()
        loop.close(time.monotonic() + timeout)
        self._release()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._ending
        loop.thread.join(0.2)
        self._deliver()
        self._rest()
        return not loop.thread.is_alive()

    def close_now(self, timeout: float = 10.0) -> bool:
        """Blocking `close`, for use without an event loop (tests, the end of the process)."""
        self._closed = True
        self._stop_pool()
        loop = self._loop
        if loop is not None:
            loop.close(time.monotonic() + timeout)
            loop.thread.join(timeout)
        self._release()
        self._deliver()
        self._rest()
        return loop is None or not loop.thread.is_alive()

    # work

    async def call(
        self, function: Callable[..., Any], *args: Any, key: object = None, name: str = ""
    ) -> Any:
        """Runs `function(*args)` on the engine's thread between two steps of any run; `name` is
        shown while the user waits.

        A newer call with the same `key` (pane, kind) supersedes an older one, whose awaiter gets
        SUPERSEDED. Raises what the function raises, and EngineDied if the thread is dead.
        """
        if self._closed:
            return SUPERSEDED
        loop = self._living_loop()
        future = asyncio.get_running_loop().create_future()
        request = Request(function, args, key, future, name)
        with loop.lock:
            if key is not None:
                for older in [r for r in loop.requests if r.key == key]:
                    loop.requests.remove(older)
                    self._settle(older, SUPERSEDED, None)
                if loop.serving is not None and loop.serving.key == key:
                    loop.serving.superseded = True
            loop.requests.append(request)
            loop.lock.notify()
        self.activityChanged.emit()
        try:
            return await future
        finally:
            with loop.lock:
                if request in loop.requests:
                    loop.requests.remove(request)

    def run(
        self,
        generator: Generator[Any, Any, Any] | Iterator[Any],
        *,
        name: str,
        foreground: bool = False,
        pure_python: bool = False,
    ) -> Job:
        """Starts a job: a generator of core, run to its end concurrently with all others.

        Raises EngineDied if the thread is dead or the engine is closed.
        """
        loop = self._living_loop()
        state = JobState(generator, name, foreground, pure_python)  # type: ignore[arg-type]
        job = Job(self, state)
        self._jobs.append(job)
        with loop.lock:
            loop.jobs.append(state)
            loop.set_switch_interval()
            loop.lock.notify()
        self._mind_the_window()
        self.jobsChanged.emit()
        return job

    async def io(self, function: Callable[..., Any], *args: Any) -> Any:
        """Runs blocking input and output (files, downloads) in a small pool; never touches a model.

        After closing it raises CancelledError, because the caller belongs to a closed window.
        """
        if self._closed:
            raise asyncio.CancelledError("the engine is closed")
        if self._pool is None:
            self._pool = ThreadPoolExecutor(
                IO_THREADS, thread_name_prefix="engine-io", initializer=load_shared
            )
        return await asyncio.wrap_future(self._pool.submit(function, *args))

    @property
    def jobs(self) -> list[Job]:
        return list(self._jobs)

    @property
    def activity(self) -> str:
        """The text about a waiting request: "waiting for step 813 (about 1.2 s)", or "still
        computing: the scores of the heads"; or "".
        """
        loop = self._loop
        if loop is None or loop.ended:
            return ""
        if loop.phase:
            return loop.phase
        with loop.lock:
            if not loop.requests:
                return ""
            serving = loop.serving
            running = [job for job in loop.jobs if not job.over]
        job = next((job for job in running if job.step is not None), None)
        if job is None or serving is not None:
            halfway = next((job.name for job in running if not job.safe), "")
            name = serving.name if serving is not None else halfway
            return f"still computing: {name or 'what was asked for before'}"
        about = f" (about {job.seconds_per_step:.1f} s)" if job.seconds_per_step >= 0.05 else ""
        return f"waiting for step {job.step}{about}"

    # between the threads

    def _living_loop(self) -> Loop:
        if self._closed:
            raise EngineDied("the background thread is closed, for the window is; open it again")
        self.start()
        if self._loop is None or self._loop.ended:
            raise EngineDied("the background thread has ended; choose Restart in its card")
        return self._loop

    def _steer(self, state: JobState, **changes: Any) -> None:
        loop = self._loop
        if loop is None:
            return
        with loop.lock:
            if state.over:
                return
            for name, value in changes.items():
                setattr(state, name, value)
            loop.set_switch_interval()
            loop.lock.notify()
        self._announce()

    def _announce(self) -> None:
        """Called on any thread: there is something to deliver."""
        if not self._announced.is_set():
            self._announced.set()
            with contextlib.suppress(RuntimeError):  # the window is already closed
                self._woken.emit()

    def _on_woken(self) -> None:
        wait = self._delivered + DELIVERY - time.monotonic()
        if wait <= 0:
            self._deliver()
        elif not self._timer.isActive():
            self._timer.start(int(wait * 1000) + 1)

    def _deliver(self) -> None:
        courtesy.window_works()
        self._delivered = time.monotonic()
        self._announced.clear()
        loop = self._loop
        if loop is None:
            return
        with loop.lock:
            answers, loop.answers = loop.answers, []
            batches = []
            for job in self._jobs:
                batches.append((job, list(job._state.items), job._state.status))
                job._state.items.clear()
            loop.jobs = [state for state in loop.jobs if not state.over]
        for request, value, error in answers:
            self._settle(request, SUPERSEDED if request.superseded else value, error)
        for job, items, status in batches:
            job._deliver(items, status)
        if any(job.over for job in self._jobs):
            self._let_go([job for job in self._jobs if job.over])
            self._jobs = [job for job in self._jobs if not job.over]
            self._mind_the_window()
            self.jobsChanged.emit()
        if self.is_ready and not self._ready:
            self._ready = True
            self.ready.emit()
        self.activityChanged.emit()
        if loop.ended:
            self._on_ended(loop)

    @staticmethod
    def _let_go(jobs: list[Job]) -> None:
        """Unparents ended jobs, so that each lives only as long as it is referenced."""
        for job in jobs:
            job.setParent(None)

    def _on_ended(self, loop: Loop) -> None:
        if self._ending is not None and not self._ending.done():
            self._ending.set_result(None)
        if loop.death is None:
            return
        death, loop.death = loop.death, None
        cause = EngineDied(
            f"the background thread ended: {death!r}; choose Restart in its card or the menu Run"
        )
        cause.__cause__ = death
        self._release(cause)
        for job in self._jobs:
            job._state.status, job._state.error = "failed", cause
            job._deliver([], "failed")
        self._let_go(self._jobs)
        self._jobs = []
        self._mind_the_window()
        self.jobsChanged.emit()
        self.died.emit(death)

    def _release(self, error: BaseException | None = None) -> None:
        """Answers every request that will not be served."""
        loop = self._loop
        if loop is None:
            return
        with loop.lock:
            waiting = list(loop.requests)
            loop.requests.clear()
            if error is not None and loop.serving is not None:
                waiting.append(loop.serving)
        for request in waiting:
            self._settle(request, SUPERSEDED, error)

    @staticmethod
    def _settle(request: Request, value: Any, error: BaseException | None) -> None:
        future = request.future
        if future.done() or future.get_loop().is_closed():
            return
        if error is not None and not request.superseded:
            future.set_exception(error)
        else:
            future.set_result(SUPERSEDED if request.superseded else value)

    def _mind_the_window(self) -> None:
        """Lets a job of pure Python run only while the window rests."""
        jobs = (job for job in self._jobs if not job.over)
        self._resting.mind(any(job._state.pure_python for job in jobs))

    def _rest(self) -> None:
        """Stops all timers and the collector."""
        self._resting.mind(False)
        self._timer.stop()
        self._collector.stop()

    def _stop_pool(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
