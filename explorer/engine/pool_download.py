"""Runs a download of core on a pool thread; the window can watch and cancel it. No Qt."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any


class PoolDownload:
    """A download on a thread of the pool; the GUI reads `done`, and sets `cancelled`."""

    def __init__(self, steps: Generator[Any, None, Path]) -> None:
        self._steps = steps
        self.done = 0
        self.total: int | None = None
        self.cancelled = False

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 0.0

    def run(self) -> Path | None:
        """Downloads to the end, or returns None if cancelled. Raises what the download raises."""
        while not self.cancelled:
            try:
                progress = next(self._steps)
            except StopIteration as stop:
                return stop.value
            self.done, self.total = progress.done, progress.total
        self._steps.close()
        return None
