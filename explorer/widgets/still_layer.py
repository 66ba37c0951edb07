"""The part of a picture that does not change from frame to frame, cached as a pixmap."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPaintEngine, QPainter, QPixmap

from explorer import theme
from explorer.widgets.base import ratio_of


class StillLayer:
    """Repaints when its key, its size, the theme or the screen's resolution changes.

    Vector graphics always get lines and text, never pixels.
    """

    def __init__(self) -> None:
        self._key: object = None
        self._pixmap = QPixmap()

    def forget(self) -> None:
        self._key = None

    def draw(
        self,
        painter: QPainter,
        place: QPointF,
        size: tuple[float, float],
        key: object,
        paint: Callable[[QPainter], None],
    ) -> None:
        """Draws the layer, `size` px large, at `place`, which is the origin for `paint`."""
        if painter.paintEngine().type() != QPaintEngine.Type.Raster:
            painter.save()
            painter.translate(place)
            paint(painter)
            painter.restore()
            return
        ratio = ratio_of(painter)
        whole = (key, size, ratio, theme.current())
        if whole != self._key:
            self._pixmap = theme.device_pixmap(*size, ratio)
            inner = QPainter(self._pixmap)
            inner.setRenderHints(painter.renderHints())
            try:
                paint(inner)
            finally:
                inner.end()
            self._key = whole
        painter.drawPixmap(place, self._pixmap)
