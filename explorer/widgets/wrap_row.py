"""A layout: controls side by side, in further rows where they have no room in one."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QSizePolicy,
    QSpacerItem,
    QWidget,
    QWidgetItem,
)

from explorer.widgets.base import Label

EXPANDS = Qt.Orientation.Horizontal


class WrapRow(QLayout):
    """No control is narrower than it asks to be, save one that is wider than the whole row. What is
    left of a row goes to the first in it that expands.

    Its height is that of the rows that it has now, not one for each width: a scroll area would give
    a widget that has such a layout in it its preferred height.
    """

    def __init__(self, spacing: int = 8, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._tall = 0
        self._lead = QSize(0, 0)
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)

    def addWidget(self, widget: QWidget) -> None:
        """Adds a control, with an item made here: wrappers of those Qt makes can go invalid."""
        self.addChildWidget(widget)
        self.addItem(QWidgetItem(widget))

    def addStretch(self) -> None:
        """What is left of a row goes here."""
        policy = QSizePolicy.Policy
        self.addItem(QSpacerItem(0, 0, policy.Expanding, policy.Minimum))

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

    def set_lead(self, size: QSize) -> None:
        """Leaves room at the beginning of the first row, where something else stands."""
        if size != self._lead:
            self._lead = size
            self.update()

    def height_in(self, width: int) -> int:
        """px of its rows, where it is so wide."""
        heights = [self._height(row) for row in self._rows(width)]
        heights[0] = max(heights[0], self._lead.height())
        return sum(heights) + self.spacing() * (len(heights) - 1)

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
        tall = self.height_in(rect.width())
        if tall != self._tall:
            self._tall = tall
            self.update()
        top, lead = rect.top(), self._lead
        for row in self._rows(rect.width()):
            high = max(self._height(row), lead.height())
            start = lead.width() + self.spacing() if lead.width() else 0
            lead = QSize(0, 0)
            wide = [min(item.sizeHint().width(), rect.width()) for item in row]
            left = rect.width() - start - sum(wide) - self.spacing() * (len(row) - 1)
            growing = [at for at, item in enumerate(row) if _grows(item)]
            if growing:
                wide[growing[0]] += left
            x = rect.left() + start
            for item, width in zip(row, wide, strict=True):
                tall = high if item.layout() is not None else min(high, item.sizeHint().height())
                item.setGeometry(QRect(QPoint(x, top + (high - tall) // 2), QSize(width, tall)))
                x += width + self.spacing()
            top += high + self.spacing()

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if item.spacerItem() or not item.isEmpty()]

    def _height(self, row: list[QLayoutItem]) -> int:
        return max((item.sizeHint().height() for item in row), default=0)

    def _rows(self, width: int) -> list[list[QLayoutItem]]:
        rows: list[list[QLayoutItem]] = [[]]
        lead = self._lead.width()
        room = width - (lead + self.spacing() if lead else 0)
        for item in self._shown():
            needs = item.sizeHint().width()
            if needs > room and (lead or rows[-1]):
                rows.append([])
                room, lead = width, 0
            rows[-1].append(item)
            room -= needs + self.spacing()
        return rows


def _grows(item: QLayoutItem) -> bool:
    """Whether it takes what is left: the item itself, not what stands in it."""
    widget = item.widget()
    way = item if widget is None else widget.sizePolicy()
    return bool(way.expandingDirections() & EXPANDS)


def expanding() -> QSizePolicy:
    """The policy of a control that takes what is left of its row."""
    return QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)


def labelled(name: str, control: QWidget) -> QWidget:
    """A control with its name before it; they stand in one row."""
    both, label = QWidget(), Label(name, "label", "muted")
    label.setBuddy(control)
    both.setSizePolicy(control.sizePolicy())
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    row.addWidget(label)
    row.addWidget(control, 1)
    return both
