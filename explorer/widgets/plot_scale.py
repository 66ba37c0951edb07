"""From data to pixels: the two axes of a line plot and the pieces of a line that can be drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from explorer.widgets.plot_data import Limits
from explorer.widgets.plot_math import decimate

BUCKET_PIXELS = 1.5  # one minimum and one maximum in this width: what a 2 px line can show
MANY = 160  # from here on Qt's wide strokes would cost milliseconds
UNIT: Limits = (0.0, 1.0, 0.0, 1.0)


def map_x(x: Any, rect: QRectF, limits: Limits) -> Any:
    """x values (a number or an array) as horizontal pixels."""
    low, high = limits[:2]
    return rect.left() + (x - low) / max(1e-30, high - low) * rect.width()


def map_y(y: Any, rect: QRectF, limits: Limits, log: bool) -> Any:
    """y values as vertical pixels; on a log axis they must be above 0 or NaN."""
    low, high = limits[2:]
    if log:
        y, low, high = np.log10(y), np.log10(low), np.log10(high)
    return rect.bottom() - (y - low) / max(1e-30, high - low) * rect.height()


def line_pixels(
    x: np.ndarray, y: np.ndarray, rect: QRectF, limits: Limits, log: bool
) -> tuple[np.ndarray, int]:
    """The visible part of a line as pixels (n, 2), decimated, and the points per pixel."""
    first = max(0, int(np.searchsorted(x, limits[0])) - 1)
    last = min(len(x), int(np.searchsorted(x, limits[1], side="right")) + 1)
    buckets = max(64, int(rect.width() / BUCKET_PIXELS))
    x, y, bucket = decimate(x[first:last], y[first:last], buckets)
    y = np.where((y > 0) & np.isfinite(y) if log else np.isfinite(y), y, np.nan)
    return np.stack([map_x(x, rect, limits), map_y(y, rect, limits, log)], axis=1), bucket


def pieces(pixels: np.ndarray) -> list[list[QPointF]]:
    """The runs of a line between its gaps."""
    known = np.isfinite(pixels[:, 1])
    edges = np.flatnonzero(np.diff(np.r_[0, known.astype(np.int8), 0]))
    return [
        [QPointF(a, b) for a, b in pixels[start:end].tolist()]
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def stroke(
    painter: QPainter, points: list[QPointF], color: QColor, width: float, dashed: bool
) -> None:
    """A piece of a line. Long ones are thin lines side by side: a wide pen takes much longer."""
    line = QPolygonF(points)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if len(points) < MANY or width <= 1:
        pen = QPen(color, width, j=Qt.PenJoinStyle.RoundJoin)
        if dashed:
            pen.setDashPattern([4.0, 3.0])
        painter.setPen(pen)
        painter.drawPolyline(line)
        return
    pen = QPen(color, 1)
    if dashed:
        pen.setDashPattern([8.0, 6.0])
    painter.setPen(pen)
    reach = (width - 1) / 2
    for x, y in ((-reach, 0), (reach, 0), (0, -reach), (0, reach)):
        painter.drawPolyline(line.translated(x, y))
