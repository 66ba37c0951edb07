"""Paints who told it: to the right what pushes the logit up, to the left what pushes it down."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter

from core.numbers import format_fixed
from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.scene import Bar, sum_of
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

LINE, NAME, NUMBER, GAP = 18, 84, 40, 3  # px
DOWN, UP = 0, 1  # series


class TermsLayout:
    """A bar a line, from the `first` on; those that have no room are one bar, above what is left
    unexplained. `things`: the bars' places; that of the one for all others is `len(bars)`.
    """

    def __init__(self, rect: QRectF, bars: Sequence[Bar], first: int) -> None:
        self.line, self.rect = theme.current().px(LINE), rect
        lines, parts = int(rect.height() // self.line), len(bars) - 1
        self.room = parts if len(bars) <= lines else max(1, lines - 2)
        self.first = min(max(first, 0), parts - self.room)
        shown = range(self.first, self.first + self.room)
        self.bars = [bars[place] for place in shown]
        self.things = list(shown)
        if self.room < parts:
            others = [bar for place, bar in enumerate(bars[:-1]) if place not in shown]
            self.bars.append(sum_of(others))
            self.things.append(len(bars))
        self.bars.append(bars[-1])
        self.things.append(parts)

    def row(self, line: int) -> QRectF:
        return QRectF(0, line * self.line, self.rect.width(), self.line)

    def first_with(self, thing: int) -> int:
        """Where the lines begin so that a bar is seen."""
        return min(max(self.first, thing - self.room + 1), thing)


def draw_terms(painter: QPainter, layout: TermsLayout, hovered: int, marked: int) -> None:
    """The name of the `marked` bar has the accent's color."""
    now = theme.current()
    values = [one for bar in layout.bars for one in (bar.value, bar.before or 0.0)]
    low, high = min(0.0, *values), max(1e-9, *values)
    left, right = now.px(NAME), layout.rect.width() - now.px(NUMBER)
    scale = (right - left) / (high - low)
    zero = left - low * scale
    for line, (thing, bar) in enumerate(zip(layout.things, layout.bars, strict=True)):
        row = layout.row(line)
        if thing == hovered and bar.part is not None:
            painter.fillRect(row, now.color("raised"))
        color = now.color("muted") if bar.is_gray else now.series(UP if bar.value > 0 else DOWN)
        painter.fillRect(_rect(row, zero, bar.value * scale), color)
        if bar.before is not None:
            painter.setPen(now.pen("muted", 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(_rect(row, zero, bar.before * scale).adjusted(0, -1, 0, 1))
        _draw_words(painter, row, bar, thing == marked)
    painter.setPen(now.pen("outline"))
    bottom = len(layout.bars) * layout.line
    painter.drawLine(QPointF(zero, 0), QPointF(zero, bottom))


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
