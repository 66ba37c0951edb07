"""Arrow keys of a grid: the moves of its current cell."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

_MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


def arrow(event: QKeyEvent) -> tuple[int, int] | None:
    """Returns the (rows, columns) that a bare arrow key moves, else None."""
    if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
        return None
    return _MOVES.get(Qt.Key(event.key()))


def is_enter(event: QKeyEvent) -> bool:
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
