"""Scroll areas: around a page that is as wide as there is room, and around a picture."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

MOST = 4  # sizes of the page, each an answer to the one before, until the bar stays


class ScrollArea(QScrollArea):
    """A scroll area around a page, with no frame or ground of its own.

    Some pages need less height where they are narrower: a card moves its icon beside its title. The
    bar makes such a page so narrow that it needs no bar, and without it the page is wide again. Qt
    would go on within one call, until the stack of C++ is full. Here the bar stays until the area
    has another size.
    """

    def __init__(self, page: QWidget, sideways: bool = False) -> None:
        """`sideways`: it scrolls that way too, where the page is wider than its room."""
        super().__init__()
        self._sizes = 0  # given to the page, each within the one before
        self._kept: QSize | None = None  # size of the area for which the bar stays
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        if not sideways:
            self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(page)
        for ground in (page, self.viewport()):
            ground.setAutoFillBackground(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hears of the page's sizes and gives it another one where its height has no room."""
        if event.type() != QEvent.Type.Resize:
            return super().eventFilter(watched, event)
        self._sizes += 1
        try:
            if self._sizes <= MOST:
                return super().eventFilter(watched, event)
            if self._kept is None:
                self._kept = self.size()
                self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
            return False
        finally:
            self._sizes -= 1

    def see(self, place: QRectF) -> None:
        """Scrolls as little as brings a place of the page into sight."""
        center, room = place.center().toPoint(), (place.size() / 2).toSize()
        self.ensureVisible(center.x(), center.y(), room.width(), room.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._kept is not None and self._kept != self.size():
            self._kept = None
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        super().resizeEvent(event)


class Scrolled(ScrollArea):
    """Up and Down scroll; Left and Right are the player's, as everywhere."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            event.ignore()
        else:
            super().keyPressEvent(event)


def scrolled(picture: QWidget) -> Scrolled:
    """A scroll area around a picture."""
    area = Scrolled(picture, sideways=True)
    own = picture.focusPolicy() != Qt.FocusPolicy.NoFocus
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus if own else Qt.FocusPolicy.TabFocus)
    area.setAccessibleName(picture.accessibleName())
    return area
