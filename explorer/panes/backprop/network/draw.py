"""Draws edges, neurons and the plane. Functions of a painter; the widget says what and where."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPolygonF,
)

from explorer import theme
from explorer.panes.backprop.network.colors import color_of_target, plane_image, sign_color
from explorer.panes.backprop.network.draft import Data
from explorer.panes.backprop.network.hit_testing import from_plane
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.scene import Box, Layout
from explorer.widgets.base import LEFT, elide, put_text

THINNEST, THICKEST = 0.5, 5.0  # px of an edge
HALF = 1.2  # a weight of this size is drawn half as thick as the thickest
POINT = 3.6  # px, the radius


def thickness(values: np.ndarray) -> np.ndarray:
    """Grows with a weight's size, ever more slowly: the scale never changes."""
    sizes = np.abs(values)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isfinite(sizes), sizes / (sizes + HALF), 1.0)
    return THINNEST + (THICKEST - THINNEST) * share


def draw_edges(
    painter: QPainter, layout: Layout, layer: int, values: np.ndarray, opacity: float
) -> None:
    """One layer's weights (n, m), thin ones first. Lines of one look are drawn in one call."""
    now = theme.current()
    ground = now.color("window")
    doubled = np.rint(2 * thickness(values)).astype(int)
    looks = np.where(values > 0, doubled, -doubled)  # twice the thickness, with the sign
    for look in sorted(np.unique(looks).tolist(), key=abs):
        strength = opacity * (0.30 + 0.7 * min(1.0, abs(look) / (2 * THICKEST)))
        color = theme.mix(ground, sign_color(look), strength)  # cheaper than transparency
        pen = QPen(color, abs(look) / 2 * now.zoom)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        places = zip(*(place.tolist() for place in np.nonzero(looks == look)), strict=True)
        painter.drawLines([QLineF(*layout.edge(layer, *place)) for place in places])


def draw_edge(painter: QPainter, layout: Layout, spot: tuple[int, int, int], value: float) -> None:
    """One edge that is pointed at or chosen: with a rim of the accent."""
    now = theme.current()
    line = QLineF(*layout.edge(*spot))
    width = max(2.0, float(thickness(np.array(value)))) * now.zoom
    painter.setPen(QPen(now.color("accent"), width + 4))
    painter.drawLine(line)
    painter.setPen(QPen(sign_color(value), width))
    painter.drawLine(line)


def draw_pulses(
    painter: QPainter, layout: Layout, layer: int, values: np.ndarray, share: float
) -> None:
    """What travels along a layer's edges: from left to right, or back where `share` falls."""
    now = theme.current()
    largest = float(np.abs(values).max()) or 1.0
    painter.setPen(Qt.PenStyle.NoPen)
    for (before, after), value in np.ndenumerate(values):
        x1, y1, x2, y2 = layout.edge(layer, before, after)
        radius = (1.2 + 3.2 * math.sqrt(abs(value) / largest)) * now.zoom
        painter.setBrush(sign_color(value))
        painter.drawEllipse(QPointF(x1 + (x2 - x1) * share, y1 + (y2 - y1) * share), radius, radius)


def draw_map(
    painter: QPainter, box: Box, image: QImage | QPixmap, *, edge: str = "outline"
) -> None:
    rect = QRectF(*box)
    if isinstance(image, QPixmap):
        painter.drawPixmap(rect, image, QRectF(image.rect()))
    else:
        painter.drawImage(rect, image)
    draw_outline(painter, rect, edge)


def draw_outline(painter: QPainter, rect: QRectF, edge: str = "outline") -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(theme.current().pen(edge))
    painter.drawRect(rect)


def draw_dead(painter: QPainter, box: Box) -> None:
    """A neuron that is 0 for every point: hatched and crossed out."""
    now = theme.current()
    rect = QRectF(*box)
    painter.fillRect(rect, now.color("surface"))
    painter.fillRect(rect, now.hatch())
    painter.setPen(now.pen("text", 2))
    inner = rect.adjusted(5, 5, -5, -5)
    painter.drawLine(inner.topLeft(), inner.bottomRight())
    painter.drawLine(inner.topRight(), inner.bottomLeft())
    painter.setPen(now.pen("outline"))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect)


def draw_ring(painter: QPainter, box: Box) -> None:
    now = theme.current()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(now.color("accent"), 2))
    painter.drawRect(QRectF(*box).adjusted(-2.5, -2.5, 2.5, 2.5))


def draw_ground(painter: QPainter, plane: Box, keyframe: Keyframe) -> None:
    """What the network says everywhere, with the border where it changes its mind."""
    draw_map(painter, plane, plane_image(keyframe.plane, keyframe.classes))
    draw_border(painter, plane, keyframe.border)


def draw_border(painter: QPainter, plane: Box, lines: np.ndarray) -> None:
    """Where the network changes its mind."""
    now = theme.current()
    x, y, width, height = plane
    placed = lines * [width, height, width, height] + [x, y, x, y]
    painter.setPen(now.pen("text", 1.5))
    painter.drawLines([QLineF(*line) for line in placed.tolist()])


def points_pixmap(data: Data, size: float, ratio: float) -> QPixmap:
    """All points of the plane: filled ones are learned from, hollow ones test."""
    pixmap = theme.device_pixmap(size, size, ratio)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for place, target, tested in zip(data.points, data.targets, data.tested, strict=True):
        x, y = from_plane((0, 0, size, size), float(place[0]), float(place[1]))
        draw_point(painter, x, y, float(target), data.classes, bool(tested))
    painter.end()
    return pixmap


def draw_point(
    painter: QPainter, x: float, y: float, target: float, classes: int, tested: bool
) -> None:
    now = theme.current()
    color, surface = color_of_target(target, classes), now.color("surface")
    radius = POINT * now.zoom
    if tested and not classes:  # its color may be that of the ground
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
    """Below the legend: what the plane's colors stand for."""
    now = theme.current()
    font, ink = now.font("label"), now.color("muted")
    y = plane[1] + plane[3] + now.px(21)
    wide = now.metrics("label").horizontalAdvance(low) + now.px(6)
    put_text(painter, QRectF(plane[0], y, wide, now.px(16)), low, font, ink, LEFT)
    bar = QRectF(plane[0] + wide, y + now.px(4), min(now.px(64), 0.4 * plane[2]), now.px(8))
    painter.drawImage(bar, image)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(now.pen("divider"))
    painter.drawRect(bar)
    left = bar.right() + now.px(6)
    rest = QRectF(left, y, plane[0] + plane[2] - left, now.px(16))
    put_text(painter, rest, _shortened(high, font, rest.width()), font, ink, LEFT)


def _shortened(words: str, font: QFont, room: float) -> str:
    """What stands before a colon or semicolon is enough where there is little room, at last the
    number alone.
    """
    said = (words, words.partition(";")[0], words.partition(":")[0])
    said = (*said, " ".join(said[1].split()[:2]))  # 100 %
    wide = QFontMetricsF(font).horizontalAdvance
    found = next((one for one in said if wide(one) <= room), said[-1])
    return elide(found, font, room, Qt.TextElideMode.ElideRight)


def draw_legend(painter: QPainter, plane: Box, data: Data, kind: str) -> None:
    """Below the plane: which mark is which class, and how test points look; then `kind`."""
    now = theme.current()
    font, ink = now.font("label"), now.color("muted")
    metrics = now.metrics("label")
    y = plane[1] + plane[3] + now.px(12)
    x = plane[0] + now.px(5)

    def entry(words: str, target: float, tested: bool) -> None:
        nonlocal x
        width, left = metrics.horizontalAdvance(words), x + now.px(9)
        if left + width > plane[0] + plane[2] + now.px(4):  # a small plane
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


def draw_words(painter: QPainter, place: QPointF, words: str, width: float, height: float) -> None:
    """A line beside the pointer, or a few, kept within the picture."""
    now = theme.current()
    font, lines = now.font("label"), words.split("\n")
    wide = max(now.metrics("label").horizontalAdvance(line) for line in lines) + now.px(16)
    more = now.px(15) * (len(lines) - 1)
    x = min(max(0.0, place.x() + now.px(14)), max(0.0, width - wide - 1))
    y = place.y() - now.px(30) - more
    if y < 1:
        y = max(1.0, min(height - now.px(24) - more, place.y() + now.px(18)))
    box = QRectF(x, y, wide, now.px(22) + more)
    painter.setPen(now.pen("outline"))
    painter.setBrush(now.color("surface"))
    painter.drawRoundedRect(box, 6, 6)
    rect = QRectF(box.x() + now.px(8), box.y(), wide, now.px(22))
    for number, line in enumerate(lines):
        put_text(
            painter, rect.translated(0, now.px(15) * number), line, font, now.color("text"), LEFT
        )


def draw_numbers(painter: QPainter, box: Box, lines: Sequence[tuple[str, QColor]]) -> None:
    """A neuron in numbers, line by line, each over its ground."""
    now = theme.current()
    rect = QRectF(*box)
    outline = QPainterPath()
    outline.addRoundedRect(rect, 4, 4)
    for number in range(max(1, len(lines))):
        ground = lines[number][1] if lines else now.color("surface")
        below = QPainterPath()
        below.addRect(rect.adjusted(0, number * rect.height() / max(1, len(lines)), 0, 0))
        painter.fillPath(outline & below if number else outline, ground)
    painter.strokePath(outline, now.pen("outline"))
    if not lines:
        return
    ink = now.color("text")
    each = rect.height() / len(lines)
    size = min(12.0, each * 0.72 / now.zoom)
    for number, (text, _) in enumerate(lines):
        line = QRectF(rect.x(), rect.y() + number * each, rect.width(), each)
        put_text(painter, line, text, now.font(size, 600 if number == 0 else 400), ink)
