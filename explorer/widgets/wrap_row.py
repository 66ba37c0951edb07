"""A layout: controls side by side, in further rows where they have no room in one."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QWidget, QWidgetItem

EXPANDS = Qt.Orientation.Horizontal


class WrapRow(QLayout):
    """No control is narrower than it asks to be, save one that is wider than the whole row. What is
    left of a row goes to the first in it that expands.

    Its height is that of the rows that it has now, not one for each width: a scroll area would give
    a widget that has such a layout in it its preferred height.
    """

    def __init__(self, spacing: int = 8) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._tall = 0
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)

    def addWidget(self, widget: QWidget) -> None:
        """Adds a control, with an item made here: wrappers of those Qt makes can go invalid."""
        self.addChildWidget(widget)
        self.addItem(QWidgetItem(widget))

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return EXPANDS

    def sizeHint(self) -> QSize:
        shown = self._shown()
        wide = sum(item.sizeHint().width() + self.spacing() for item in shown) - self.spacing()
        return QSize(max(0, wide), max(self._tall, self._height(shown)))

    def minimumSize(self) -> QSize:
        shown = self._shown()
        widest = max((item.minimumSize().width() for item in shown), default=0)
        return QSize(widest, max(self._tall, self._height(shown)))

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        rows = self._rows(rect.width())
        tall = sum(map(self._height, rows)) + self.spacing() * max(0, len(rows) - 1)
        if tall != self._tall:
            self._tall = tall
            self.update()
        top = rect.top()
        for row in rows:
            high = self._height(row)
            wide = [min(item.sizeHint().width(), rect.width()) for item in row]
            left = rect.width() - sum(wide) - self.spacing() * (len(row) - 1)
            growing = [at for at, item in enumerate(row) if item.expandingDirections() & EXPANDS]
            if growing:
                wide[growing[0]] += left
            x = rect.left()
            for item, width in zip(row, wide, strict=True):
                tall = high if item.layout() is not None else min(high, item.sizeHint().height())
                item.setGeometry(QRect(QPoint(x, top + (high - tall) // 2), QSize(width, tall)))
                x += width + self.spacing()
            top += high + self.spacing()

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _height(self, row: list[QLayoutItem]) -> int:
        return max((item.sizeHint().height() for item in row), default=0)

    def _rows(self, width: int) -> list[list[QLayoutItem]]:
        rows: list[list[QLayoutItem]] = []
        room = -1
        for item in self._shown():
            needs = item.sizeHint().width()
            if not rows or needs > room:
                rows.append([])
                room = width
            rows[-1].append(item)
            room -= needs + self.spacing()
        return rows


def expanding() -> QSizePolicy:
    """The policy of a control that takes what is left of its row."""
    return QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
