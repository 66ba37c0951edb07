"""How tests wait: for what they need, never for a time that a loaded machine makes too short."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.studio.hang_detector import HangDetector
from tests.patience import HANGS

if TYPE_CHECKING:
    from PySide6.QtCore import QObject, QTimer


async def until(condition: Callable[[], Any], what: str = "") -> None:
    """Lets Qt's event loop turn until `condition()` holds."""
    detector = HangDetector()
    while not condition():
        reason = detector.look()
        assert not reason, f"never came: {what or condition}: {reason}"
        await asyncio.sleep(0.005)


def wait_until(condition: Callable[[], Any], what: str = "") -> None:
    """`until` for a test that is no coroutine."""
    from PySide6.QtWidgets import QApplication

    detector = HangDetector()
    while not condition():
        reason = detector.look()
        assert not reason, f"never came: {what or condition}: {reason}"
        QApplication.processEvents()
        time.sleep(0.002)


def turn(times: int = 10) -> None:
    """What is pending happens, and what follows from that: layouts, paints, timers of no time."""
    from PySide6.QtWidgets import QApplication

    for _ in range(times):
        QApplication.processEvents()


def timer_of(owner: QObject) -> QTimer:
    """The one timer of `owner`: to see how it is set, or to let it come now."""
    from PySide6.QtCore import Qt, QTimer

    (timer,) = owner.findChildren(QTimer, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return timer


class Gate:
    """A call that stands still on whatever thread makes it, until it is opened.

    `await gate.reached()` returns when the call has begun.
    """

    def __init__(self) -> None:
        self._begun, self._opened = threading.Event(), threading.Event()

    def __call__(self) -> bool:
        self._begun.set()
        return self._opened.wait(HANGS)

    async def reached(self) -> None:
        await until(self._begun.is_set, "the call")

    def open(self) -> None:
        self._opened.set()
