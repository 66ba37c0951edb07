"""A layout: controls side by side, in further rows if they do not fit in one."""

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
    """No control is narrower than its requested width, unless it is wider than the whole row. Spare
    width of a row goes to its first expanding control.

    Its height is that of its current rows, not a height for width, for which a scroll area would
    give a widget with this layout its preferred height.
    """

    def __init__(self, spacing: int = 8, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._tall = 0
        self._lead = QSize(0, 0)
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)

    def addWidget(self, widget: QWidget) -> None:
        """Adds a control with an item made here: wrappers of Qt's own can become invalid."""
        self.addChildWidget(widget)
        self.addItem(QWidgetItem(widget))

    def addStretch(self) -> None:
        """Adds a stretch that takes the spare width of its row."""
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
        """Reserves space at the start of the first row for something else."""
        if size != self._lead:
            self._lead = size
            self.update()

    def height_in(self, width: int) -> int:
        """Returns the px of its rows at this width."""
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
    """Returns True if the item itself, not its content, takes spare width."""
    widget = item.widget()
    way = item if widget is None else widget.sizePolicy()
    return bool(way.expandingDirections() & EXPANDS)


def expanding() -> QSizePolicy:
    """Returns the policy of a control that takes the spare width of its row."""
    return QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)


def labelled(name: str, control: QWidget) -> QWidget:
    """Returns a control after its name; they stay in one row."""
    both, label = QWidget(), Label(name, "label", "muted")
    label.setBuddy(control)
    both.setSizePolicy(control.sizePolicy())
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    row.addWidget(label)
    row.addWidget(control, 1)
    return both
