"""Ways and heads of the racers, at any position of the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPolygonF

from explorer import theme
from explorer.panes.backprop.optimizers.looks import color_of
from explorer.panes.backprop.optimizers.trail_layer import near, pens, thinned

HEAD = 5.0  # radius


@dataclass(frozen=True, eq=False)
class Way:
    """An optimizer's way in pixels: points (n, 2) up to its head, and whether it is lost."""

    name: str
    title: str
    points: np.ndarray
    lost: bool = False
    chosen: bool = False

    @property
    def head(self) -> QPointF:
        return QPointF(float(self.points[-1, 0]), float(self.points[-1, 1]))


def draw_ways(painter: QPainter, ways: Sequence[Way], size: tuple[int, int], since: int) -> None:
    """The trails from step `since` on: the last of them, or all where no pixels are kept."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    lines = []
    for way in ways:
        points = thinned(near(way.points[since:], size))
        if len(points) > 1:
            lines.append((way, QPolygonF([QPointF(x, y) for x, y in points.tolist()])))
    for place in (0, 1):
        for way, line in lines:
            painter.setPen(pens(way.name, way.chosen)[place])
            painter.drawPolyline(line)


def draw_head(painter: QPainter, way: Way) -> None:
    """A dot; a cross for one that has run away; the chosen one has a ring."""
    now = theme.current()
    head, radius = way.head, now.px(HEAD)
    if way.lost:
        painter.setPen(now.pen("surface", 5))
        _cross(painter, head, radius)
        painter.setPen(now.pen(color_of(way.name), 2.5))
        _cross(painter, head, radius)
        return
    painter.setPen(now.pen("surface", 1.5))
    painter.setBrush(color_of(way.name))
    painter.drawEllipse(head, radius + 0.5, radius + 0.5)
    if way.chosen:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("text", 1.5))
        painter.drawEllipse(head, radius + 3, radius + 3)


def _cross(painter: QPainter, at: QPointF, size: float) -> None:
    painter.drawLine(at + QPointF(-size, -size), at + QPointF(size, size))
    painter.drawLine(at + QPointF(-size, size), at + QPointF(size, -size))


def draw_pointer(painter: QPainter, way: Way, at: QPointF) -> None:
    """At the edge, to where it is out of sight."""
    away = way.head - at
    size = float(np.hypot(away.x(), away.y())) or 1.0
    ahead = QPointF(away.x() / size, away.y() / size)
    aside = QPointF(-ahead.y(), ahead.x())
    corners = [at + ahead * 6, at - ahead * 4 + aside * 5, at - ahead * 4 - aside * 5]
    painter.setPen(theme.current().pen("surface", 1))
    painter.setBrush(color_of(way.name))
    painter.drawPolygon(QPolygonF(corners))
