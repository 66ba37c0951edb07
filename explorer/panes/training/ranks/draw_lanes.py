"""Paints the lanes: a row in which each rank computes, and below it one of its exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from core.numbers import format_brief
from core.trace import Step
from core.training.lane_trace import LaneTrace
from explorer import theme
from explorer.widgets.base import RIGHT, put_text

NAME, AXIS, GAP = 64, 22, 10  # px: the names of the ranks, the axis of time, between two lanes
ROW, TALLEST = 14, 48  # px: a row at least and at most
TICKS = 6  # at most
SERIES = {"forward": 0, "backward": 1, "optimizer": 2}
EXCHANGE_SERIES = 3


class LaneLayout:
    """Where lanes, rows and bars stand in an area."""

    def __init__(self, area: QRectF, lanes: LaneTrace) -> None:
        now = theme.current()
        self.area, self.lanes = area, lanes
        self.left = area.left() + now.px(NAME)
        self.right = area.right() - now.px(8)
        room = area.height() - now.px(AXIS) - now.px(GAP) * max(lanes.ranks - 1, 0)
        each = room / max(2 * lanes.ranks, 1)
        self.row = min(max(each, now.px(ROW)), now.px(TALLEST))
        self.pitch = 2 * self.row + now.px(GAP)
        self.bottom = area.top() + lanes.ranks * self.pitch - now.px(GAP)
        bars = lanes.bars
        tops = area.top() + bars["rank"] * self.pitch + bars["exchange"] * self.row
        edges = (self.x(bars[name]) for name in ("start", "ready", "end"))
        self._bars = np.stack([tops, *edges], axis=-1).tolist()

    def x(self, seconds: Any) -> Any:
        """Of a time, or of an array of times."""
        return self.left + seconds * ((self.right - self.left) / max(self.lanes.seconds, 1e-12))

    def lane(self, rank: int) -> QRectF:
        top = self.area.top() + rank * self.pitch
        return QRectF(self.left, top, self.right - self.left, 2 * self.row)

    def rect(self, bar: int) -> QRectF:
        """The whole bar, its wait included."""
        top, start, _, end = self._bars[bar]
        return QRectF(start, top, max(end - start, 1.0), self.row)

    def ready(self, bar: int) -> float:
        """Where its wait ends."""
        return self._bars[bar][2]

    def bar_at(self, point: QPointF) -> int | None:
        """The bar at a point; the shortest where several are."""
        found = [bar for bar in range(len(self._bars)) if self.rect(bar).contains(point)]
        return min(found, key=lambda bar: self.rect(bar).width(), default=None)

    def cursor(self, position: float) -> float:
        """Where the cursor is: it moves from the start of a Step to that of the next one."""
        trace = self.lanes.trace
        starts = [step.start for step in trace] + [trace[len(trace) - 1].end]
        return self.x(float(np.interp(position, range(len(starts)), starts)))


def draw_lanes(painter: QPainter, layout: LaneLayout, position: float) -> None:
    """The lanes, the Step under the cursor, and the cursor itself."""
    now, lanes = theme.current(), layout.lanes
    for rank in range(lanes.ranks):
        lane, slowest = layout.lane(rank), rank == lanes.straggler
        painter.fillRect(lane, now.color("surface"))
        name = QRectF(layout.area.left(), lane.top(), now.px(NAME) - now.px(8), layout.row)
        color = now.color("warning" if slowest else "text")
        put_text(painter, name, f"{lanes.noun} {rank}", now.font("body", 600), color, RIGHT)
        words = "slowest" if slowest else "exchange"
        below = name.translated(0, layout.row)
        put_text(painter, below, words, now.font("label"), now.color("muted"), RIGHT)
    looks = [_look(step, label) for step, label in zip(lanes.trace, lanes.labels, strict=True)]
    places = lanes.bars["place"]
    for bar, place in enumerate(places.tolist()):
        _draw_bar(painter, layout, bar, *looks[place])
    painter.setPen(now.pen("text", 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for bar in np.flatnonzero(places == min(int(position), len(looks) - 1)).tolist():
        painter.drawRect(layout.rect(bar).adjusted(1, 2, -1, -2))
    _draw_axis(painter, layout)
    x = layout.cursor(position)
    painter.setPen(now.pen("accent", 2))
    painter.drawLine(QPointF(x, layout.area.top()), QPointF(x, layout.bottom))


def _look(step: Step, label: str) -> tuple[QColor, dict[str, float]]:
    """The color of a Step's bars, and what may stand in them with its width: its label, or the
    number in it.
    """
    now, kind = theme.current(), step.name.partition(".")[2]
    series = EXCHANGE_SERIES if step.lane == "exchange" else SERIES.get(kind)
    color = now.color("muted") if series is None else now.series(series)
    last = label.rpartition(" ")[2]
    words = (label, last) if last.isdecimal() else (label,)
    return color, {one: now.metrics("label").horizontalAdvance(one) for one in words}


def _draw_bar(
    painter: QPainter, layout: LaneLayout, bar: int, color: QColor, words: Mapping[str, float]
) -> None:
    now = theme.current()
    whole = layout.rect(bar).adjusted(0, 1, 0, -1)
    ready = max(layout.ready(bar), whole.left())
    if ready > whole.left() + 0.5:  # it waits for the others
        waits = QRectF(whole.left(), whole.top(), ready - whole.left(), whole.height())
        painter.fillRect(waits, now.color("raised"))
        painter.fillRect(waits, now.hatch())
    wide = max(whole.right() - ready, 1.0)
    works = QRectF(ready, whole.top(), wide, whole.height())
    painter.fillRect(works, color)
    fits = next((one for one, needed in words.items() if needed <= wide - now.px(4)), "")
    if fits:
        put_text(painter, works, fits, now.font("label"), theme.ink_on(color))


def _draw_axis(painter: QPainter, layout: LaneLayout) -> None:
    now, seconds = theme.current(), layout.lanes.seconds
    top = layout.bottom + now.px(4)
    rough = np.log10(seconds / TICKS)
    powers = 10.0 ** np.floor(rough) * np.array([1, 2, 5, 10])
    step = float(powers[powers >= 10.0**rough * (1 - 1e-9)][0])
    for tick in range(int(seconds / step + 1e-9) + 1):
        x = round(layout.x(tick * step)) + 0.5
        painter.setPen(now.pen("divider"))
        painter.drawLine(QPointF(x, layout.bottom), QPointF(x, top))
        place = QRectF(x - now.px(40), top, now.px(80), now.px(AXIS) - now.px(4))
        said = format_brief(tick * step) if tick else "0"
        put_text(painter, place, said, now.font("label"), now.color("muted"))
