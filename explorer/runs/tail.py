"""The one reader of a run folder, shared by everything that shows the run; one read at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from core.training import RunReader
    from explorer.engine.engine import Engine

Seen = TypeVar("Seen")


class Tail:
    """Reads a run's new data in the engine's I/O pool, one look at a time.

    Does not poll by itself, so a hidden pane costs nothing. `looks` counts the successful looks.
    """

    def __init__(self, engine: Engine, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._engine = engine
        self._reader: RunReader | None = None
        self._news = 0
        self._turn = asyncio.Lock()
        self._reading = threading.Lock()  # a look continues after its caller was cancelled
        self._shared: list[tuple[Callable[[RunReader, int], Any], Callable[[Any], None]]] = []
        self.looks = 0

    async def look(self, see: Callable[[RunReader, int], Seen]) -> Seen:
        """Reads new data, then returns `see(reader, news)`, called in the pool: it must return a
        value that does not change afterwards. `news` grows whenever there was new data.

        Raises ValueError or OSError if the folder is not a run or cannot be read.
        """
        async with self._turn:
            shared = tuple(self._shared)
            seen, others = await self._engine.io(self._look, see, [one for one, _ in shared])
        self.looks += 1
        for (_, came), other in zip(shared, others, strict=True):
            came(other)
        return seen

    def share(self, see: Callable[[RunReader, int], Any], came: Callable[[Any], None]) -> None:
        """Calls `came` with the result of `see` after every look, whoever requested it, so that all
        views of a run show the same step.
        """
        self._shared.append((see, came))

    def unshare(self, came: Callable[[Any], None]) -> None:
        """Ends a `share`."""
        self._shared = [one for one in self._shared if one[1] != came]

    def _look(
        self,
        see: Callable[[RunReader, int], Seen],
        others: Sequence[Callable[[RunReader, int], Any]],
    ) -> tuple[Seen, list[Any]]:
        from core.training import open_run

        with self._reading:
            if self._reader is None:
                self._reader = open_run(self.folder)
                self._news += 1
            else:
                try:
                    self._news += self._reader.refresh()
                except (OSError, ValueError):
                    self._reader = None  # it may be another run when it returns
                    raise
            reader, news = self._reader, self._news
            return see(reader, news), [one(reader, news) for one in others]
