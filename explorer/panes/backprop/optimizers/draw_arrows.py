"""What the chosen optimizer is told and remembers, at its head: arrows, and bars for squares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from explorer import theme
from explorer.panes.backprop.optimizers.draw_trails import Way
from explorer.panes.backprop.optimizers.looks import color_of

LONGEST, SHORTEST = 84.0, 10.0  # pixels
DECADES = 4.0
CAP = 4.0  # half of what closes a bar


@dataclass(frozen=True, eq=False)
class Arrows:
    """At a place of the race, all (2,): downhill is minus the gradient; `first` points to where the
    average or velocity leads; `second` is the root of the average square.

    largest  the longest of these in the whole race
    """

    downhill: np.ndarray
    first: np.ndarray | None
    second: np.ndarray | None
    letters: tuple[str, str, str]
    largest: float


@dataclass(frozen=True, eq=False)
class Stroke:
    """A line in pixels from where it begins, with a point or with bars across both its ends.

    letter  what it is; "" where another one says it
    """

    begin: np.ndarray
    end: np.ndarray
    color: QColor
    pointed: bool
    letter: str

    @property
    def angle(self) -> float:
        """Of its direction, in pixels: down is positive."""
        return math.atan2(*(self.end - self.begin)[::-1])


def length_of(size: float, largest: float) -> float:
    """Pixels: by the logarithm, for slopes differ by thousands in one race; 0 for what is smaller
    than the largest by DECADES, as bars are.
    """
    if not (size > 0 and largest > 0 and math.isfinite(size)):
        return 0.0
    share = 1 + math.log10(size / largest) / DECADES if size < largest else 1.0
    return SHORTEST + (LONGEST - SHORTEST) * share if share > 0 else 0.0


def strokes_of(arrows: Arrows, way: Way) -> list[Stroke]:
    """Bars first, arrows over them."""
    now = theme.current()
    head = way.points[-1]
    found = [] if arrows.second is None else _bars(arrows, head)
    for vector, letter, color in (
        (arrows.downhill, arrows.letters[0], now.color("text")),
        (arrows.first, arrows.letters[1], color_of(way.name)),
    ):
        size = 0.0 if vector is None else math.hypot(*vector)
        long = length_of(size, arrows.largest) * now.zoom
        if vector is not None and long >= 2:
            unit = np.array([vector[0], -vector[1]]) / size
            found.append(Stroke(head, head + unit * long, color, True, letter))
    return found


def _bars(arrows: Arrows, head: np.ndarray) -> list[Stroke]:
    """How large the slope has been in x and in y: bars both ways, which share out the step. The
    longer one has the letter.
    """
    assert arrows.second is not None
    now = theme.current()
    halves = [length_of(float(size), arrows.largest) / 2 * now.zoom for size in arrows.second]
    found = []
    for axis, half in enumerate(halves):
        if half < 1:
            continue
        along = np.array([half, 0.0] if axis == 0 else [0.0, -half])
        letter = arrows.letters[2] if half == max(halves) else ""
        if axis and halves[0] == half:
            letter = ""
        found.append(Stroke(head - along, head + along, now.color("muted"), False, letter))
    return found


def draw_strokes(painter: QPainter, strokes: Sequence[Stroke]) -> None:
    """Each with an edge in the map's own color."""
    now = theme.current()
    for stroke in strokes:
        begin, end = QPointF(*stroke.begin), QPointF(*stroke.end)
        unit = (stroke.end - stroke.begin) / max(1e-9, math.hypot(*(stroke.end - stroke.begin)))
        edge, line = (5.0, 2.0) if stroke.pointed else (4.0, 1.5)
        for ink, width in ((now.color("surface"), edge), (stroke.color, line)):
            painter.setPen(now.pen(ink, width))
            painter.drawLine(begin, end)
            if stroke.pointed:
                _point(painter, stroke.end, unit, ink, 2 if width == edge else 0)
                continue
            across = QPointF(-unit[1], unit[0]) * CAP
            for at in (begin, end):
                painter.drawLine(at + across, at - across)


def _point(
    painter: QPainter, tip: np.ndarray, unit: np.ndarray, color: QColor, grow: float
) -> None:
    across = np.array([-unit[1], unit[0]])
    size = 7.0 + grow
    back = tip - unit * size
    corners = [tip + unit * (1 + grow)]
    corners += [back + across * size * 0.55, back - across * size * 0.55]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
