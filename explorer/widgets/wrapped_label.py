"""Text that wraps in its width, in a page that does not scroll because of it."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy

from explorer.widgets.base import Label


class WrappedLabel(Label):
    """A label as high as its text needs at its current width. With a height for width, a scroll
    area would give the whole page its preferred height.
    """

    def __init__(self, size: str = "body", role: str = "text") -> None:
        super().__init__("", size, role, wrap=True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def hasHeightForWidth(self) -> bool:
        return False

    def sizeHint(self) -> QSize:
        return QSize(1, self.heightForWidth(max(self.width(), 1)))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()
