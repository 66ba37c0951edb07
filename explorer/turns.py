"""Splits long work on the GUI thread into pieces, one in each turn of Qt's event loop."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


def next_turn(owner: QObject, call: Callable[[], None]) -> None:
    """Calls `call` after Qt's pending events, unless `owner` is deleted by then.

    A timer of 0 ms would be an event to its owner, not a timer. Qt sends all pending events, twice
    in each turn: two pieces would run without a timer's tick or a paint between them.
    """
    QTimer.singleShot(1, owner, call)
