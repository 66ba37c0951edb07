"""A scroll area around a picture, which leaves Left and Right to the player."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from explorer import overrides  # noqa: F401  (what imports the theme has it from there)


class Scrolled(QScrollArea):
    """Up and Down scroll; Left and Right are the player's, as everywhere."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            event.ignore()
        else:
            super().keyPressEvent(event)


def scrolled(picture: QWidget) -> QScrollArea:
    """A scroll area around a picture, with no frame or ground of its own."""
    area = Scrolled()
    area.setWidgetResizable(True)
    area.setWidget(picture)
    own = picture.focusPolicy() != Qt.FocusPolicy.NoFocus
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus if own else Qt.FocusPolicy.TabFocus)
    area.viewport().setAutoFillBackground(False)
    picture.setAutoFillBackground(False)
    area.setAccessibleName(picture.accessibleName())
    return area
