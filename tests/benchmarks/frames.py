"""The application as the product starts it, and how long a picture of its window takes from one
painted frame to the next.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

# When a frame began, how long the GUI thread had worked by then, and what was seen.
Painted = list[tuple[float, float, Any]]


def application() -> Any:
    """The product's own, also for the benchmarks that come after it in this process."""
    from explorer import theme
    from explorer.app import ExplorerApp

    app = ExplorerApp.instance() or ExplorerApp(["bench"])
    assert isinstance(app, ExplorerApp)
    theme.apply(app, "light", 1.0, "full")
    return app


@contextmanager
def painted_frames(picture: Any, seen: Callable[[], Any]) -> Iterator[Painted]:
    """The frames of a picture, as they are painted; `seen` says what each shows."""
    from PySide6.QtCore import QEvent, QObject

    painted: Painted = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                painted.append((time.perf_counter(), time.thread_time(), seen()))
            return False

    watch = Watch()
    picture.installEventFilter(watch)
    try:
        yield painted
    finally:
        picture.removeEventFilter(watch)


async def moving_frames(
    player: Any, picture: Any, seconds: float
) -> tuple[list[float], list[float]]:
    """Seconds from one painted frame to the next while the steps move (rests do not count), and
    how many of them the GUI thread worked: what no other process on the machine can change.
    """
    with painted_frames(picture, lambda: player.position) as painted:
        end = time.perf_counter() + seconds
        player.start()
        player.play()
        while time.perf_counter() < end:
            if not player.playing:
                player.play()
            await asyncio.sleep(0.05)
        player.pause()
    moving = [
        (before, after)
        for before, after in pairwise(painted)
        if before[2] != int(before[2]) and after[2] != int(after[2])
    ]
    frames = [after[0] - before[0] for before, after in moving]
    return frames, [after[1] - before[1] for before, after in moving]
