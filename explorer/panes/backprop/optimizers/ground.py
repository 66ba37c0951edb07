"""The map under the race, kept as pixels: tints, level lines, their heights, minima and saddles."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPaintEngine, QPainter, QPixmap

from explorer import theme
from explorer.panes.backprop.optimizers.draw_marks import (
    draw_axes,
    draw_bar,
    draw_labels,
    draw_places,
    label_boxes,
)
from explorer.panes.backprop.optimizers.plane import Plane
from explorer.panes.backprop.optimizers.relief import Relief
from explorer.theme import device_pixmap
from explorer.widgets.base import packed_image

Points = Sequence[tuple[float, float]]


class Ground:
    """`relief` may be of another part of the plane than is seen: it is put where it belongs, on a
    rough one of all that is seen.
    """

    def __init__(self) -> None:
        self.relief: Relief | None = None
        self.minima: Points = ()
        self.saddles: Points = ()
        self._tints = QPixmap()
        self._rough: tuple[Relief, QPixmap] | None = None
        self._kept = QPixmap()
        self._key: Hashable = None

    def set_relief(self, relief: Relief | None) -> None:
        self.relief, self._rough = relief, None
        self._tints = QPixmap() if relief is None else _pixels(relief)
        self._key = None

    def set_rough(self, relief: Relief) -> None:
        self._rough = relief, _pixels(relief)
        self._key = None

    def set_places(self, minima: Points, saddles: Points) -> None:
        if (minima, saddles) != (self.minima, self.saddles):
            self.minima, self.saddles = minima, saddles
            self._key = None

    def level_labels(self, seen: Callable[[np.ndarray], np.ndarray]) -> list[QRectF]:
        """Where heights are written."""
        if self.relief is None:
            return []
        return label_boxes(self.relief, self._target(self.relief, seen))

    def _target(self, relief: Relief, seen: Callable[[np.ndarray], np.ndarray]) -> QRectF:
        """Where the relief belongs."""
        left, right, bottom, top = relief.span
        corners = seen(np.array([[left, top], [right, bottom]]))
        return QRectF(QPointF(*corners[0]), QPointF(*corners[1]))

    def draw(
        self,
        painter: QPainter,
        seen: Callable[[np.ndarray], np.ndarray],
        plane: Plane,
        frame: QRectF,
        ratio: float,
    ) -> None:
        if painter.paintEngine().type() != QPaintEngine.Type.Raster:
            self._draw(painter, seen, plane, frame)
            return
        key = (plane, frame.width(), frame.height(), ratio, theme.current())
        if key != self._key:
            self._key = key
            self._kept = device_pixmap(frame.width(), frame.height(), ratio)
            inner = QPainter(self._kept)
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw(inner, seen, plane, frame)
            inner.end()
        painter.drawPixmap(0, 0, self._kept)

    def _draw(
        self,
        painter: QPainter,
        seen: Callable[[np.ndarray], np.ndarray],
        plane: Plane,
        frame: QRectF,
    ) -> None:
        painter.fillRect(frame, theme.current().color("surface"))
        if self._rough is not None:
            relief, pixels = self._rough
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(self._target(relief, seen), pixels, QRectF(pixels.rect()))
        if self.relief is not None:
            target = self._target(self.relief, seen)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(target, self._tints, QRectF(self._tints.rect()))
            draw_labels(painter, self.relief, target)
        draw_places(painter, seen, self.minima, self.saddles, frame)
        draw_axes(painter, plane.span(frame.width(), frame.height()), frame)
        if self.relief is not None:
            draw_bar(painter, self.relief, frame)


def _pixels(relief: Relief) -> QPixmap:
    return QPixmap.fromImage(packed_image(relief.pixels))
