"""Paints who told it: to the right what pushes the logit up, to the left what pushes it down."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter

from core.numbers import format_fixed
from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.scene import Bar
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

LINE, NAME, NUMBER, GAP = 18, 84, 40, 3  # px
DOWN, UP = 0, 1  # series


def draw_terms(
    painter: QPainter, rows: Sequence[QRectF], bars: Sequence[Bar], hovered: int, marked: int
) -> None:
    """A bar a row; the name of the `marked` one has the accent's color."""
    now = theme.current()
    values = [one for bar in bars for one in (bar.value, bar.before or 0.0)]
    low, high = min(0.0, *values), max(1e-9, *values)
    left, right = now.px(NAME), rows[0].width() - now.px(NUMBER)
    scale = (right - left) / (high - low)
    zero = left - low * scale
    for place, (row, bar) in enumerate(zip(rows, bars, strict=True)):
        if place == hovered and bar.part is not None:
            painter.fillRect(row, now.color("raised"))
        color = now.color("muted") if bar.is_gray else now.series(UP if bar.value > 0 else DOWN)
        painter.fillRect(_rect(row, zero, bar.value * scale), color)
        if bar.before is not None:
            painter.setPen(now.pen("muted", 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(_rect(row, zero, bar.before * scale).adjusted(0, -1, 0, 1))
        _draw_words(painter, row, bar, place == marked)
    painter.setPen(now.pen("outline"))
    painter.drawLine(QPointF(zero, 0), QPointF(zero, rows[-1].bottom()))


def _rect(row: QRectF, zero: float, long: float) -> QRectF:
    return QRectF(min(zero, zero + long), row.top() + GAP, abs(long), row.height() - 2 * GAP)


def _draw_words(painter: QPainter, row: QRectF, bar: Bar, is_marked: bool) -> None:
    now = theme.current()
    font = QFont(now.font("label"))  # the theme's own stays as it is
    font.setStrikeOut(bar.is_off)
    ink = now.color("accent" if is_marked else "muted" if bar.is_off or bar.is_gray else "text")
    name = QRectF(0, row.top(), now.px(NAME - 8), row.height())
    put_text(painter, name, elide(bar.name, font, name.width()), font, ink, RIGHT)
    number = QRectF(row.width() - now.px(NUMBER - 6), row.top(), now.px(NUMBER), row.height())
    words = text.OFF if bar.is_off else format_fixed(bar.value)
    put_text(painter, number, words, now.font("label"), now.color("muted"), LEFT)
