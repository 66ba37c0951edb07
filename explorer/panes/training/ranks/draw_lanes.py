"""Paints the lanes: a row in which each rank computes, and below it one of its exchanges."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from core.numbers import format_brief
from explorer import theme
from explorer.panes.training.ranks.scene import COMPUTE, Bar, Scene
from explorer.widgets.base import RIGHT, put_text

NAME, AXIS, GAP = 64, 22, 10  # px: the names of the ranks, the axis of time, between two lanes
ROW, TALLEST = 14, 48  # px: a row at least and at most
SERIES = {"forward": 0, "backward": 1, "optimizer": 2}
EXCHANGE_SERIES = 3


class LaneLayout:
    """Where lanes, rows and times stand in an area."""

    def __init__(self, area: QRectF, scene: Scene) -> None:
        now = theme.current()
        self.area, self.scene = area, scene
        self.left = area.left() + now.px(NAME)
        self.right = area.right() - now.px(8)
        room = area.height() - now.px(AXIS) - now.px(GAP) * max(scene.ranks - 1, 0)
        each = room / max(2 * scene.ranks, 1)
        self.row = min(max(each, now.px(ROW)), now.px(TALLEST))
        self.pitch = 2 * self.row + now.px(GAP)

    def x(self, seconds: float) -> float:
        share = seconds / self.scene.seconds if self.scene.seconds else 0.0
        return self.left + share * (self.right - self.left)

    def lane(self, rank: int) -> QRectF:
        top = self.area.top() + rank * self.pitch
        return QRectF(self.left, top, self.right - self.left, 2 * self.row)

    def rect(self, bar: Bar) -> QRectF:
        """The whole bar, its wait included."""
        top = self.lane(bar.rank).top() + bar.row * self.row
        start, end = self.x(bar.start), self.x(bar.end)
        return QRectF(start, top, max(end - start, 1.0), self.row)

    @property
    def bottom(self) -> float:
        return self.area.top() + self.scene.ranks * self.pitch - theme.current().px(GAP)

    def bar_at(self, point: QPointF) -> Bar | None:
        """The bar at a point; the shortest where several are."""
        found = [bar for bar in self.scene.bars if self.rect(bar).contains(point)]
        return min(found, key=lambda bar: bar.end - bar.start, default=None)


def color_of(bar: Bar) -> QColor:
    """Of what a rank does."""
    now = theme.current()
    if bar.row != COMPUTE:
        return now.series(EXCHANGE_SERIES)
    return now.series(SERIES[bar.kind]) if bar.kind in SERIES else now.color("muted")


def draw_lanes(painter: QPainter, layout: LaneLayout, current: int, seconds: float) -> None:
    """The lanes, the event that is looked at, and the cursor at a time."""
    now, scene = theme.current(), layout.scene
    for rank in range(scene.ranks):
        lane = layout.lane(rank)
        painter.fillRect(lane, now.color("surface"))
        name = QRectF(layout.area.left(), lane.top(), now.px(NAME) - now.px(8), layout.row)
        role = "warning" if rank == scene.straggler else "text"
        noun = "device" if scene.computed else "rank"
        put_text(painter, name, f"{noun} {rank}", now.font("body", 600), now.color(role), RIGHT)
        below = QRectF(name.left(), lane.top() + layout.row, name.width(), layout.row)
        words = "slowest" if rank == scene.straggler else "exchange"
        put_text(painter, below, words, now.font("label"), now.color("muted"), RIGHT)
    for bar in scene.bars:
        _draw_bar(painter, layout, bar, bar.event == current)
    _draw_axis(painter, layout)
    x = layout.x(seconds)
    painter.setPen(now.pen("accent", 2))
    painter.drawLine(QPointF(x, layout.area.top()), QPointF(x, layout.bottom))


def _draw_bar(painter: QPainter, layout: LaneLayout, bar: Bar, chosen: bool) -> None:
    now = theme.current()
    whole = layout.rect(bar).adjusted(0, 1, 0, -1)
    color = color_of(bar)
    ready = layout.x(bar.ready)
    painter.setPen(Qt.PenStyle.NoPen)
    if ready > whole.left() + 0.5:  # it waits for the others
        waits = QRectF(whole.left(), whole.top(), ready - whole.left(), whole.height())
        painter.fillRect(waits, now.color("raised"))
        painter.fillRect(waits, now.hatch())
    works = QRectF(max(ready, whole.left()), whole.top(), 0, whole.height())
    works.setRight(max(whole.right(), works.left() + 1.0))
    painter.fillRect(works, color)
    if chosen:
        painter.setPen(now.pen("text", 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(whole.adjusted(1, 1, -1, -1))
    metrics, room = now.metrics("label"), works.width() - now.px(4)
    words = next((w for w in (bar.label, bar.short) if metrics.horizontalAdvance(w) <= room), "")
    put_text(painter, works, words, now.font("label"), theme.ink_on(color))


def _draw_axis(painter: QPainter, layout: LaneLayout) -> None:
    now, seconds = theme.current(), layout.scene.seconds
    if seconds <= 0:
        return
    top = layout.bottom + now.px(4)
    step = _tick(seconds)
    count = int(seconds / step + 1e-9)
    for tick in range(count + 1):
        x = round(layout.x(tick * step)) + 0.5
        painter.setPen(now.pen("divider"))
        painter.drawLine(QPointF(x, layout.bottom), QPointF(x, top))
        place = QRectF(x - now.px(40), top, now.px(80), now.px(AXIS) - now.px(4))
        text = "0" if tick == 0 else format_brief(tick * step)
        put_text(painter, place, text, now.font("label"), now.color("muted"))


def _tick(seconds: float) -> float:
    """A round step of time that gives at most six ticks."""
    step = 1e-6
    while True:
        for factor in (1, 2, 5):
            if seconds / (step * factor) <= 6:
                return step * factor
        step *= 10
