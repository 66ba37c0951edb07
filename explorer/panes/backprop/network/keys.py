"""The drawing by keyboard: neurons by arrows, and beyond the last layer a cross on the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from explorer.panes.backprop.network.draft import REACH
from explorer.panes.backprop.network.spots import Neuron, from_plane, point_near

if TYPE_CHECKING:
    from explorer.panes.backprop.network.picture import NetworkPicture

NUDGE = 0.05
WAYS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def handle(picture: NetworkPicture, event: QKeyEvent) -> bool:
    """Whether the key meant something here. Only without Ctrl and Alt."""
    layout, moment = picture.layout_now, picture.moment
    plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if (
        layout is None
        or moment is None
        or plain
        not in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.ShiftModifier,
        )
    ):
        return False
    key = Qt.Key(event.key())
    if key in WAYS:
        _move(picture, *WAYS[key])
    elif picture.cursor is not None and key in (*ENTER, Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
        near = point_near(layout.plane, picture.data, *from_plane(layout.plane, *picture.cursor))
        if key in ENTER:
            picture.use_tool(*picture.cursor)
        elif near >= 0:
            picture.pointRemoved.emit(near)
    elif key in ENTER and isinstance(picture.hovered, Neuron):
        picture.spotChosen.emit(picture.hovered)
    else:
        return False
    return True


def _move(picture: NetworkPicture, across: int, down: int) -> None:
    layout = picture.layout_now
    assert layout is not None
    if picture.cursor is not None:
        x, y = picture.cursor[0] + NUDGE * across, picture.cursor[1] - NUDGE * down
        if x < -REACH - 1e-9:
            picture.cursor = None
            picture.hovered = Neuron(len(layout.boxes) - 1, 0)
        else:
            picture.cursor = (min(REACH, x), min(REACH, max(-REACH, y)))
    elif not isinstance(picture.hovered, Neuron):
        picture.hovered = Neuron(0, 0)
    else:
        column = max(0, picture.hovered.column + across)
        if column >= len(layout.boxes):
            picture.cursor, picture.hovered = (0.0, 0.0), None
        else:
            last = len(layout.boxes[column]) - 1
            number = min(last, max(0, picture.hovered.number + down))
            picture.hovered = Neuron(column, number)
    picture.looked.emit()
    picture.update()
