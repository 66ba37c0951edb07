"""Collects garbage on the GUI thread only, because a QObject must not die on another one."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

EVERY = 2000  # ms
WHOLE = 30  # ticks between two full collections, which are slow


class Collector(QObject):
    """Replaces Python's automatic collection while a second thread runs.

    importing  True while the other thread imports torch: the many objects that come with it are no
               garbage, and looking through them would hold up the window and the import
    """

    def __init__(self, parent: QObject, importing: Callable[[], bool] = lambda: False) -> None:
        super().__init__(parent)
        self._importing = importing
        self._turn = 0
        self._was_enabled = False
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self.collect)

    def start(self) -> None:
        if not self._timer.isActive():
            self._was_enabled = gc.isenabled()
            gc.disable()
            self._timer.start()

    def stop(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            if self._was_enabled:
                gc.enable()

    def collect(self) -> None:
        """Collects the young generations at every tick, everything rarely."""
        if self._importing():
            return
        self._turn += 1
        whole = self._turn % WHOLE == 0
        gc.collect(2 if whole else 1)
        if whole:
            give_memory_back()


def give_memory_back() -> None:
    """Returns freed memory to the system. glibc keeps the gaps between pieces in use: more than a
    hundred megabytes after some time in all panes.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
