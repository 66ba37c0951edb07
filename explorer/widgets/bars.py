"""Bars: side by side as a skyline, or one per line with a name and a number."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

NAME, GAP = 120, 3  # px: a name, half of the space for a number; above and below a bar


def draw_skyline(
    painter: QPainter, area: QRectF, shares: np.ndarray, color: QColor, widest: float = math.inf
) -> list[QRectF]:
    """Draws bars side by side, 0..1 of the height, and returns their rectangles."""
    wide, bars = min(area.width() / max(len(shares), 1), widest), []
    for index, share in enumerate(shares.tolist()):
        high = max(area.height() * share, 1.0)
        left = area.left() + index * wide
        bars.append(QRectF(left, area.bottom() - high, max(wide - 1, 1.0), high))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # ten times as fast
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRects(bars)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return bars


def draw_named_bar(
    painter: QPainter,
    line: QRectF,
    name: str,
    share: float,
    number: str,
    color: QColor,
    font: QFont | None = None,
    chosen: bool = False,
    room: float = 0.0,
) -> QRectF:
    """Draws a bar between its name and its number, 0..1 of the space left, and returns the bar. The
    number takes `room` px, or by default twice the space of a name.
    """
    now, wide = theme.current(), theme.current().px(NAME)
    room = room or 2 * wide
    font = font or now.font("body")
    place = QRectF(line.left(), line.top(), wide - now.px(8), line.height())
    ink = now.color("accent" if chosen else "text")
    put_text(painter, place, elide(name, font, place.width()), font, ink, RIGHT)
    long = max((line.width() - wide - room) * share, 1.0)
    bar = QRectF(line.left() + wide, line.top() + GAP, long, line.height() - 2 * GAP)
    painter.fillRect(bar, color)
    place = QRectF(bar.right() + 6, line.top(), room, line.height())
    ink = now.color("text" if chosen else "muted")
    put_text(painter, place, number, now.font("label"), ink, LEFT)
    return bar
