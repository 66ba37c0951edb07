"""Gives the window precedence while Python runs on two threads.

A job of pure Python keeps the interpreter lock for all of its work, and a picture lets go of it at
nearly every call of its painter: each time it would wait for the job to hand it back. So such a job
goes on only while the window has nothing to do. The window says so itself: what begins a frame,
paints or delivers calls `window_works`, and the engine tells when Qt has nothing else left to do.
"""

from __future__ import annotations

import threading

from PySide6.QtCore import QTimer

PATIENCE = 0.020  # seconds; a window that never rests holds no job up for longer at each yield

_rests = threading.Event()
_rests.set()
_idle: QTimer | None = None  # runs while the window works and somebody minds
_worked = False  # since the timer last came


def window_works() -> None:
    """On the GUI thread: it has something to do, and what follows from it, such as to paint."""
    global _worked
    _worked = True
    if _idle is not None and _rests.is_set():
        _rests.clear()
        _idle.start()


def window_rests() -> None:
    _rests.set()


def is_resting() -> bool:
    """Whether the window has nothing to do."""
    return _rests.is_set()


def after_the_window() -> None:
    """On another thread: waits until the window rests."""
    _rests.wait(PATIENCE)


class Resting:
    """Tells when the window has done all that it had to, while `mind` is wanted. Belongs to the
    GUI thread.

    A timer of no time comes when nothing else is left, or, after a posted event, once among the
    others: the window rests when it came and nothing had worked since it came before. (Qt's own
    sign, `aboutToBlock`, comes with GLib before each turn of its loop, also before the one that
    paints.)
    """

    def __init__(self) -> None:
        self._timer = QTimer(singleShot=True, interval=0)
        self._timer.timeout.connect(self._nothing_left)

    def _nothing_left(self) -> None:
        global _worked
        if _worked:
            _worked = False
            self._timer.start()
        else:
            window_rests()

    def mind(self, wanted: bool) -> None:
        global _idle
        if wanted:
            _idle = self._timer
        elif _idle is self._timer:
            _idle = None
            self._timer.stop()
            window_rests()
