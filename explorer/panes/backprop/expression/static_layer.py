"""Caches the static part of a graph as a pixmap, and each of its nodes as a pixmap of its own."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPixmap

from explorer import theme
from explorer.panes.backprop.expression.draw_graph import GraphDrawing
from explorer.panes.backprop.expression.draw_nodes import ALL


class StaticLayer:
    """Draws the static part once for each moment, view and set of numbers. Nodes that look the same
    as before are reused: typing a letter, or dragging an input, changes few of them.
    """

    def __init__(self) -> None:
        self._pixmap = QPixmap()
        self._last: GraphDrawing | None = None
        self._look: object = None
        self._nodes: dict[object, QPixmap] = {}
        self.drawn: list[int] = []  # the nodes drawn in the last update

    def picture(self, drawing: GraphDrawing, size: QSize, ratio: float) -> QPixmap:
        """Returns the pixmap for a widget of that size, at `ratio` device pixels per unit."""
        last, self._last = self._last, drawing
        look = (drawing.camera.scale, ratio, theme.current())
        if look != self._look:
            last, self._nodes = None, {}
        self._look, self.drawn = look, []
        same = last is not None and drawing.has_same_static_part(last)
        if not same or self._pixmap.size() != size * ratio:
            self._draw(drawing, size, ratio)
        return self._pixmap

    def _draw(self, drawing: GraphDrawing, size: QSize, ratio: float) -> None:
        if self._pixmap.size() != size * ratio or self._pixmap.devicePixelRatio() != ratio:
            self._pixmap = theme.device_pixmap(size.width(), size.height(), ratio)
        self._pixmap.fill(theme.current().color("window"))
        painter = QPainter(self._pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(drawing.room)
        drawing.draw_edges(painter, drawing.static_edges)
        shown, self._nodes = self._nodes, {}
        if drawing.detail < ALL:  # fast enough without a cache
            drawing.draw_nodes(painter, drawing.static_nodes, ratio)
        for number in drawing.static_nodes if drawing.detail == ALL else ():
            look = drawing.look_of(number)
            picture = shown.get(look)
            if picture is None:
                self.drawn.append(number)
                picture = drawing.picture_of(number, ratio)
            self._nodes[look] = picture
            painter.drawPixmap(drawing.corner(number, ratio), picture)
        painter.end()
