"""Tells a program that hangs from one that is slow, by its threads instead of a clock.

On a busy machine work takes any amount of time, but its threads compute or wait for a core. In a
program that hangs, all of them sleep. Imports only Python's standard library.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 0.5  # seconds between two looks
QUIET = 60.0  # seconds
MOST = 1200.0  # seconds
RESTLESS = 0.1  # share of looks that find a sleeping program awake: it polls, or a light blinks
POLLING = 0.3  # share of its time for which a thread that only polls may compute or wait

_PROC = Path("/proc")
_AT_WORK = "RD"  # computes or waits for a core; waits for a disk
_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Activity:
    """What the threads of a program do.

    busy     at least one of them computes, or would if it had a core
    seconds  processor time of each thread so far
    """

    busy: bool
    seconds: dict[int, float] = field(default_factory=dict)


class HangDetector:
    """`look()` says why a wait will never end, or "". Call it often while waiting.

    quiet     seconds of looks in which no thread works
    most      seconds of processor time after which work is taken for a loop without an end
    every     seconds between two looks
    activity  reads what the program does; by default this one and the processes it has started
    """

    def __init__(
        self,
        quiet: float = QUIET,
        most: float = MOST,
        every: float = EVERY,
        activity: Callable[[], Activity] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._quiet, self._most, self._every, self._clock = quiet, most, every, clock
        self._activity = activity or Threads().activity
        self._looks: deque[bool] = deque(maxlen=max(1, round(quiet / every)))
        self.progress()

    def progress(self) -> None:
        """Begins anew: something was reached."""
        self._looks.clear()
        self._seconds = 0.0
        self._before: dict[int, float] | None = None
        self._next = self._clock() + self._every

    def look(self) -> str:
        """Reads what the threads do, unless the last look was just now."""
        if self._clock() < self._next:
            return ""
        self._next = self._clock() + self._every
        activity = self._activity()
        before = activity.seconds if self._before is None else self._before
        spent = [new - before.get(thread, 0.0) for thread, new in activity.seconds.items()]
        self._seconds += sum(max(0.0, one) for one in spent)
        self._before = activity.seconds
        self._looks.append(activity.busy)
        full = len(self._looks) == self._looks.maxlen
        if full and sum(self._looks) <= RESTLESS * len(self._looks):
            return f"nothing has worked on it for {self._quiet:.0f} s"
        if self._seconds > self._most:
            return f"{self._most:.0f} s of processor time have led to nothing"
        return ""


class Threads:
    """Reads the threads of a process and its descendants from /proc.

    The thread that reads counts as busy only if it does more than poll. Without /proc (Windows,
    macOS) this process is known by its processor time, and another one counts as busy.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid or os.getpid()
        self._last = time.monotonic(), _demand()
        self._processor = time.process_time()

    def activity(self) -> Activity:
        if not sys.platform.startswith("linux"):
            return self._by_clock()
        busy, seconds = self._caller_works(), {}
        own = threading.get_native_id()
        for thread, state, spent in _threads(self._pid):
            seconds[thread] = spent
            busy = busy or (state in _AT_WORK and thread != own)
        return Activity(busy, seconds)

    def _caller_works(self) -> bool:
        now, demand = time.monotonic(), _demand()
        (before, demanded), self._last = self._last, (now, demand)
        return demand - demanded > POLLING * (now - before)

    def _by_clock(self) -> Activity:
        if self._pid != os.getpid():
            return Activity(True)
        now, spent = time.monotonic(), time.process_time()
        (before, _), self._last = self._last, (now, 0.0)
        busy = spent - self._processor > RESTLESS * (now - before)
        self._processor = spent
        return Activity(busy, {0: spent})


def _demand() -> float:
    """Seconds for which this thread has computed or waited for a core."""
    with contextlib.suppress(OSError, ValueError):
        path = _PROC / "self" / "task" / str(threading.get_native_id()) / "schedstat"
        return sum(map(int, path.read_text().split()[:2])) / 1e9
    return time.thread_time()


def _threads(pid: int) -> Iterator[tuple[int, str, float]]:
    """Yields id, state and processor seconds of each thread of a process and its descendants."""
    for task in (_PROC / str(pid) / "task").glob("*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            yield int(task.name), fields[0], (int(fields[11]) + int(fields[12])) / _TICK
            for child in (task / "children").read_text().split():
                yield from _threads(int(child))
