"""First-start callouts: a small card with a pointer at the thing it speaks of, shown once."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from explorer import theme
from explorer.widgets.base import Label, set_look

_TIP = 8


class Callout(QWidget):
    """Points at a widget of the same window. It takes no focus and blocks nothing."""

    dismissed = Signal()

    def __init__(self, text: str, count: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"Tip: {text}")
        self._above = False
        self._tip = 40.0
        self._label = Label(text, "body", wrap=True)
        self._count = Label(count, "label", "muted")
        self._button = QPushButton("Got it")
        set_look(self._button, "quiet")
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._button.clicked.connect(self.dismissed)
        row = QHBoxLayout()
        row.addWidget(self._count)
        row.addStretch(1)
        row.addWidget(self._button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12 + _TIP, 12, 8 + _TIP)
        layout.setSpacing(4)
        layout.addWidget(self._label)
        layout.addLayout(row)
        theme.changed.connect(self.update)

    def point_at(self, target: QWidget) -> None:
        """Places the callout below `target` (above where there is no room) and shows it."""
        parent = self.parentWidget()
        now = theme.current()
        width = now.px(280)
        self.setFixedWidth(width)
        height = max(self.layout().heightForWidth(width), self.layout().sizeHint().height())
        corner = target.mapTo(parent, target.rect().topLeft())
        area = QRect(corner, target.size())
        x = min(max(8, area.center().x() - 40), parent.width() - width - 8)
        self._above = area.bottom() + height > parent.height()
        y = area.top() - height + 2 if self._above else area.bottom() - 2
        y = min(max(8, y), parent.height() - height - 8)
        self._tip = float(min(max(20, area.center().x() - x), width - 20))
        self.setGeometry(x, y, width, height)
        self.show()
        self.raise_()

    def paintEvent(self, event) -> None:
        now = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = QRectF(self.rect()).adjusted(1, _TIP, -1, -_TIP)
        path = QPainterPath()
        path.addRoundedRect(body, 8, 8)
        base = body.bottom() if self._above else body.top()
        end = base + _TIP - 1 if self._above else base - _TIP + 1
        tip = QPainterPath()
        tip.addPolygon(
            QPolygonF(
                [
                    QPointF(self._tip - 8, base),
                    QPointF(self._tip, end),
                    QPointF(self._tip + 8, base),
                ]
            )
        )
        tip.closeSubpath()
        painter.setPen(now.pen("accent", 1.5))
        painter.setBrush(now.color("surface"))
        painter.drawPath(path.united(tip))
        painter.end()
