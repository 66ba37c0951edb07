"""Paints a histogram over powers of two, what a format loses of it hatched, and below it the
windows of the formats.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.training.precision import text
from explorer.panes.training.precision.scene import HIGH, LOW, HistogramScene
from explorer.widgets.base import LEFT, RIGHT, put_text
from explorer.widgets.plots.marks import draw_diamond

NAME, FATE, TOP, AXIS, ROW = 76, 124, 24, 20, 19  # px
COUNT = HIGH - LOW + 1
SOME = 0.35  # opacity of what loses digits


@dataclass(frozen=True)
class Marker:
    """A single number on the axis."""

    power: float
    words: str


class HistogramLayout:
    """Where powers of two, bars and windows stand in an area."""

    def __init__(self, area: QRectF, scene: HistogramScene) -> None:
        now = theme.current()
        self.area, self.scene = area, scene
        self.left, right = area.left() + now.px(NAME), area.right() - now.px(FATE)
        self.column = (right - self.left) / COUNT
        self.row = now.px(ROW)
        self.axis = area.bottom() - len(scene.windows) * self.row
        self.ground = self.axis - now.px(AXIS)
        self.top = area.top() + now.px(TOP)

    def x(self, power: float) -> float:
        """The left edge of a power's column; what lies beyond is at an end."""
        return self.left + (min(max(power, LOW), HIGH + 1) - LOW) * self.column

    def power_at(self, point: QPointF) -> int | None:
        power = LOW + int((point.x() - self.left) // self.column)
        inside = self.top <= point.y() < self.axis and LOW <= power <= HIGH
        return power if inside else None

    def bar(self, power: int, share: float = 1.0) -> QRectF:
        """A bar, or the part of it from the ground up."""
        tallest = float(self.scene.shares.max()) or 1.0
        height = (self.ground - self.top) * float(self.scene.shares[power - LOW]) / tallest * share
        return QRectF(self.x(power) + 1, self.ground - height, self.column - 2, height)

    def window(self, place: int) -> QRectF:
        top = self.axis + place * self.row
        return QRectF(self.area.left(), top, self.area.width(), self.row)

    def window_at(self, point: QPointF) -> str | None:
        for place, window in enumerate(self.scene.windows):
            if self.window(place).contains(point):
                return window.name
        return None


def draw_histogram(
    painter: QPainter, layout: HistogramLayout, handle: str, marker: Marker | None
) -> None:
    """`handle`: what the handle says by which all are multiplied; "" for none."""
    now, scene = theme.current(), layout.scene
    _draw_chosen_window(painter, layout)
    ink = now.series(0)
    for power in range(LOW, HIGH + 1):
        whole = layout.bar(power)
        if whole.height() <= 0:
            continue
        whole.setTop(min(whole.top(), layout.ground - 1.5))
        zero, some, over = (float(part) for part in scene.lost[:, power - LOW])
        share = float(scene.shares[power - LOW])
        painter.fillRect(whole, now.color("surface"))
        kept = max(share - zero - some - over, 0.0) / share
        painter.fillRect(layout.bar(power, kept), ink)
        faint = now.series(0)
        faint.setAlphaF(SOME)
        if some:
            painter.fillRect(whole, faint)
        if zero + over > 1e-9:
            lost = QRectF(whole.left(), whole.top(), whole.width(), whole.height() * (1 - kept))
            pen = now.pen("warning", 1)
            brush = now.hatch()
            brush.setColor(now.color("warning"))
            painter.setPen(pen)
            painter.setBrush(brush)
            painter.drawRect(lost)
    _draw_axis(painter, layout)
    for place in range(len(scene.windows)):
        _draw_window(painter, layout, place)
    if handle:
        _draw_handle(painter, layout, handle)
    if marker is not None:
        x = layout.x(marker.power)
        painter.setPen(now.pen("accent", 2))
        painter.drawLine(QPointF(x, layout.top), QPointF(x, layout.ground))
        draw_diamond(painter, QPointF(x, layout.ground), now.color("accent"), filled=True, size=5)
        before, wide = marker.power < scene.middle, now.px(100)
        place = QRectF(x - 6 - wide if before else x + 6, layout.top, wide, now.px(16))
        ink, side = now.color("accent"), RIGHT if before else LEFT
        put_text(painter, place, marker.words, now.font("label"), ink, side)


def _draw_chosen_window(painter: QPainter, layout: HistogramLayout) -> None:
    """Behind the bars, as far as the chosen format reaches."""
    now, window = theme.current(), layout.scene.window
    for first, role in ((window.first, "raised"), (window.normal, "selected")):
        left = layout.x(first)
        wide = layout.x(window.last) - left
        place = QRectF(left, layout.top, wide, layout.ground - layout.top)
        painter.fillRect(place, now.color(role))


def _draw_axis(painter: QPainter, layout: HistogramLayout) -> None:
    now = theme.current()
    painter.setPen(now.pen("outline"))
    end = layout.x(HIGH + 1)
    painter.drawLine(QPointF(layout.left, layout.ground), QPointF(end, layout.ground))
    for power in range(LOW, HIGH + 1, 8):
        middle = layout.x(power) + layout.column / 2
        words = text.power_text(power)
        words = f"≤ {words}" if power == LOW else f"≥ {words}" if power == HIGH else words
        place = QRectF(middle - now.px(30), layout.ground, now.px(60), now.px(AXIS))
        put_text(painter, place, words, now.font("label"), now.color("muted"))


def _draw_window(painter: QPainter, layout: HistogramLayout, place: int) -> None:
    now, window = theme.current(), layout.scene.windows[place]
    row, chosen = layout.window(place), window.name == layout.scene.format
    ink = now.color("text" if chosen else "muted")
    font = now.font("body", 600 if chosen else 400)
    name = QRectF(row.left(), row.top(), now.px(NAME) - now.px(8), row.height())
    put_text(painter, name, text.format_name(window.name), font, ink, RIGHT)
    band = row.adjusted(0, 3, 0, -3)
    color = now.color("accent" if chosen else "outline")
    for first, last, alpha in (
        (window.normal, window.last, 0.85),
        (window.first, window.normal, SOME),
    ):
        part = QRectF(layout.x(first), band.top(), 0, band.height())
        part.setRight(layout.x(last))
        color.setAlphaF(alpha)
        painter.fillRect(part, color)
    fate = QRectF(layout.x(HIGH + 1) + now.px(8), row.top(), now.px(FATE), row.height())
    put_text(painter, fate, text.brief_loss(window.lost), now.font("label"), ink, LEFT)


def _draw_handle(painter: QPainter, layout: HistogramLayout, words: str) -> None:
    """Over the middle of the gradients: it is dragged, and they are with it."""
    now = theme.current()
    x = layout.x(layout.scene.middle + 0.5)
    wide = now.metrics("label").horizontalAdvance(words) + now.px(24)
    left = min(max(x - wide / 2, layout.left), layout.x(HIGH + 1) - wide)
    grip = QRectF(left, layout.area.top() + 1, wide, layout.top - layout.area.top() - now.px(5))
    painter.setPen(now.pen("accent", 1.5))
    painter.setBrush(now.color("surface"))
    painter.drawRoundedRect(grip, 5, 5)
    put_text(painter, grip, words, now.font("label", 600), now.color("accent"))
    painter.setPen(Qt.PenStyle.NoPen)
