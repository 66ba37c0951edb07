"""Paints a histogram over powers of two, hatched where numbers are lost, and formats' ranges."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from core.numbers import format_power
from core.training.bits import TracedNumber
from core.training.number_formats import FORMATS
from explorer import theme
from explorer.panes.training.precision import text
from explorer.panes.training.precision.scene import HIGH, LOW, POWERS, SHOWN, Scene
from explorer.widgets.base import LEFT, RIGHT, put_longest, put_text
from explorer.widgets.plots.marks import draw_diamond

NAME, LOST, TOP, AXIS, ROW = 76, 196, 24, 20, 19  # px
SOME = 0.35  # opacity of what is subnormal


class HistogramLayout:
    """The positions of powers of two, bars and windows in an area."""

    def __init__(self, area: QRectF, scene: Scene) -> None:
        now = theme.current()
        self.area, self.scene = area, scene
        self.left, self.right = area.left() + now.px(NAME), area.right() - now.px(LOST)
        self.column = (self.right - self.left) / len(POWERS)
        self.row = now.px(ROW)
        self.axis = area.bottom() - len(SHOWN) * self.row
        self.top, self.ground = area.top() + now.px(TOP), self.axis - now.px(AXIS)
        self.tallest = float(scene.shares[0].max()) or 1.0

    def x(self, power: float) -> float:
        """Returns the left edge of a power's column, clipped to the axis."""
        return self.left + (min(max(power, LOW), HIGH + 1) - LOW) * self.column

    def power_at(self, point: QPointF) -> int | None:
        power = LOW + int((point.x() - self.left) // self.column)
        inside = self.top <= point.y() < self.axis and LOW <= power <= HIGH
        return power if inside else None

    def bar(self, power: int) -> QRectF:
        high = (self.ground - self.top) * float(self.scene.shares[0, power - LOW]) / self.tallest
        high = max(high, 1.5) if high else 0.0
        return QRectF(self.x(power) + 1, self.ground - high, self.column - 2, high)

    def window(self, place: int) -> QRectF:
        top = self.axis + place * self.row
        return QRectF(self.area.left(), top, self.area.width(), self.row)

    def window_at(self, point: QPointF) -> str | None:
        found = (name for at, name in enumerate(SHOWN) if self.window(at).contains(point))
        return next(found, None)


def draw_histogram(painter: QPainter, layout: HistogramLayout, marked: TracedNumber | None) -> None:
    """Draws the histogram, over the range of the selected format."""
    now = theme.current()
    behind = QRectF(0, layout.top, 0, layout.ground - layout.top)
    colors = now.color("raised"), now.color("selected")
    _draw_reach(painter, layout, behind, layout.scene.format, *colors)
    for power in POWERS.tolist():
        _draw_bar(painter, layout, power)
    _draw_axis(painter, layout)
    for place, name in enumerate(SHOWN):
        _draw_window(painter, layout, layout.window(place), name)
    if layout.scene.is_scaled:
        _draw_handle(painter, layout, text.scale_words(layout.scene.shift))
    if marked is not None:
        _draw_marker(painter, layout, marked)


def _draw_marker(painter: QPainter, layout: HistogramLayout, number: TracedNumber) -> None:
    """Marks a number on the axis; 0 and infinity are at its ends."""
    now, ink = theme.current(), theme.current().color("accent")
    with np.errstate(divide="ignore"):
        power = float(np.log2(abs(number.value)))
    x = layout.x(power)
    painter.setPen(now.pen("accent", 2))
    painter.drawLine(QPointF(x, layout.top), QPointF(x, layout.ground))
    draw_diamond(painter, QPointF(x, layout.ground), ink, filled=True, size=5)
    is_left, wide = power < layout.scene.middle, now.px(100)
    place = QRectF(x - 6 - wide if is_left else x + 6, layout.top, wide, now.px(16))
    put_text(painter, place, number.name, now.font("label"), ink, RIGHT if is_left else LEFT)


def _draw_reach(
    painter: QPainter, layout: HistogramLayout, band: QRectF, name: str, some: QColor, all: QColor
) -> None:
    """Draws a format's range: where numbers lose some of their digits, and where none."""
    first, normal, last = map(layout.x, FORMATS[name].window)
    for start, end, color in ((first, normal, some), (normal, last, all)):
        painter.fillRect(QRectF(start, band.top(), end - start, band.height()), color)


def _draw_bar(painter: QPainter, layout: HistogramLayout, power: int) -> None:
    now, bar = theme.current(), layout.bar(power)
    share, zero, some, over = layout.scene.shares[:, power - LOW].tolist()
    if not share:
        return
    kept = bar.adjusted(0, bar.height() * (zero + some + over) / share, 0, 0)
    lost = bar.adjusted(0, 0, 0, bar.height() * ((zero + over) / share - 1))
    faint = now.series(0)
    faint.setAlphaF(SOME if some else 0)
    for area, brush in ((bar, now.color("surface")), (kept, now.series(0)), (bar, faint)):
        painter.fillRect(area, brush)
    if zero + over > 1e-9:
        hatch = now.hatch()
        hatch.setColor(now.color("warning"))
        painter.setPen(now.pen("warning", 1))
        painter.setBrush(hatch)
        painter.drawRect(lost)


def _draw_axis(painter: QPainter, layout: HistogramLayout) -> None:
    now, ground = theme.current(), layout.ground
    painter.setPen(now.pen("outline"))
    painter.drawLine(QPointF(layout.left, ground), QPointF(layout.right, ground))
    for power in POWERS[::8].tolist():
        words = format_power(power)
        words = f"≤ {words}" if power == LOW else f"≥ {words}" if power == HIGH else words
        place = QRectF(layout.x(power + 0.5) - now.px(30), ground, now.px(60), now.px(AXIS))
        put_text(painter, place, words, now.font("label"), now.color("muted"))


def _draw_window(painter: QPainter, layout: HistogramLayout, row: QRectF, name: str) -> None:
    now, is_chosen = theme.current(), name == layout.scene.format
    ink = now.color("text" if is_chosen else "muted")
    before = QRectF(row.left(), row.top(), now.px(NAME - 8), row.height())
    font = now.font("body", 600 if is_chosen else 400)
    put_text(painter, before, text.format_name(name), font, ink, RIGHT)
    some, all = (now.color("accent" if is_chosen else "outline") for _ in range(2))
    some.setAlphaF(SOME)
    all.setAlphaF(0.85)
    _draw_reach(painter, layout, row.adjusted(0, 3, 0, -3), name, some, all)
    behind = QRectF(layout.right + now.px(8), row.top(), now.px(LOST), row.height())
    lost = text.brief_losses(layout.scene.lost[name])
    put_longest(painter, behind, lost, now.font("label"), ink, LEFT)


def _draw_handle(painter: QPainter, layout: HistogramLayout, words: str) -> None:
    """Draws the handle over the center of the gradients, which are dragged with it."""
    now = theme.current()
    wide = now.metrics("label").horizontalAdvance(words) + now.px(24)
    left = layout.x(layout.scene.middle + 0.5) - wide / 2
    left = min(max(left, layout.left), layout.right - wide)
    grip = QRectF(left, layout.area.top() + 1, wide, now.px(TOP - 5))
    painter.setPen(now.pen("accent", 1.5))
    painter.setBrush(now.color("surface"))
    painter.drawRoundedRect(grip, 5, 5)
    put_text(painter, grip, words, now.font("label", 600), now.color("accent"))
