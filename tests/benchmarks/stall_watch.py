"""Watches Qt's event loop for stalls: gaps in which it serves nobody, and nothing moves."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimerEvent

LIMIT = 0.250  # seconds that nobody should have to wait for an answer
_TICK_MS = 10
_ROOT = Path(__file__).parents[2]


def waited_for_a_core() -> float:
    """Seconds that this thread was ready to run while other threads had the cores (Linux only).

    A busy machine is no fault of ours, so this is taken off a stall; a lock, a GIL that somebody
    else holds, and work of our own stay in it.
    """
    try:
        counts = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text()
        return int(counts.split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


@dataclass
class Stalls:
    """What was seen while one thing was watched."""

    longest: float = 0.0  # seconds
    long: int = 0  # how many were longer than LIMIT
    place: str = ""  # where the longest of those was

    def take(self, gap: float, place: str) -> None:
        self.long += gap > LIMIT
        if gap > self.longest:
            self.longest = gap
            self.place = place if gap > LIMIT else ""

    def add(self, other: Stalls) -> None:
        """What was seen while another thing was watched."""
        self.long += other.long
        if other.longest > self.longest:
            self.longest, self.place = other.longest, other.place


class StallWatch(QObject):
    """A timer that ticks in the event loop, and a thread that looks what runs when a tick is late.

    Belongs to the GUI thread. `close` ends the thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gui_thread = threading.get_ident()
        self._last, self._waited = 0.0, 0.0
        self._stalls: Stalls | None = None
        self._place = ""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, name="stall-watch", daemon=True)
        self._thread.start()

    @contextlib.contextmanager
    def watching(self, stalls: Stalls) -> Iterator[None]:
        """Adds to `stalls` whatever happens inside."""
        timer = self.startTimer(_TICK_MS, Qt.TimerType.PreciseTimer)
        self._last, self._waited = time.monotonic(), waited_for_a_core()
        self._stalls = stalls
        try:
            yield
        finally:
            self._tick()
            self._stalls = None
            self.killTimer(timer)

    def timerEvent(self, _event: QTimerEvent) -> None:
        self._tick()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _tick(self) -> None:
        now, waited = time.monotonic(), waited_for_a_core()
        if self._stalls is not None:
            self._stalls.take(now - self._last - (waited - self._waited), self._place)
        self._last, self._waited, self._place = now, waited, ""

    def _look(self) -> None:
        while not self._closed.wait(0.05):
            late = time.monotonic() - self._last
            if self._stalls is not None and late > LIMIT * 0.6 and not self._place:
                self._place = place_of(self._gui_thread)


def place_of(thread_id: int) -> str:
    """The innermost lines of our own that a thread runs: "theme/__init__.py:246 apply"."""
    frame = sys._current_frames().get(thread_id)
    stack = traceback.extract_stack(frame) if frame is not None else []
    ours = [line for line in stack if Path(line.filename).is_relative_to(_ROOT / "explorer")]
    lines = [
        f"{Path(line.filename).relative_to(_ROOT / 'explorer')}:{line.lineno} {line.name}"
        for line in ours[-2:]
    ]
    return ", ".join(lines)
