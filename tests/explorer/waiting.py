"""How tests wait: for what they need, never for a time that a loaded machine makes too short."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any


async def until(condition: Callable[[], Any], what: str = "", seconds: float = 100.0) -> None:
    """Lets Qt's event loop turn until `condition()` holds."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"never came: {what or condition}") from None


class Gate:
    """A call that stands still on whatever thread makes it, until it is opened.

    `await gate.reached()` returns when the call has begun.
    """

    def __init__(self) -> None:
        self._begun, self._opened = threading.Event(), threading.Event()

    def __call__(self) -> bool:
        self._begun.set()
        return self._opened.wait(100)

    async def reached(self) -> None:
        await until(self._begun.is_set, "the call")

    def open(self) -> None:
        self._opened.set()
