"""Draws weights as edges, thick for large ones, colored by sign, and pulses along them."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import (
    QPainter,
    QPen,
)

from explorer import theme
from explorer.panes.backprop.network.colors import sign_color
from explorer.panes.backprop.network.scene import Layout

THINNEST, THICKEST = 0.5, 5.0  # px, thickness of an edge
HALF = 1.2  # a weight of this size has half the largest thickness


def thickness(values: np.ndarray) -> np.ndarray:
    """Returns thicknesses that grow ever more slowly with a weight's size, on a fixed scale."""
    sizes = np.abs(values)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isfinite(sizes), sizes / (sizes + HALF), 1.0)
    return THINNEST + (THICKEST - THINNEST) * share


def draw_edges(
    painter: QPainter, layout: Layout, layer: int, values: np.ndarray, opacity: float
) -> None:
    """Draws one layer's weights (n, m), thin ones first; edges that look alike share a call."""
    now = theme.current()
    ground = now.color("window")
    doubled = np.rint(2 * thickness(values)).astype(int)
    looks = np.where(values > 0, doubled, -doubled)  # twice the thickness, signed
    for look in sorted(np.unique(looks).tolist(), key=abs):
        strength = opacity * (0.30 + 0.7 * min(1.0, abs(look) / (2 * THICKEST)))
        color = theme.mix(ground, sign_color(look), strength)  # cheaper than transparency
        pen = QPen(color, abs(look) / 2 * now.zoom)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        places = zip(*(place.tolist() for place in np.nonzero(looks == look)), strict=True)
        painter.drawLines([QLineF(*layout.edge(layer, *place)) for place in places])


def draw_edge(
    painter: QPainter, layout: Layout, element: tuple[int, int, int], value: float
) -> None:
    """Draws a hovered or selected edge, outlined in the accent color."""
    now = theme.current()
    line = QLineF(*layout.edge(*element))
    width = max(2.0, float(thickness(np.array(value)))) * now.zoom
    painter.setPen(QPen(now.color("accent"), width + 4))
    painter.drawLine(line)
    painter.setPen(QPen(sign_color(value), width))
    painter.drawLine(line)


def draw_pulses(
    painter: QPainter, layout: Layout, layer: int, values: np.ndarray, share: float
) -> None:
    """Draws pulses of size `values` on a layer's edges; they move back if `share` decreases."""
    now = theme.current()
    largest = float(np.abs(values).max()) or 1.0
    painter.setPen(Qt.PenStyle.NoPen)
    for (before, after), value in np.ndenumerate(values):
        x1, y1, x2, y2 = layout.edge(layer, before, after)
        radius = (1.2 + 3.2 * math.sqrt(abs(value) / largest)) * now.zoom
        painter.setBrush(sign_color(value))
        painter.drawEllipse(QPointF(x1 + (x2 - x1) * share, y1 + (y2 - y1) * share), radius, radius)
