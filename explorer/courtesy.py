"""Who goes first while Python runs on two threads: the window.

A job of pure Python keeps the interpreter lock for all of its work, and a picture lets go of it at
nearly every call of its painter: each time it would wait for the job to hand it back. So such a job
goes on only while the window has nothing to do. The window says so itself: what paints or delivers
calls `window_works`, and the engine tells when Qt is about to wait for events again.
"""

from __future__ import annotations

import threading

from PySide6.QtCore import QAbstractEventDispatcher

PATIENCE = 0.020  # seconds; a window that never rests holds no job up for longer at each yield

_rests = threading.Event()
_rests.set()


def window_works() -> None:
    """On the GUI thread: it has something to do until it waits for events again."""
    _rests.clear()


def window_rests() -> None:
    _rests.set()


def after_the_window() -> None:
    """On another thread: waits until the window rests."""
    _rests.wait(PATIENCE)


class Resting:
    """Tells when Qt is about to wait, while `mind` is wanted. Belongs to the GUI thread."""

    def __init__(self) -> None:
        self._dispatcher: QAbstractEventDispatcher | None = None

    def mind(self, wanted: bool) -> None:
        dispatcher = QAbstractEventDispatcher.instance() if wanted else None
        if dispatcher is self._dispatcher:
            return
        if self._dispatcher is not None:
            self._dispatcher.aboutToBlock.disconnect(window_rests)
        if dispatcher is not None:
            dispatcher.aboutToBlock.connect(window_rests)
        self._dispatcher = dispatcher
        window_rests()
