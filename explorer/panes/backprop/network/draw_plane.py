"""Draws the plane: the network's output, its boundary, the points, legend and scale."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QPen,
    QPolygonF,
)

from explorer import theme
from explorer.panes.backprop.network.colors import color_of_target, plane_image
from explorer.panes.backprop.network.draft import Data
from explorer.panes.backprop.network.draw_neuron import draw_map
from explorer.panes.backprop.network.hit_testing import from_plane
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.scene import Box
from explorer.widgets.base import LEFT, elide, put_text
from explorer.widgets.sketch import Sketch

POINT = 3.6  # px, the radius


def draw_ground(painter: QPainter, plane: Box, keyframe: Keyframe) -> None:
    """Draws the network's output over the plane and the decision boundary."""
    draw_map(painter, plane, plane_image(keyframe.plane, keyframe.classes))
    draw_boundary(painter, plane, keyframe.boundary)


def draw_boundary(painter: QPainter, plane: Box, lines: np.ndarray) -> None:
    """Draws the decision boundary."""
    now = theme.current()
    x, y, width, height = plane
    placed = lines * [width, height, width, height] + [x, y, x, y]
    painter.setPen(now.pen("text", 1.5))
    painter.drawLines([QLineF(*line) for line in placed.tolist()])


def draw_points(painter: QPainter, data: Data, size: float) -> None:
    """Draws all points: filled for training, hollow for testing."""
    for place, target, tested in zip(data.points, data.targets, data.tested, strict=True):
        x, y = from_plane((0, 0, size, size), float(place[0]), float(place[1]))
        draw_point(painter, x, y, float(target), data.classes, bool(tested))


def draw_point(
    painter: QPainter, x: float, y: float, target: float, classes: int, tested: bool
) -> None:
    now = theme.current()
    color, surface = color_of_target(target, classes), now.color("surface")
    radius = POINT * now.zoom
    if tested and not classes:  # its color may be that of the background
        painter.setPen(now.pen("text", 1))
        painter.setBrush(surface)
        painter.drawEllipse(QPointF(x, y), radius, radius)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        radius *= 0.55
    elif tested:
        painter.setPen(QPen(color, 1.6))
        painter.setBrush(surface)
        radius -= 0.5
    else:
        painter.setPen(QPen(surface if classes else now.color("text"), 1))
        painter.setBrush(color)
    kind = int(target) if classes else 0
    if kind == 1:
        painter.drawRect(QRectF(x - radius, y - radius, 2 * radius, 2 * radius))
    elif kind == 2:
        corners = [QPointF(x, y - 1.3 * radius)]
        corners += [QPointF(x - 1.2 * radius, y + radius), QPointF(x + 1.2 * radius, y + radius)]
        painter.drawPolygon(QPolygonF(corners))
    else:
        painter.drawEllipse(QPointF(x, y), radius, radius)


def draw_scale(painter: QPainter, plane: Box, image: QImage, low: str, high: str) -> None:
    """Draws the color scale of the plane below the legend."""
    now, sketch = theme.current(), Sketch(painter)
    y, high_line = plane[1] + plane[3] + now.px(21), now.px(16)
    wide = now.metrics("label").horizontalAdvance(low) + now.px(6)
    sketch.text(QRectF(plane[0], y, wide, high_line), low, align=LEFT)
    bar = QRectF(plane[0] + wide, y + now.px(4), min(now.px(64), 0.4 * plane[2]), now.px(8))
    painter.drawImage(bar, image)
    sketch.frame(bar, "divider", 1, 0)
    left = bar.right() + now.px(6)
    rest = QRectF(left, y, plane[0] + plane[2] - left, high_line)
    sketch.text(rest, _shortened(high, now.font("label"), rest.width()), align=LEFT)


def _shortened(words: str, font: QFont, room: float) -> str:
    """Cuts a text at its colon or semicolon, or to its number, if there is too little room."""
    said = (words, words.partition(";")[0], words.partition(":")[0])
    said = (*said, " ".join(said[1].split()[:2]))  # 100 %
    wide = QFontMetricsF(font).horizontalAdvance
    found = next((one for one in said if wide(one) <= room), said[-1])
    return elide(found, font, room, Qt.TextElideMode.ElideRight)


def draw_legend(painter: QPainter, plane: Box, data: Data, kind: str) -> None:
    """Draws the legend below the plane: marks of classes and test points, then `kind`."""
    now = theme.current()
    font, ink = now.font("label"), now.color("muted")
    metrics = now.metrics("label")
    y = plane[1] + plane[3] + now.px(12)
    x = plane[0] + now.px(5)

    def entry(words: str, target: float, tested: bool) -> None:
        nonlocal x
        width, left = metrics.horizontalAdvance(words), x + now.px(9)
        if left + width > plane[0] + plane[2] + now.px(4):  # no room on a small plane
            return
        draw_point(painter, x, y, target, data.classes, tested)
        put_text(painter, QRectF(left, y - 9, width + 2, 18), words, font, ink)
        x = left + width + now.px(14)

    if data.classes:
        for number in range(data.classes):
            entry(f"class {number}", number, False)
    else:
        entry("\u22121", -1, False)
        entry("1", 1, False)
    if data.tested.any():
        entry("hollow: test" if data.classes else "ringed: test", 0 if data.classes else 1, True)
    if kind:
        rect = QRectF(plane[0], y + now.px(8), plane[2], now.px(16))
        if metrics.horizontalAdvance(kind) > plane[2]:
            kind = kind.partition(";")[0]
        kind = elide(kind, font, plane[2], Qt.TextElideMode.ElideRight)
        put_text(painter, rect, kind, font, ink, LEFT)
