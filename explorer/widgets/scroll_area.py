"""Scroll areas: around a page that takes the available width, and around a picture."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

MOST = 4  # successive sizes of the page, each a reaction to the one before, until the bar stays


class ScrollArea(QScrollArea):
    """A scroll area around a page, without a frame or background of its own.

    Some pages need less height when narrower: a card moves its icon beside its title. The scroll
    bar then makes such a page so narrow that it needs no bar, and without the bar the page is wide
    again. Qt would alternate within one call until the C++ stack overflows. Here the bar stays
    until the area has another size.
    """

    def __init__(self, page: QWidget, sideways: bool = False) -> None:
        """Creates the area; `sideways` also lets a page that is too wide scroll horizontally."""
        super().__init__()
        self._sizes = 0  # nested resizes of the page
        self._kept: QSize | None = None  # size of the area for which the bar stays
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        if not sideways:
            self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(page)
        for ground in (page, self.viewport()):
            ground.setAutoFillBackground(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watches the page's size and resizes it if it is too high."""
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
        """Scrolls as little as possible to make a rectangle of the page visible."""
        center, room = place.center().toPoint(), (place.size() / 2).toSize()
        self.ensureVisible(center.x(), center.y(), room.width(), room.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._kept is not None and self._kept != self.size():
            self._kept = None
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        super().resizeEvent(event)


class Scrolled(ScrollArea):
    """Up and Down scroll; Left and Right go to the player, as everywhere."""

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
