"""Paints the optimizer: recorded numbers of one parameter, in a row for each name of the rule, and
a histogram of all updates relative to their weights.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from core.numbers import format_number, format_power
from core.training.recorded_step import RecordedStep
from explorer import theme
from explorer.panes.training.step import text
from explorer.widgets.bars import draw_skyline
from explorer.widgets.base import LEFT, RIGHT, elide, packed_image, packed_table, put_text

NAME, NUMBER, TALLEST, LINE, SIDE, APART = 128, 84, 30, 18, 0.34, 24  # px; a share of the width


class WeightLayout:
    """The positions of rows and recorded weights in an area."""

    def __init__(self, area: QRectF, recorded: RecordedStep) -> None:
        now = theme.current()
        self.recorded = recorded
        self.side = QRectF(area)
        self.side.setLeft(area.right() - area.width() * SIDE)
        self.top, self.left = area.top() + now.px(LINE), area.left() + now.px(NAME)
        self.right = self.side.left() - now.px(APART) - now.px(NUMBER)
        rows = max(len(recorded.rows), 1)
        self.pitch = min((area.bottom() - self.top) / rows, now.px(TALLEST))
        self.cell = (self.right - self.left) / max(len(recorded.kept), 1)

    def row(self, index: int) -> QRectF:
        top = self.top + index * self.pitch
        return QRectF(self.left, top, self.right - self.left, self.pitch - 4)

    def column(self, weight: int) -> QRectF:
        """Returns the box of a weight across all rows."""
        high = self.pitch * len(self.recorded.rows)
        return QRectF(self.left + weight * self.cell, self.top - 2, self.cell, high)

    def index_at(self, point: QPointF) -> int | None:
        inside = self.column(0).united(self.column(len(self.recorded.kept) - 1)).contains(point)
        return int((point.x() - self.left) / self.cell) if inside else None


def draw_weights(painter: QPainter, layout: WeightLayout, weight: int, shown: float) -> None:
    """Draws the optimizer. `weight`: the selected index; `shown`: how many rule lines have run."""
    now, recorded = theme.current(), layout.recorded
    table = packed_table(now.diverging_table)
    head = QRectF(layout.left, layout.top - now.px(LINE), layout.right - layout.left, now.px(LINE))
    words = elide(text.weights_head(recorded, weight), now.font("label"), head.width())
    put_text(painter, head, words, now.font("label"), now.color("muted"), LEFT)
    for index, row in enumerate(recorded.rows):
        rect, there = layout.row(index), row.line < shown
        name = QRectF(rect.left() - now.px(NAME), rect.top(), now.px(NAME - 8), rect.height())
        ink = now.color("text" if there else "muted")
        put_text(painter, name, text.name_of(row.name), now.font("body"), ink, RIGHT)
        if not there:
            painter.fillRect(rect, now.color("raised"))
            continue
        values = np.nan_to_num(row.values)
        most = float(np.abs(values).max(initial=0)) or 1.0
        levels = np.clip(values / most * 127 + 128, 0, 255).astype(np.uint8)
        painter.drawImage(rect, packed_image(table[levels][None, :]))
        place = QRectF(rect.right() + now.px(8), rect.top(), now.px(NUMBER), rect.height())
        value = format_number(float(row.values[weight])) if weight < len(row.values) else ""
        put_text(painter, place, value, now.font("body", 600), now.color("text"), LEFT)
    painter.setPen(now.pen("accent", 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(layout.column(weight))
    _draw_updates(painter, layout.side, recorded)


def _draw_updates(painter: QPainter, area: QRectF, recorded: RecordedStep) -> None:
    """Draws how many weights moved by 2^k times their size."""
    now, line = theme.current(), theme.current().px(LINE)
    font, muted, (first, counts) = now.font("label"), now.color("muted"), recorded.updates
    head = QRectF(area.left(), area.top(), area.width(), line)
    put_text(painter, head, elide(text.UPDATES, font, head.width()), font, muted, LEFT)
    plot = area.adjusted(0, line + 4, 0, -line - 4)
    bars = draw_skyline(painter, plot, counts / counts.max(initial=1), now.series(0))
    every = max(1, round(now.px(44) * max(len(bars), 1) / plot.width()))
    for power, bar in enumerate(bars, first):
        if power % every == 0:
            tick = QRectF(bar.center().x() - 30, plot.bottom() + 2, 60, line)
            put_text(painter, tick, format_power(power), font, muted)
    painter.setPen(now.pen("outline"))
    painter.drawLine(plot.bottomLeft(), plot.bottomRight())
