"""What the chosen optimizer is told and remembers, at its head: arrows, and bars for squares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from explorer import theme
from explorer.panes.backprop.optimizers.draw_trails import Way
from explorer.panes.backprop.optimizers.looks import color_of
from explorer.widgets.base import put_text

LONGEST, SHORTEST = 84.0, 10.0  # pixels


@dataclass(frozen=True)
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


def length_of(size: float, largest: float) -> float:
    """Pixels: by the logarithm, for slopes differ by thousands in one race; 0 for nothing."""
    if not (size > 0 and largest > 0 and math.isfinite(size)):
        return 0.0
    decades = max(0.0, 4 + np.log10(size / largest)) / 4
    return SHORTEST + (LONGEST - SHORTEST) * float(min(1.0, decades))


def draw_arrows(painter: QPainter, arrows: Arrows, way: Way) -> None:
    now = theme.current()
    head = way.head
    if arrows.second is not None:
        _draw_bars(painter, arrows, head)
    _draw(painter, head, arrows.downhill, arrows, 0, now.color("text"))
    if arrows.first is not None:
        _draw(painter, head, arrows.first, arrows, 1, color_of(way.name))


def _draw(
    painter: QPainter, head: QPointF, vector: np.ndarray, arrows: Arrows, place: int, color: QColor
) -> None:
    size = math.hypot(*vector)
    if not math.isfinite(size):
        return
    long = length_of(size, arrows.largest) * theme.current().zoom
    if long < 2:
        return
    unit = np.array([vector[0], -vector[1]]) / size
    tip = QPointF(head.x() + unit[0] * long, head.y() + unit[1] * long)
    now = theme.current()
    for ink, width in ((now.color("surface"), 5.0), (color, 2.0)):
        painter.setPen(now.pen(ink, width))
        painter.drawLine(head, tip)
        _point(painter, tip, unit, ink, 2 if width > 3 else 0)
    letter = arrows.letters[place]
    wide = now.metrics("label", 600).horizontalAdvance(letter) + 4
    at = QPointF(tip.x() + unit[0] * (6 + wide / 2), tip.y() + unit[1] * 10)
    box = QRectF(at.x() - wide / 2, at.y() - 7, wide, 14)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("surface", 0.8))
    painter.drawRoundedRect(box, 3, 3)
    put_text(painter, box, letter, now.font("label", 600), color)


def _point(painter: QPainter, tip: QPointF, unit: np.ndarray, color: QColor, grow: float) -> None:
    across = np.array([-unit[1], unit[0]])
    size = 7.0 + grow
    back = np.array([tip.x(), tip.y()]) - unit * size
    corners = [np.array([tip.x(), tip.y()]) + unit * (1 + grow)]
    corners += [back + across * size * 0.55, back - across * size * 0.55]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))


def _draw_bars(painter: QPainter, arrows: Arrows, head: QPointF) -> None:
    """How large the slope has been in x and in y: bars both ways, which share out the step."""
    assert arrows.second is not None
    now = theme.current()
    for axis in (0, 1):
        size = float(arrows.second[axis])
        half = length_of(size, arrows.largest) / 2 * now.zoom
        if half < 1:
            continue
        along = QPointF(half, 0) if axis == 0 else QPointF(0, half)
        across = QPointF(0, 4) if axis == 0 else QPointF(4, 0)
        for ink, width in ((now.color("surface"), 4.0), (now.color("muted"), 1.5)):
            painter.setPen(now.pen(ink, width))
            painter.drawLine(head - along, head + along)
            for end in (head - along, head + along):
                painter.drawLine(end - across, end + across)
