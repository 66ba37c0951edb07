"""Paints the optimizer: the kept numbers of one parameter, a row for each name of the rule, and the
histogram of all updates beside their weights.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from core.numbers import format_count, format_number
from explorer import theme
from explorer.panes.training.step import text
from explorer.panes.training.step.scene import Scene
from explorer.widgets.base import LEFT, RIGHT, elide, packed_image, packed_table, put_text

NAME, NUMBER, TALLEST, LINE, SIDE, APART = 128, 84, 30, 18, 0.34, 24  # px; a share of the width


class WeightLayout:
    """Where rows and kept weights stand in an area."""

    def __init__(self, area: QRectF, scene: Scene) -> None:
        now = theme.current()
        self.scene = scene
        self.side = QRectF(area)
        self.side.setLeft(area.right() - area.width() * SIDE)
        self.top = area.top() + now.px(LINE)
        self.left = area.left() + now.px(NAME)
        self.right = self.side.left() - now.px(APART) - now.px(NUMBER)
        rows = max(len(scene.rows), 1)
        self.pitch = min((area.bottom() - self.top) / rows, now.px(TALLEST))
        self.cell = (self.right - self.left) / max(len(scene.kept), 1)

    def row(self, index: int) -> QRectF:
        top = self.top + index * self.pitch
        return QRectF(self.left, top, self.right - self.left, self.pitch - 4)

    def weight_at(self, point: QPointF) -> int | None:
        inside = self.left <= point.x() < self.right and point.y() >= self.top
        inside = inside and point.y() < self.top + self.pitch * len(self.scene.rows)
        return int((point.x() - self.left) / self.cell) if inside else None


def draw_weights(painter: QPainter, layout: WeightLayout, weight: int, shown: float) -> None:
    """`weight`: which of the kept ones is chosen; `shown`: how many of the rule's lines ran."""
    now, scene = theme.current(), layout.scene
    table = packed_table(now.diverging_table)
    head = QRectF(layout.left, layout.top - now.px(LINE), layout.right - layout.left, now.px(LINE))
    words = f"{len(scene.kept)} of its weights, each row by its largest"
    words = elide(words, now.font("label"), head.width())
    put_text(painter, head, words, now.font("label"), now.color("muted"), LEFT)
    for index, row in enumerate(scene.rows):
        rect, there = layout.row(index), row.place < shown
        name = QRectF(rect.left() - now.px(NAME), rect.top(), now.px(NAME - 8), rect.height())
        role = "text" if there else "muted"
        put_text(painter, name, text.name_of(row.name), now.font("body"), now.color(role), RIGHT)
        if not there:
            painter.fillRect(rect, now.color("raised"))
            continue
        most = float(np.abs(np.nan_to_num(row.values)).max(initial=0)) or 1.0
        levels = np.clip(np.nan_to_num(row.values) / most * 127 + 128, 0, 255).astype(np.uint8)
        painter.drawImage(rect, packed_image(table[levels][None, :]))
        place = QRectF(rect.right() + now.px(8), rect.top(), now.px(NUMBER), rect.height())
        value = format_number(float(row.values[weight])) if weight < len(row.values) else ""
        put_text(painter, place, value, now.font("body", 600), now.color("text"), LEFT)
    column = QRectF(layout.left + weight * layout.cell, layout.top - 2, layout.cell, 0)
    column.setBottom(layout.row(len(scene.rows) - 1).bottom() + 2)
    painter.setPen(now.pen("accent", 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(column)
    _draw_updates(painter, layout.side, scene)


def _draw_updates(painter: QPainter, area: QRectF, scene: Scene) -> None:
    """How many weights moved by 2^k of themselves."""
    now, line = theme.current(), theme.current().px(LINE)
    first, counts = scene.updates
    head = QRectF(area.left(), area.top(), area.width(), line)
    words = "all weights: update ÷ weight"
    words = elide(words, now.font("label"), head.width())
    put_text(painter, head, words, now.font("label"), now.color("muted"), LEFT)
    below = QRectF(area.left(), area.bottom() - line, area.width(), line)
    still = f"{format_count(scene.unmoved)} did not move at all"
    put_text(painter, below, still, now.font("label"), now.color("muted"), LEFT)
    if not len(counts):
        return
    plot = area.adjusted(0, line + 4, 0, -2 * line - 4)
    wide = plot.width() / len(counts)
    most = float(counts.max())
    every = max(1, round(now.px(44) / wide))
    for index, count in enumerate(counts.tolist()):
        high = plot.height() * count / most
        bar = QRectF(plot.left() + index * wide, plot.bottom() - high, max(wide - 1, 1.0), high)
        painter.fillRect(bar, now.series(0))
        if (first + index) % every == 0:
            tick = QRectF(bar.center().x() - 30, plot.bottom() + 2, 60, line)
            power = text.power(first + index)
            put_text(painter, tick, power, now.font("label"), now.color("muted"))
    painter.setPen(now.pen("outline"))
    painter.drawLine(plot.bottomLeft(), plot.bottomRight())
