"""Paints the lanes: for each rank a row of its work, and below it one of its exchanges."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter

from core.numbers import format_brief
from core.training.lane_trace import LaneTrace
from core.training.spans import STEP_PHASES
from explorer import theme
from explorer.panes.training.ranks import text
from explorer.widgets.base import LEFT, RIGHT, put_longest, put_text
from explorer.widgets.legend import put_legend
from explorer.widgets.plots.math import linear_ticks

LEGEND, AXIS, GAP = 22, 22, 10  # px: above the lanes, below them, between two lanes
ROW, TALLEST, READABLE = 6, 120, 13  # px: least and greatest height of a row, least one for words
NAME, END = 72, 96  # px: left of the lanes, right of lanes that have ended
TICKS = 5  # approximate number
EDGES = ("start", "ready", "end")
SERIES = {"forward": 0, "backward": 1, "optimizer": 2}
EXCHANGE_SERIES = 3


def least_height(ranks: int) -> int:
    """Returns the height in px, at zoom 1, at which so many lanes are distinguishable."""
    return LEGEND + AXIS + ranks * (2 * ROW + GAP // 2)


class LaneLayout:
    """The positions of lanes, rows and bars in an area."""

    def __init__(self, area: QRectF, lanes: LaneTrace) -> None:
        now = theme.current()
        self.area, self.lanes = area, lanes
        self.left = area.left() + now.px(NAME)
        self.right = area.right() - now.px(END if lanes.ends else 8)
        self.top = area.top() + now.px(LEGEND)
        ranks = max(lanes.ranks, 1)
        room = area.bottom() - now.px(AXIS) - self.top
        gap = min(float(now.px(GAP)), room / ranks / 5)
        each = (room - gap * (ranks - 1)) / ranks / 2
        self.row = min(max(each, now.px(ROW)), now.px(TALLEST))
        self.pitch = 2 * self.row + gap
        self.bottom = self.top + ranks * self.pitch - gap
        bars = lanes.bars
        tops = self.top + bars["rank"] * self.pitch + bars["exchange"] * self.row
        edges = (self.x(bars[name]) for name in EDGES)
        self._bars = np.stack([tops, *edges], axis=-1).tolist()

    @property
    def is_readable(self) -> bool:
        """Whether words fit into a row."""
        return self.row >= theme.current().px(READABLE)

    def x(self, seconds: Any) -> Any:
        """Returns the x of a time, or of an array of times."""
        return self.left + seconds * ((self.right - self.left) / max(self.lanes.seconds, 1e-12))

    def lane(self, rank: int) -> QRectF:
        top = self.top + rank * self.pitch
        return QRectF(self.left, top, self.right - self.left, 2 * self.row)

    def rect(self, bar: int, first: str = "start", last: str = "end") -> QRectF:
        """Returns the box of a bar: its rank waits from "start" to "ready" and works from then to
        "end". Boxes of nonzero duration are at least one pixel wide.
        """
        top, *edges = self._bars[bar]
        x, end = edges[EDGES.index(first)], edges[EDGES.index(last)]
        return QRectF(x, top, max(end - x, 1.0) if end > x else 0.0, self.row)

    def bar_at(self, point: QPointF) -> int | None:
        """Returns the bar at a point, or None; the shortest if several overlap."""
        found = [bar for bar in range(len(self._bars)) if self.rect(bar).contains(point)]
        return min(found, key=lambda bar: self.rect(bar).width(), default=None)

    def cursor(self, position: float) -> float:
        """Returns the x of the cursor, which moves from the start of a Step to that of the next."""
        trace = self.lanes.trace
        starts = [step.start for step in trace] + [trace[len(trace) - 1].end]
        return self.x(float(np.interp(position, range(len(starts)), starts)))


def draw_lanes(painter: QPainter, layout: LaneLayout, position: float) -> None:
    """Draws the lanes, the Step under the cursor, and the cursor."""
    now, lanes = theme.current(), layout.lanes
    _draw_legend(painter, layout)
    for rank in range(lanes.ranks):
        painter.fillRect(layout.lane(rank), now.color("surface"))
        _draw_names(painter, layout, rank)
    for bar in range(len(lanes.bars)):
        _draw_wait(painter, layout, bar)
    for bar in range(len(lanes.bars)):
        _draw_work(painter, layout, bar)
    painter.setPen(now.pen("text", 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    current = min(int(position), len(lanes.trace) - 1)
    for bar in np.flatnonzero(lanes.bars["place"] == current).tolist():
        first = "start" if lanes.bars["exchange"][bar] else "ready"
        if (marked := layout.rect(bar, first)).width():
            painter.drawRect(marked.adjusted(1, 2, -1, -2))
    _draw_axis(painter, layout)
    x = layout.cursor(position)
    painter.setPen(now.pen("accent", 2))
    painter.drawLine(QPointF(x, layout.top), QPointF(x, layout.bottom))


def color_of(kind: str) -> QColor:
    """Returns the color of an activity. Gathers, which bring weights, are the palest exchanges."""
    now = theme.current()
    if kind in SERIES:
        return now.series(SERIES[kind])
    if kind in STEP_PHASES or kind == "sum":
        return now.color("muted")
    color = now.series(EXCHANGE_SERIES)
    return theme.mix(color, now.color("surface"), 0.5) if kind == "all-gather" else color


def _draw_wait(painter: QPainter, layout: LaneLayout, bar: int) -> None:
    """Draws the wait of a bar, hatched; an exchange may wait at the same time."""
    now, lanes = theme.current(), layout.lanes
    wait = layout.rect(bar, "start", "ready").adjusted(0, 1, 0, -1)
    painter.fillRect(wait, now.color("raised"))
    painter.fillRect(wait, now.hatch())
    if layout.is_readable and not lanes.bars["exchange"][bar]:
        put_longest(painter, wait, (text.waits(lanes),), now.font("label"), now.color("text"))


def _draw_work(painter: QPainter, layout: LaneLayout, bar: int) -> None:
    """Draws the work of a bar, with a label if there is room."""
    place = int(layout.lanes.bars["place"][bar])
    work = layout.rect(bar, "ready", "end").adjusted(0, 1, 0, -1)
    color, words = color_of(layout.lanes.kinds[place]), layout.lanes.words(place)
    painter.fillRect(work, color)
    if layout.is_readable:
        put_longest(painter, work, words, theme.current().font("label"), theme.ink_on(color))


def _draw_legend(painter: QPainter, layout: LaneLayout) -> None:
    """Draws the legend of the colors in one line."""
    now, lanes = theme.current(), layout.lanes
    kinds: dict[str, list[str]] = {}
    for name in dict.fromkeys(lanes.kinds):
        kinds.setdefault(color_of(name).name(), []).append(name)
    entries = [(", ".join(names), QColor(color)) for color, names in kinds.items()]
    line = QRectF(layout.area.topLeft(), QSizeF(layout.area.width(), now.px(LEGEND - 6)))
    put_legend(painter, line, [*entries, (text.waits(lanes), None)])


def _draw_names(painter: QPainter, layout: LaneLayout, rank: int) -> None:
    """Draws a lane's name on its left, and how its rank ended on its right."""
    now, lanes, lane = theme.current(), layout.lanes, layout.lane(rank)
    slowest, label = rank == lanes.straggler, now.font("label")
    wide, tall = now.px(NAME - 8), layout.row if layout.is_readable else lane.height()
    name = QRectF(layout.area.left(), lane.top(), wide, tall)
    ink = now.color("warning" if slowest else "text")
    if slowest and layout.row >= now.px(2 * READABLE):
        put_text(painter, name.translated(0, now.px(14)), text.SLOWEST, label, ink, RIGHT)
    put_text(painter, name, f"{lanes.noun} {rank}", now.font("body", 600), ink, RIGHT)
    if layout.is_readable:
        below = name.translated(0, layout.row)
        put_text(painter, below, "exchange", label, now.color("muted"), RIGHT)
    if (end := lanes.ends.get(rank)) is not None:
        color = now.color("error" if end.is_cause else "muted")
        painter.fillRect(QRectF(lane.right(), lane.top(), now.px(3), lane.height()), color)
        place = QRectF(lane.right() + now.px(10), lane.top(), now.px(END), lane.height())
        put_text(painter, place, end.how, now.font("body", 600), color, LEFT)


def _draw_axis(painter: QPainter, layout: LaneLayout) -> None:
    now, seconds = theme.current(), layout.lanes.seconds
    top = layout.bottom + now.px(4)
    for tick in linear_ticks(0.0, seconds, TICKS):
        x = round(layout.x(tick)) + 0.5
        painter.setPen(now.pen("divider"))
        painter.drawLine(QPointF(x, layout.bottom), QPointF(x, top))
        place = QRectF(x - now.px(40), top, now.px(80), now.px(AXIS) - now.px(4))
        place.moveRight(min(place.right(), layout.area.right() + now.px(20)))
        said = format_brief(tick) if tick else "0"
        put_text(painter, place, said, now.font("label"), now.color("muted"))
