"""Keys that the window handles itself: they move the player unless a widget needs them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QLineEdit, QWidget

from explorer.state.player import Player

# key -> method of the focused pane's player
PLAYER = {
    Qt.Key.Key_Space: "toggle",
    Qt.Key.Key_Right: "forward",
    Qt.Key.Key_Left: "back",
    Qt.Key.Key_Home: "start",
    Qt.Key.Key_End: "end",
    Qt.Key.Key_Return: "enter",
    Qt.Key.Key_Enter: "enter",
    Qt.Key.Key_Backspace: "leave",
}
PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)


def is_plain(event: QKeyEvent) -> bool:
    """True if no modifier is pressed."""
    return event.modifiers() in PLAIN


def move_player(player: Player, key: int, focus: QWidget | None) -> bool:
    """Moves the player for its key; returns False for other keys, and while the user types."""
    if key not in PLAYER or _is_typed_in(focus):
        return False
    getattr(player, PLAYER[key])()
    return True


def _is_typed_in(widget: QWidget | None) -> bool:
    """True if the user types there: Enter ends typing, and a field passes it on to the window."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, QLineEdit | QAbstractSpinBox) and not widget.isReadOnly()


def focus_next(window: QWidget, regions: Sequence[QWidget]) -> None:
    """Moves the keyboard focus to the next visible region that can take it."""
    shown = [region for region in regions if region.isVisible()]
    focus = window.focusWidget()
    inside = [r for r in shown if focus is not None and (r is focus or r.isAncestorOf(focus))]
    begin = shown.index(inside[0]) + 1 if inside else 0
    for region in shown[begin:] + shown[:begin]:
        target = _first_focusable(region)
        if target is not None:
            target.setFocus(Qt.FocusReason.TabFocusReason)
            return


def _first_focusable(region: QWidget) -> QWidget | None:
    if region.focusPolicy() & Qt.FocusPolicy.TabFocus and region.isEnabled():
        return region
    for child in region.findChildren(QWidget):
        takes = child.focusPolicy() & Qt.FocusPolicy.TabFocus
        if takes and child.isVisible() and child.isEnabled():
            return child
    return None
