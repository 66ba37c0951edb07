"""The badge of a locked cell: a small pin at its corner. Frames mean chosen or focused."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPixmap

from explorer import theme


def draw_lock(painter: QPainter, rect: QRectF, pin: QPixmap) -> None:
    """Draws `pin`, the icon at 10 px in the accent's text color, over a corner of `rect`."""
    now = theme.current()
    size, half = now.px(14), now.px(10) / 2
    badge = QRectF(rect.right() - size / 2, rect.top() - size / 2, size, size)
    painter.setPen(now.pen("window", 1.5))
    painter.setBrush(now.color("accent"))
    painter.drawEllipse(badge)
    painter.drawPixmap(badge.center() - QPointF(half, half), pin)
