"""The one background thread. Core's generators run on it cooperatively, each until its next yield.

Order: requests (`await engine.call(...)`) first, then foreground jobs, then background jobs in
turn. A request is served only while no run stands between two safe points, so jobs never race and
need no lock. Everything that comes back goes through one queued signal, at most 30 times a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from explorer.jobs import SUPERSEDED, EngineDied, Job, JobCancelled, JobState, Request

__all__ = ["SUPERSEDED", "Engine", "EngineDied", "Job", "JobCancelled"]

DELIVERY = 1 / 30  # seconds between two deliveries to Qt, at least
QUICK_SWITCH = 0.0005  # seconds; a pure-Python job must not hold the window's paint back
IO_THREADS = 4


def prepare_environment() -> None:
    """Must run before torch is imported: spinning OpenMP threads starve the window."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def torch_threads() -> int:
    """The cap on torch's threads that leaves one core to the window."""
    return max(1, (os.cpu_count() or 2) - 1)


@contextlib.contextmanager
def undisturbed(args: tuple[Any, ...]) -> Iterator[None]:
    """Leaves torch's random state, grad mode and the modules' train/eval mode as they were."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "random") or not hasattr(torch, "nn"):
        yield
        return
    owners = (getattr(arg, "model", arg) for arg in args)
    modules = [m for o in owners if isinstance(o, torch.nn.Module) for m in o.modules()]
    modes = [(module, module.training) for module in modules]
    grad = torch.is_grad_enabled()
    on_gpu = torch.cuda.is_available() and torch.cuda.is_initialized()
    devices = list(range(torch.cuda.device_count())) if on_gpu else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            torch.set_grad_enabled(grad)
            for module, training in modes:
                module.training = training


class _Thread:
    """The background side: a queue of requests, a list of jobs, a list of what to deliver."""

    def __init__(self, notify: Callable[[], None], with_torch: bool) -> None:
        self.lock = threading.Condition()
        self.requests: deque[Request] = deque()
        self.jobs: list[JobState] = []
        self.answers: list[tuple[Request, Any, BaseException | None]] = []
        self.serving: Request | None = None
        self.phase = "starting PyTorch" if with_torch else ""
        self.closing: float | None = None  # the moment by which everything must be closed
        self.death: BaseException | None = None
        self.ended = False
        self._notify = notify
        self._with_torch = with_torch
        self._turn = 0
        self._normal_switch = sys.getswitchinterval()
        self.thread = threading.Thread(target=self._main, name="engine", daemon=True)

    # what the GUI thread asks

    def wake(self) -> None:
        with self.lock:
            self.lock.notify()

    def close(self, deadline: float) -> None:
        with self.lock:
            self.closing = deadline
            self.lock.notify()

    # the thread itself

    def _main(self) -> None:
        try:
            if self._with_torch:
                self._import_torch()
            self._loop()
            self._close_jobs()
        except BaseException as death:
            self.death = death
        finally:
            sys.setswitchinterval(self._normal_switch)
            self.ended = True
            self._notify()

    def _import_torch(self) -> None:
        import torch

        torch.set_num_threads(torch_threads())
        self.phase = ""
        self._notify()

    def _loop(self) -> None:
        while True:
            with self.lock:
                work, wait = self._choose()
                while work is None and self.closing is None:
                    self.lock.wait(wait)
                    work, wait = self._choose()
                if self.closing is not None:
                    return
                if isinstance(work, Request):
                    self.requests.remove(work)
                    self.serving = work
            if isinstance(work, Request):
                self._serve(work)
            elif work is not None:
                self._advance(work)

    def _choose(self) -> tuple[Request | JobState | None, float | None]:
        """The next piece of work, or how long to sleep (None: until woken)."""
        now = time.monotonic()
        for job in self.jobs:
            if job.cancelling and not job.over:
                return job, None
        if self.requests:
            halfway = next((job for job in self.jobs if not job.over and not job.safe), None)
            return (halfway or self.requests[0]), None
        ready = [job for job in self.jobs if job.runnable(now)]
        if ready:
            return min(ready, key=lambda job: (not job.foreground, job.served)), None
        waits = [job.wake_at - now for job in self.jobs if job.runnable(job.wake_at)]
        return None, max(0.0, min(waits)) if waits else None

    def _serve(self, request: Request) -> None:
        value, error = None, None
        try:
            with undisturbed(request.args):
                value = request.function(*request.args)
        except Exception as exc:
            error = exc
        with self.lock:
            self.serving = None
            self.answers.append((request, value, error))
        self._notify()

    def _advance(self, job: JobState) -> None:
        self._turn += 1
        job.served = self._turn
        try:
            if job.cancelling:
                job.generator.close()
                self._finish(job, "cancelled")
                return
            item = next(job.generator)
        except StopIteration as stop:
            self._finish(job, "done", result=stop.value)
        except Exception as exc:
            self._finish(job, "failed", error=exc)
        else:
            with self.lock:
                job.note(item, time.monotonic())
                if job.steps_left:
                    job.steps_left -= 1
            self._notify()

    def _finish(
        self, job: JobState, status: str, result: Any = None, error: BaseException | None = None
    ) -> None:
        with self.lock:
            job.status, job.result, job.error, job.safe = status, result, error, True
            self.set_switch_interval()
        self._notify()

    def set_switch_interval(self) -> None:
        """Shorter while a pure-Python job is alive: it never lets go of the GIL by itself."""
        quick = any(job.pure_python and not job.over for job in self.jobs)
        sys.setswitchinterval(QUICK_SWITCH if quick else self._normal_switch)

    def _close_jobs(self) -> None:
        """Every job goes on to its next safe yield, where it is closed."""
        for job in self.jobs:
            while not job.over and not job.safe and time.monotonic() < (self.closing or 0):
                self._advance(job)
            if not job.over:
                job.cancelling = True
                self._advance(job)


class Engine(QObject):
    """The bridge: all its methods and signals belong to the GUI thread."""

    ready = Signal()  # torch is imported
    died = Signal(object)  # the exception that ended the thread; `restart()` starts a new one
    activityChanged = Signal()
    jobsChanged = Signal()
    _woken = Signal()

    def __init__(self, parent: QObject | None = None, *, with_torch: bool = True) -> None:
        super().__init__(parent)
        self._with_torch = with_torch
        self._thread: _Thread | None = None
        self._jobs: list[Job] = []
        self._closed = False
        self._ready = False
        self._announced = threading.Event()
        self._delivered = 0.0
        self._ending: asyncio.Future[None] | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._deliver)
        self._woken.connect(self._on_woken, Qt.ConnectionType.QueuedConnection)

    # life

    def start(self) -> None:
        """Starts the thread (idempotent). torch is imported there, so show the window first."""
        if self._thread is not None or self._closed:
            return
        prepare_environment()
        self._thread = _Thread(self._announce, self._with_torch)
        self._thread.thread.start()
        self.activityChanged.emit()

    @property
    def alive(self) -> bool:
        return self._thread is not None and not self._thread.ended

    @property
    def is_ready(self) -> bool:
        """torch is imported (or was not asked for)."""
        return self.alive and self._thread is not None and not self._thread.phase

    def restart(self) -> None:
        """After `died`: a fresh thread; a run resumes from its checkpoint."""
        if not self.alive and not self._closed:
            self._thread = None
            self.start()

    async def close(self, timeout: float = 10.0) -> bool:
        """Jobs close at their next safe yield; True when the thread ended in time."""
        self._closed = True
        self._stop_pool()
        thread = self._thread
        if thread is None or thread.ended:
            self._release()
            return True
        self._ending = asyncio.get_running_loop().create_future()
        thread.close(time.monotonic() + timeout)
        self._release()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._ending
        thread.thread.join(0.2)
        self._deliver()
        return not thread.thread.is_alive()

    def close_now(self, timeout: float = 10.0) -> bool:
        """`close` for where no event loop runs (tests, the end of the process): blocks."""
        self._closed = True
        self._stop_pool()
        thread = self._thread
        if thread is not None:
            thread.close(time.monotonic() + timeout)
            thread.thread.join(timeout)
        self._release()
        self._deliver()
        return thread is None or not thread.thread.is_alive()

    # work

    async def call(self, function: Callable[..., Any], *args: Any, key: object = None) -> Any:
        """Runs `function(*args)` on the engine's thread between two steps of any run.

        A newer call with the same `key` (pane, kind) supersedes an older one, whose awaiter gets
        SUPERSEDED. Raises what the function raises, and EngineDied when the thread is dead.
        """
        if self._closed:
            return SUPERSEDED
        thread = self._living_thread()
        future = asyncio.get_running_loop().create_future()
        request = Request(function, args, key, future)
        with thread.lock:
            if key is not None:
                for older in [r for r in thread.requests if r.key == key]:
                    thread.requests.remove(older)
                    self._settle(older, SUPERSEDED, None)
                if thread.serving is not None and thread.serving.key == key:
                    thread.serving.superseded = True
            thread.requests.append(request)
            thread.lock.notify()
        self.activityChanged.emit()
        try:
            return await future
        finally:
            with thread.lock:
                if request in thread.requests:
                    thread.requests.remove(request)

    def run(
        self,
        generator: Generator[Any, Any, Any] | Iterator[Any],
        *,
        name: str,
        foreground: bool = False,
        pure_python: bool = False,
    ) -> Job:
        """Starts a job: a generator of core, driven until its end beside all others."""
        thread = self._living_thread()
        state = JobState(generator, name, foreground, pure_python)  # type: ignore[arg-type]
        job = Job(self, state)
        self._jobs.append(job)
        with thread.lock:
            thread.jobs.append(state)
            thread.set_switch_interval()
            thread.lock.notify()
        self.jobsChanged.emit()
        return job

    async def io(self, function: Callable[..., Any], *args: Any) -> Any:
        """Blocking input and output (files, downloads) in a small pool; never touches a model."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(IO_THREADS, thread_name_prefix="engine-io")
        return await asyncio.wrap_future(self._pool.submit(function, *args))

    @property
    def jobs(self) -> list[Job]:
        return list(self._jobs)

    @property
    def activity(self) -> str:
        """What a request waits for, for people: "waiting for step 813 (about 1.2 s)"; or ""."""
        thread = self._thread
        if thread is None or thread.ended:
            return ""
        if thread.phase:
            return thread.phase
        with thread.lock:
            if not thread.requests:
                return ""
            job = next((j for j in thread.jobs if not j.over and j.step is not None), None)
        if job is None or thread.serving is not None:
            return "waiting for the calculation before it"
        about = f" (about {job.seconds_per_step:.1f} s)" if job.seconds_per_step >= 0.05 else ""
        return f"waiting for step {job.step}{about}"

    # between the threads

    def _living_thread(self) -> _Thread:
        self.start()
        if self._thread is None or self._thread.ended:
            raise EngineDied("the background thread has ended; choose Restart in its card")
        return self._thread

    def _steer(self, state: JobState, **changes: Any) -> None:
        thread = self._thread
        if thread is None or state.over:
            return
        with thread.lock:
            for name, value in changes.items():
                setattr(state, name, value)
            thread.lock.notify()
        self._announce()

    def _announce(self) -> None:
        """From any thread: there is something to deliver."""
        if not self._announced.is_set():
            self._announced.set()
            with contextlib.suppress(RuntimeError):  # the window is already gone
                self._woken.emit()

    def _on_woken(self) -> None:
        wait = self._delivered + DELIVERY - time.monotonic()
        if wait <= 0:
            self._deliver()
        elif not self._timer.isActive():
            self._timer.start(int(wait * 1000) + 1)

    def _deliver(self) -> None:
        self._delivered = time.monotonic()
        self._announced.clear()
        thread = self._thread
        if thread is None:
            return
        with thread.lock:
            answers, thread.answers = thread.answers, []
            batches = []
            for job in self._jobs:
                batches.append((job, list(job._state.items), job._state.status))
                job._state.items.clear()
            thread.jobs = [state for state in thread.jobs if not state.over]
        for request, value, error in answers:
            self._settle(request, SUPERSEDED if request.superseded else value, error)
        for job, items, status in batches:
            job._deliver(items, status)
        if any(job.over for job in self._jobs):
            self._jobs = [job for job in self._jobs if not job.over]
            self.jobsChanged.emit()
        if self.is_ready and not self._ready:
            self._ready = True
            self.ready.emit()
        self.activityChanged.emit()
        if thread.ended:
            self._on_ended(thread)

    def _on_ended(self, thread: _Thread) -> None:
        if self._ending is not None and not self._ending.done():
            self._ending.set_result(None)
        if thread.death is None:
            return
        death, thread.death = thread.death, None
        cause = EngineDied(f"the background thread ended: {death!r}; choose Restart")
        cause.__cause__ = death
        self._release(cause)
        for job in self._jobs:
            job._state.status, job._state.error = "failed", cause
            job._deliver([], "failed")
        self._jobs = []
        self.jobsChanged.emit()
        self.died.emit(death)

    def _release(self, error: BaseException | None = None) -> None:
        """Answers every request that will not be served."""
        thread = self._thread
        if thread is None:
            return
        with thread.lock:
            waiting = list(thread.requests)
            thread.requests.clear()
            if error is not None and thread.serving is not None:
                waiting.append(thread.serving)
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

    def _stop_pool(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
