"""A thread that looks at the program from outside the window's thread, which may be blocked."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Lookout:
    """Calls `look()` every `seconds` on its own thread, from `start` until `stop`."""

    def __init__(self, look: Callable[[], None], seconds: float) -> None:
        self._look, self._seconds = look, seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            self._look()
