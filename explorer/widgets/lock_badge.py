"""What a locked cell wears: an accent ring and a small pin at its corner."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

from explorer import theme


def draw_lock(painter: QPainter, rect: QRectF, pin: QPixmap) -> None:
    """Draws ring and pin round `rect`; `pin` is the icon at 10 px in the accent's text color."""
    now = theme.current()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(now.pen("accent", 2))
    painter.drawRoundedRect(rect.adjusted(-2, -2, 2, 2), 3, 3)
    size, half = now.px(14), now.px(10) / 2
    badge = QRectF(rect.right() - size / 2, rect.top() - size / 2, size, size)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("accent"))
    painter.drawEllipse(badge)
    painter.drawPixmap(badge.center() - QPointF(half, half), pin)
