"""Paints the optimizers' trails and heads, at any position of the cursor.

A trail only grows, and Qt takes milliseconds for a long antialiased line that crosses itself. So
finished steps are cached as pixels, and each frame adds only the new ones; if time runs out, the
rest is painted coarsely until there is enough.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap, QPolygonF

from explorer import theme
from explorer.panes.backprop.optimizers.line_style import color_of, is_dashed, trail_pen
from explorer.theme import device_pixmap

HEAD = 5.0  # px: radius
PIECE = 8  # steps per painted line
BUDGET = 0.003  # seconds per frame for new steps while the cursor moves
NEAR = 0.5  # pixels: points nearer to the previous one are left out
WIDTH, CHOSEN, EDGE = 2.0, 3.0, 2.4


@dataclass(frozen=True, eq=False)
class Trail:
    """An optimizer's path in pixels, points (n, 2) up to its head, and whether it has diverged."""

    name: str
    title: str
    points: np.ndarray
    lost: bool = False
    chosen: bool = False

    @property
    def head(self) -> QPointF:
        return QPointF(*self.points[-1].tolist())


class TrailLayer:
    """Caches the finished steps of all trails as pixels."""

    def __init__(self) -> None:
        self.key: Hashable = None
        self._edges = QPixmap()
        self._lines = QPixmap()
        self.points: dict[str, np.ndarray] = {}
        self._along: dict[str, np.ndarray] = {}
        self.done = 0  # number of painted steps

    def draw(
        self,
        painter: QPainter,
        key: Hashable,
        points: Mapping[str, np.ndarray],
        step: int,
        *,
        size: tuple[int, int],
        ratio: float,
        chosen: str,
        hurried: bool,
    ) -> bool:
        """Paints the trails up to a step; returns False if a part of them is still coarse.

        points  each optimizer's whole path (n, 2) in pixels, by name
        key     everything on which points, size and look depend
        """
        if key != self.key or step < self.done:
            self._begin(key, points, size, ratio)
        self._grow(step, chosen, hurried)
        painter.drawPixmap(0, 0, self._edges)
        painter.drawPixmap(0, 0, self._lines)
        if self.done < step:
            self._draw_coarsely(painter, step)
        return self.done >= step

    def _begin(
        self,
        key: Hashable,
        points: Mapping[str, np.ndarray],
        size: tuple[int, int],
        ratio: float,
    ) -> None:
        self._edges = device_pixmap(*size, ratio)
        self._lines = device_pixmap(*size, ratio)
        if key != self.key:
            self.points = {name: near(path, size) for name, path in points.items()}
            self._along = {name: _lengths(path) for name, path in self.points.items()}
        self.key, self.done = key, 0

    def _grow(self, step: int, chosen: str, hurried: bool) -> None:
        if self.done >= step:
            return
        until = time.perf_counter() + BUDGET
        edges, lines = QPainter(self._edges), QPainter(self._lines)
        for painter in (edges, lines):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        while self.done < step:
            last = min(step, (self.done // PIECE + 1) * PIECE)
            for name in self.points:
                self._draw_piece(edges, lines, name, last, name == chosen)
            self.done = last
            if hurried and time.perf_counter() > until:
                break
        edges.end()
        lines.end()

    def _draw_piece(
        self, edges: QPainter, lines: QPainter, name: str, last: int, chosen: bool
    ) -> None:
        piece = thinned(self.points[name][self.done : last + 1])
        if len(piece) < 2:
            return
        line = polyline(piece)
        edge, pen = pens(name, chosen)
        if is_dashed(name):
            pen = QPen(pen)
            pen.setDashOffset(float(self._along[name][self.done]) / pen.widthF())
        edges.setPen(edge)
        edges.drawPolyline(line)
        lines.setPen(pen)
        lines.drawPolyline(line)

    def _draw_coarsely(self, painter: QPainter, step: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for name, path in self.points.items():
            painter.setPen(trail_pen(name, WIDTH))
            rest = path[self.done : step + 1 : max(1, (step - self.done) // 150)]
            painter.drawPolyline(polyline(rest))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def draw_trails(
    painter: QPainter, trails: Sequence[Trail], size: tuple[int, int], since: int
) -> None:
    """Draws the trails from step `since` on: the current step, or all steps without a cache."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    lines = []
    for trail in trails:
        points = thinned(near(trail.points[since:], size))
        if len(points) > 1:
            lines.append((trail, polyline(points)))
    for layer in (0, 1):
        for trail, line in lines:
            painter.setPen(pens(trail.name, trail.chosen)[layer])
            painter.drawPolyline(line)


def draw_preview(painter: QPainter, name: str, points: np.ndarray, size: tuple[int, int]) -> None:
    """Draws an optimizer's future path as a thin line."""
    painter.setPen(trail_pen(name, 1.0))
    painter.drawPolyline(polyline(thinned(near(points, size))))


def draw_head(painter: QPainter, trail: Trail, frame: QRectF) -> None:
    """Draws an optimizer's head: a dot, with a ring if selected; a cross if it diverged; an
    arrowhead at the edge of the frame if it is out of view.
    """
    now = theme.current()
    head, radius = trail.head, now.px(HEAD)
    if not frame.contains(head):
        _draw_pointer(painter, trail, at_edge(head, frame))
        return
    if trail.lost:
        for ink, width in ((now.color("surface"), 5), (color_of(trail.name), 2.5)):
            painter.setPen(now.pen(ink, width))
            for corner in (QPointF(radius, radius), QPointF(radius, -radius)):
                painter.drawLine(head - corner, head + corner)
        return
    painter.setPen(now.pen("surface", 1.5))
    painter.setBrush(color_of(trail.name))
    painter.drawEllipse(head, radius + 0.5, radius + 0.5)
    if trail.chosen:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("text", 1.5))
        painter.drawEllipse(head, radius + 3, radius + 3)


def at_edge(head: QPointF, frame: QRectF) -> QPointF:
    """Returns the point where the line from the center to a head out of view leaves the frame."""
    inner = frame.adjusted(8, 8, -8, -8)
    away = head - inner.center()
    beyond = max(2 * abs(away.x()) / inner.width(), 2 * abs(away.y()) / inner.height(), 1e-9)
    return inner.center() + away / beyond


def _draw_pointer(painter: QPainter, trail: Trail, at: QPointF) -> None:
    away = trail.head - at
    size = float(np.hypot(away.x(), away.y())) or 1.0
    ahead = QPointF(away.x() / size, away.y() / size)
    aside = QPointF(-ahead.y(), ahead.x())
    corners = [at + ahead * 6, at - ahead * 4 + aside * 5, at - ahead * 4 - aside * 5]
    painter.setPen(theme.current().pen("surface", 1))
    painter.setBrush(color_of(trail.name))
    painter.drawPolygon(QPolygonF(corners))


def pens(name: str, chosen: bool) -> tuple[QPen, QPen]:
    """Returns the pens of a trail's outline and line. The outline has the map's color, so that the
    trail stands out from level lines.
    """
    return _pens(name, chosen, theme.current().name)


@lru_cache(maxsize=64)
def _pens(name: str, chosen: bool, in_theme: str) -> tuple[QPen, QPen]:
    now = theme.current()
    width = CHOSEN if chosen else WIDTH
    edge = now.pen(now.color("surface", 0.7), width + EDGE)
    edge.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    edge.setCapStyle(Qt.PenCapStyle.RoundCap)
    return edge, trail_pen(name, width)


def near(points: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Clips points far out of view to coordinates that Qt can still draw."""
    room = 4.0 * max(1, *size)
    middle = np.array(size, float) / 2
    return np.clip(points, middle - room, middle + room)


def polyline(points: np.ndarray) -> QPolygonF:
    """Converts points (n, 2) to a polygon."""
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def thinned(points: np.ndarray) -> np.ndarray:
    """Returns the points without those that coincide with their predecessors."""
    if len(points) < 2:
        return points
    far = np.abs(np.diff(np.round(points / NEAR), axis=0)).max(axis=1) > 0
    kept = points[np.concatenate(([True], far))]
    if (kept[-1] != points[-1]).any():
        kept = np.vstack((kept, points[-1]))
    return kept


def _lengths(points: np.ndarray) -> np.ndarray:
    """Returns the length of the path up to each point, (n,)."""
    parts = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate(([0.0], np.cumsum(parts)))
