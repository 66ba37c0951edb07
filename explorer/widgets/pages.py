"""Pages, one of which is shown."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedLayout, QWidget


class Pages(QWidget):
    """Requests the size of the page that is shown. Qt's stack requests that of the largest, so that
    a small page would scroll because of a hidden one.
    """

    def __init__(self, *pages: QWidget) -> None:
        super().__init__()
        self._shown = _Shown(self)
        for page in pages:
            self.addWidget(page)

    def addWidget(self, page: QWidget) -> None:
        self._shown.addWidget(page)

    def currentWidget(self) -> QWidget:
        return self._shown.currentWidget()

    def setCurrentWidget(self, page: QWidget) -> None:
        self._shown.setCurrentWidget(page)
        self._shown.invalidate()
        self.updateGeometry()


class _Shown(QStackedLayout):
    def hasHeightForWidth(self) -> bool:
        page = self.currentWidget()
        return page is not None and page.hasHeightForWidth()

    def heightForWidth(self, width: int) -> int:
        return self.currentWidget().heightForWidth(width) if self.hasHeightForWidth() else -1

    def sizeHint(self) -> QSize:
        page = self.currentWidget()
        return page.sizeHint() if page is not None else QSize(0, 0)

    def minimumSize(self) -> QSize:
        page = self.currentWidget()
        if page is None:
            return QSize(0, 0)
        return page.minimumSizeHint().expandedTo(page.minimumSize())
