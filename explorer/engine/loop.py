"""The loop of the engine's thread: requests first, then foreground jobs, then background jobs.

Knows no Qt and starts no thread; `engine.py` does both.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from explorer.engine import courtesy
from explorer.engine.cores import torch_threads
from explorer.engine.jobs import JobState, Request

QUICK_SWITCH = 0.0001  # seconds; the longest wait of painting for the interpreter lock


def prepare_environment() -> None:
    """Must run before torch is imported: spinning OpenMP threads starve the window."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


_loading = threading.Lock()


def load_shared() -> None:
    """Imports what every thread needs of core on one thread: two threads that import a chapter's
    modules at once, each starting from another one, find them half loaded.
    """
    with _loading:
        import core.data  # noqa: F401


@contextlib.contextmanager
def undisturbed(args: tuple[Any, ...]) -> Iterator[None]:
    """Restores torch's random state, grad mode and the modules' train/eval mode."""
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


class Loop:
    """The thread's side: a queue of requests, a list of jobs, a list of answers to deliver."""

    def __init__(self, notify: Callable[[], None], with_torch: bool) -> None:
        self.lock = threading.Condition()
        self.requests: deque[Request] = deque()
        self.jobs: list[JobState] = []
        self.answers: list[tuple[Request, Any, BaseException | None]] = []
        self.serving: Request | None = None
        self.phase = "starting PyTorch" if with_torch else ""
        self.closing: float | None = None  # the time by which everything must be closed
        self.death: BaseException | None = None
        self.ended = False
        self._notify = notify
        self._with_torch = with_torch
        self._turn = 0
        self.thread = threading.current_thread()  # replaced by the engine
        self._normal_switch = sys.getswitchinterval()

    # called on the GUI thread

    def wake(self) -> None:
        with self.lock:
            self.lock.notify()

    def close(self, deadline: float) -> None:
        with self.lock:
            self.closing = deadline
            self.lock.notify()

    # the thread itself

    def main(self) -> None:
        try:
            if self._with_torch:
                self._import_torch()
            self._loop()
            self._close_jobs()
        except BaseException as death:
            self.death = death
            for job in self.jobs:  # a run still writes its checkpoint
                with contextlib.suppress(BaseException):
                    job.generator.close()
        finally:
            sys.setswitchinterval(self._normal_switch)
            self.ended = True
            self._notify()

    def _import_torch(self) -> None:
        import torch

        load_shared()
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
        """Returns the next piece of work, or how long to sleep (None: until woken)."""
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
            if job.pure_python and not job.foreground:  # the user waits for a foreground job
                courtesy.after_the_window()
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
                    self.set_switch_interval()
            self._notify()

    def _finish(
        self, job: JobState, status: str, result: Any = None, error: BaseException | None = None
    ) -> None:
        with self.lock:
            job.status, job.result, job.error, job.safe = status, result, error, True
            self.set_switch_interval()
        self._notify()

    def set_switch_interval(self) -> None:
        """Shortens the interval while a job runs: the window's thread requests the lock at nearly
        each call of a painter, and would wait 5 ms each time a job holds it.
        """
        quick = any(job.goes_on for job in self.jobs)
        sys.setswitchinterval(QUICK_SWITCH if quick else self._normal_switch)

    def _close_jobs(self) -> None:
        """Runs every job to its next safe yield and closes it there."""
        for job in self.jobs:
            while not job.over and not job.safe and time.monotonic() < (self.closing or 0):
                self._advance(job)
            if not job.over:
                job.cancelling = True
                self._advance(job)
