"""Paints the surface: contour map, level labels, minima and saddles, axes and the color bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap, QPolygonF

from core.optimization.stationary import Point, Stationary
from core.optimization.surfaces import Span
from explorer import theme
from explorer.panes.backprop.optimizers.contour import Contours
from explorer.panes.backprop.optimizers.line_style import inks
from explorer.panes.backprop.optimizers.text import plain, short
from explorer.panes.backprop.optimizers.viewport import Viewport
from explorer.widgets.base import CENTER, LEFT, RIGHT, packed_image, put_text
from explorer.widgets.plots.math import linear_ticks, tick_texts
from explorer.widgets.still_layer import StillLayer

Pixels = Callable[[np.ndarray], np.ndarray]  # maps points of the plane to pixels
BAR = (112, 8)  # px
SYMBOL = 6  # px: half the size of a star or a diamond
NOWHERE = "The surface has no height at any point in view."


class Background:
    """Draws the surface, cached as a pixmap.

    `contours` may have another span than the view: they are drawn at their position, over a coarse
    map of the whole view.
    """

    def __init__(self) -> None:
        self.contours: Contours | None = None
        self.places = Stationary()
        self._map = QPixmap()
        self._coarse: tuple[Contours, QPixmap] | None = None
        self._still = StillLayer()

    def set_contours(self, contours: Contours | None) -> None:
        """Sets another map and drops the coarse one."""
        self.contours, self._coarse = contours, None
        self._map = QPixmap() if contours is None else _pixmap(contours)
        self._still.forget()

    def set_coarse(self, contours: Contours) -> None:
        """Sets the coarse map around `contours`, for use until a finer one is ready."""
        self._coarse = contours, _pixmap(contours)
        self._still.forget()

    def set_places(self, places: Stationary) -> None:
        """Sets the minima and saddles."""
        if places != self.places:
            self.places = places
            self._still.forget()

    def draw(self, painter: QPainter, pixels: Pixels, viewport: Viewport, frame: QRectF) -> None:
        self._still.draw(
            painter,
            QPointF(0, 0),
            (frame.width(), frame.height()),
            viewport,
            lambda to: self._draw(to, pixels, viewport, frame),
        )

    def _draw(self, painter: QPainter, pixels: Pixels, viewport: Viewport, frame: QRectF) -> None:
        painter.fillRect(frame, theme.current().color("surface"))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self._coarse is not None:
            contours, pixmap = self._coarse
            painter.drawPixmap(_area(contours, pixels), pixmap, QRectF(pixmap.rect()))
        if self.contours is not None:
            area = _area(self.contours, pixels)
            painter.drawPixmap(area, self._map, QRectF(self._map.rect()))
            draw_labels(painter, self.contours, area)
        draw_places(painter, pixels, self.places, frame)
        draw_axes(painter, viewport.span(frame.width(), frame.height()), frame)
        if self.contours is not None and self.contours.is_finite:
            draw_bar(painter, self.contours, frame)
        elif self.contours is not None:
            now = theme.current()
            put_text(painter, frame, NOWHERE, now.font("body"), now.color("text"))


def _pixmap(contours: Contours) -> QPixmap:
    return QPixmap.fromImage(packed_image(contours.pixels))


def _area(contours: Contours, pixels: Pixels) -> QRectF:
    """Returns the rectangle that a map's span covers, in pixels."""
    left, right, bottom, top = contours.span
    corners = pixels(np.array([[left, top], [right, bottom]]))
    return QRectF(QPointF(*corners[0]), QPointF(*corners[1]))


def draw_labels(painter: QPainter, contours: Contours, area: QRectF) -> None:
    """Draws each level's height along its line."""
    now = theme.current()
    font, metrics = now.font("label"), now.metrics("label")
    for label in contours.labels:
        text = plain(label.value)
        wide, high = metrics.horizontalAdvance(text) + 6, metrics.height() - 1
        painter.save()
        painter.translate(
            area.left() + label.x * area.width(), area.top() + label.y * area.height()
        )
        painter.rotate(label.angle)
        box = QRectF(-wide / 2, -high / 2, wide, high)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("surface", 0.75))
        painter.drawRoundedRect(box, 3, 3)
        put_text(painter, box, text, font, now.color("muted"))
        painter.restore()


def draw_places(painter: QPainter, pixels: Pixels, places: Stationary, frame: QRectF) -> None:
    """Draws a star at each minimum in view and a diamond at each saddle."""

    def in_view(points: Sequence[Point]) -> list[QPointF]:
        found = [QPointF(*pixels(np.array(point))) for point in points]
        return [point for point in found if frame.contains(point)]

    for point in in_view(places.minima):
        draw_star(painter, point)
    for point in in_view(places.saddles):
        draw_diamond(painter, point)


def draw_star(painter: QPainter, at: QPointF) -> None:
    """Draws the symbol of a minimum."""
    angles = np.pi * (np.arange(10) / 5 - 0.5)
    radii = np.where(np.arange(10) % 2, 0.45, 1.15) * (theme.current().px(SYMBOL) + 1)
    _draw_symbol(painter, at, np.stack((radii * np.cos(angles), radii * np.sin(angles)), axis=1))


def draw_diamond(painter: QPainter, at: QPointF) -> None:
    """Draws the symbol of a saddle."""
    size = theme.current().px(SYMBOL)
    _draw_symbol(painter, at, np.array([(0, -size), (size, 0), (0, size), (-size, 0)], float))


def _draw_symbol(painter: QPainter, at: QPointF, corners: np.ndarray) -> None:
    now = theme.current()
    painter.setBrush(now.color("surface"))
    painter.setPen(now.pen("text", 1.5))
    painter.drawPolygon(QPolygonF([at + QPointF(x, y) for x, y in corners.tolist()]))


def draw_ring(painter: QPainter, at: QPointF) -> None:
    """Draws the symbol of the start."""
    now = theme.current()
    size = now.px(SYMBOL + 1)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((now.color("surface"), 5.0), (now.color("text"), 2.0)):
        painter.setPen(now.pen(color, width))
        painter.drawEllipse(at, size, size)


def draw_axes(painter: QPainter, span: Span, frame: QRectF) -> None:
    """Draws the axes: x along the bottom edge, y along the left edge."""
    now = theme.current()
    font, metrics, muted = now.font("label"), now.metrics("label"), now.color("muted")
    high = metrics.height() - 1
    left, right, bottom, top = span
    room = max(2, round(frame.width() / now.px(110))), max(2, round(frame.height() / now.px(80)))
    painter.setPen(now.pen("outline"))
    places = []
    for low, up, count, axis in ((left, right, room[0], "x"), (bottom, top, room[1], "y")):
        ticks = linear_ticks(low, up, count)
        for tick, text in zip(ticks, tick_texts(ticks), strict=True):
            share = (tick - low) / (up - low)
            wide = metrics.horizontalAdvance(text) + 6
            if axis == "x":
                x = frame.left() + share * frame.width()
                painter.drawLine(QPointF(x, frame.bottom() - 5), QPointF(x, frame.bottom()))
                box = QRectF(x - wide / 2, frame.bottom() - 6 - high, wide, high)
                fits = frame.left() + 40 < box.left() and box.right() < frame.right() - 20
            else:
                y = frame.bottom() - share * frame.height()
                painter.drawLine(QPointF(frame.left(), y), QPointF(frame.left() + 5, y))
                box = QRectF(frame.left() + 7, y - high / 2, wide, high)
                fits = frame.top() + 52 < box.top() and box.bottom() < frame.bottom() - 42
            if fits:
                places.append((box, text))
    names = (
        (frame.right() - 16, frame.bottom() - 6 - high),
        (frame.left() + 7, frame.bottom() - 38),
    )
    places += [(QRectF(*names[0], 12, high), "x"), (QRectF(*names[1], 12, high), "y")]
    for box, text in places:
        painter.fillRect(box, now.color("surface", 0.7))
        put_text(painter, box, text, font, muted)


def bar_box(contours: Contours, frame: QRectF) -> QRectF:
    """Returns the box of the color bar, wide enough for its two numbers and their title."""
    now = theme.current()
    width = now.metrics("label").horizontalAdvance
    number = max(width(short(contours.low)), width(short(contours.high)))
    wide = max(now.px(BAR[0]), 2 * number + width("height") + now.px(16))
    return QRectF(frame.left() + 8, frame.top() + 8, wide + 12, now.px(BAR[1] + 18) + 4)


def draw_bar(painter: QPainter, contours: Contours, frame: QRectF) -> None:
    """Draws the color bar of the tints, from the lowest to the highest height in view."""
    now = theme.current()
    back = bar_box(contours, frame)
    box = QRectF(back.left() + 6, back.top() + 4, back.width() - 12, now.px(BAR[1]))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("surface", 0.85))
    painter.drawRoundedRect(back, 4, 4)
    tones = inks()
    bands = max(2, contours.levels.size + 1)
    for band in range(bands):
        share = band / (bands - 1)
        mixed = [round(a + share * (b - a)) for a, b in zip(tones.low, tones.high, strict=True)]
        color = now.color("surface")
        color.setRgb(*mixed)
        left = box.left() + box.width() * band / bands
        painter.fillRect(QRectF(left, box.top(), box.width() / bands + 1, box.height()), color)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(now.pen("outline"))
    painter.drawRect(box)
    words = QRectF(box.left(), box.bottom() + 2, box.width(), now.px(14))
    texts = ((short(contours.low), LEFT), ("height", CENTER), (short(contours.high), RIGHT))
    for text, align in texts:
        put_text(painter, words, text, now.font("label"), now.color("muted"), align)
