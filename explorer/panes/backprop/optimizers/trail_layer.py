"""Trails kept as pixels, for they only grow: a frame draws what is new, not thousands of lines.

Qt takes milliseconds for one long smooth line that crosses itself. So the layer is drawn piece by
piece, and where there is no time for all of it, the rest is drawn roughly until there is.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap, QPolygonF

from explorer import theme
from explorer.panes.backprop.optimizers.looks import is_dashed, trail_pen
from explorer.theme import device_pixmap

PIECE = 8  # steps that are drawn as one line
BUDGET = 0.003  # seconds of a frame that is in a hurry
NEAR = 0.5  # pixels: points nearer than that to the last one are left out
WIDTH, CHOSEN, EDGE = 2.0, 3.0, 2.4


class TrailLayer:
    """`draw(painter, ...)` shows the trails up to a step."""

    def __init__(self) -> None:
        self.key: Hashable = None  # of what is kept
        self._edges = QPixmap()
        self._lines = QPixmap()
        self._points: dict[str, np.ndarray] = {}
        self._along: dict[str, np.ndarray] = {}
        self.done = 0  # steps that are drawn

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
        """points: by name the whole way (n, 2) in pixels. `key` is all that they, size and looks
        depend on. True when everything was drawn well, False when a rest is rough.
        """
        if key != self.key or step < self.done:
            self._begin(key, points, size, ratio)
        self._grow(step, chosen, hurried)
        painter.drawPixmap(0, 0, self._edges)
        painter.drawPixmap(0, 0, self._lines)
        if self.done < step:
            self._draw_roughly(painter, step)
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
            self._points = {name: near(way, size) for name, way in points.items()}
            self._along = {name: _lengths(way) for name, way in self._points.items()}
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
            for name in self._points:
                self._draw_piece(edges, lines, name, last, name == chosen)
            self.done = last
            if hurried and time.perf_counter() > until:
                break
        edges.end()
        lines.end()

    def _draw_piece(
        self, edges: QPainter, lines: QPainter, name: str, last: int, chosen: bool
    ) -> None:
        piece = thinned(self._points[name][self.done : last + 1])
        if len(piece) < 2:
            return
        polygon = QPolygonF([QPointF(x, y) for x, y in piece.tolist()])
        edge, pen = pens(name, chosen)
        if is_dashed(name):
            pen = QPen(pen)
            pen.setDashOffset(float(self._along[name][self.done]) / pen.widthF())
        edges.setPen(edge)
        edges.drawPolyline(polygon)
        lines.setPen(pen)
        lines.drawPolyline(polygon)

    def _draw_roughly(self, painter: QPainter, step: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for name, way in self._points.items():
            painter.setPen(trail_pen(name, WIDTH))
            rest = way[self.done : step + 1 : max(1, (step - self.done) // 150)].tolist()
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in rest]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def pens(name: str, chosen: bool) -> tuple[QPen, QPen]:
    """The edge in the map's own color, so that a trail stands out from level lines; the trail."""
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
    """Those far outside of what is seen moved nearer to its edge."""
    room = 4.0 * max(1, *size)
    middle = np.array(size, float) / 2
    return np.clip(points, middle - room, middle + room)


def thinned(points: np.ndarray) -> np.ndarray:
    """Without points that lie on their neighbors."""
    if len(points) < 2:
        return points
    far = np.abs(np.diff(np.round(points / NEAR), axis=0)).max(axis=1) > 0
    kept = points[np.concatenate(([True], far))]
    if (kept[-1] != points[-1]).any():
        kept = np.vstack((kept, points[-1]))
    return kept


def _lengths(points: np.ndarray) -> np.ndarray:
    """(n,): how long the way is up to each point."""
    parts = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate(([0.0], np.cumsum(parts)))
