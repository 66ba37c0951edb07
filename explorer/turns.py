"""Long work on the thread that paints, a piece at each turn of Qt's event loop."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


def next_turn(owner: QObject, call: Callable[[], None]) -> None:
    """Calls when Qt has served what came until now, unless `owner` is gone by then.

    A timer of 0 ms would be no timer but an event to its owner. Qt sends all that wait, and twice
    at each turn: two pieces without a timer's tick or a paint between them.
    """
    QTimer.singleShot(1, owner, call)
