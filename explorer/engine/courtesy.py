"""Gives the window precedence while Python runs on two threads.

A job of pure Python keeps the interpreter lock for all of its work, and a picture lets go of it at
nearly every call of its painter: each time it would wait for the job to hand it back. So such a job
goes on only while the window has nothing to do. The window says so itself: what begins a frame,
paints or delivers calls `window_works`, and the engine tells when Qt has nothing else left to do.
"""

from __future__ import annotations

import threading

from PySide6.QtCore import QTimer

PATIENCE = 0.020  # seconds; the longest delay of a job at each yield while the window is busy

_rests = threading.Event()
_rests.set()
_idle: QTimer | None = None  # active while the window is busy and a job waits for it
_worked = False  # since the last tick of the timer


def window_works() -> None:
    """Called on the GUI thread: the window has work, or work will follow, such as painting."""
    global _worked
    _worked = True
    if _idle is not None and _rests.is_set():
        _rests.clear()
        _idle.start()


def window_rests() -> None:
    _rests.set()


def is_resting() -> bool:
    """True if the window has no work."""
    return _rests.is_set()


def after_the_window() -> None:
    """Called on another thread: waits until the window has no work."""
    _rests.wait(PATIENCE)


class Resting:
    """Detects when the window has finished its work, while `mind` is wanted. Belongs to the GUI
    thread.

    A timer of 0 ms fires when no other event is left, or, after a posted event, once among the
    others: the window rests if the timer fires and nothing has worked since its last tick. (Qt's
    own signal, `aboutToBlock`, is emitted with GLib before each turn of its loop, even before the
    one that paints.)
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
