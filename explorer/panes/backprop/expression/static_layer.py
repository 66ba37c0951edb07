"""Caches the static part of a graph as a pixmap."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter, QPixmap, QRegion

from explorer import theme
from explorer.panes.backprop.expression.draw_graph import GraphDrawing, Item

MOST_CHANGED = 0.2  # of all that is in sight; where more has, to draw all of it is quicker
MOST_DRAWN, MOST_AREA, MOST_PARTS = 0.6, 0.5, 80  # of that, of the widget, and rectangles: too


class StaticLayer:
    """Redraws only the nodes and edges that look different from the last time, and what overlaps
    them. That holds for another formula too, most of whose graph is usually the same.
    """

    def __init__(self) -> None:
        self._pixmap = QPixmap()
        self._is_whole = False  # the picture is that of the last time
        self._has_moved = False  # the last time all looked otherwise
        self._key: object = None
        self._drawing: GraphDrawing | None = None  # the last time
        self._marks: dict[Item, object] = {}
        self.drawn: frozenset[Item] = frozenset()  # the last time

    def picture(self, drawing: GraphDrawing, size: QSize, ratio: float) -> QPixmap | None:
        """The pixmap for a widget of that size, at `ratio` device pixels per unit. None while
        everything keeps changing, as during a pan: caching it would only cost time.
        """
        key = (drawing.camera, drawing.room.getRect(), size, ratio, theme.current())
        was, before, marks, whole = self._key, self._marks, drawing.marks(), self._is_whole
        last, self._drawing = self._drawing, drawing
        self._key, self._marks, self._is_whole = key, marks, False
        old, new = set(before.values()), set(marks.values())
        gone = [item for item, mark in before.items() if mark not in new]
        come = [item for item, mark in marks.items() if mark not in old]
        self.drawn = frozenset(marks)
        again = self._has_moved
        self._has_moved = was != key or max(len(gone), len(come)) > MOST_CHANGED * len(marks)
        if self._has_moved and again:
            return None
        changed = bool(gone or come)
        if self._has_moved or not whole or last is None or (changed and ratio != int(ratio)):
            self._draw(drawing, size, ratio)
        elif changed:
            boxes = np.concatenate([last.boxes(gone)[0], drawing.boxes(come)[0]])
            self._draw_changed(drawing, boxes, size, ratio)
        else:
            self.drawn = frozenset()
        self._is_whole = True
        return self._pixmap

    def _draw(self, drawing: GraphDrawing, size: QSize, ratio: float) -> None:
        if self._pixmap.size() != size * ratio or self._pixmap.devicePixelRatio() != ratio:
            self._pixmap = theme.device_pixmap(size.width(), size.height(), ratio)
        self._draw_in(drawing, QRegion(QRect(0, 0, size.width(), size.height())))

    def _draw_changed(
        self, drawing: GraphDrawing, boxes: np.ndarray, size: QSize, ratio: float
    ) -> None:
        """boxes: (B, 4), where something looks otherwise"""
        widget = QRect(0, 0, size.width(), size.height())
        region = QRegion()
        for left, top, right, bottom in np.hstack([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])]):
            region += QRect(int(left), int(top), int(right - left), int(bottom - top)) & widget
        rects = list(region)
        area = sum(rect.width() * rect.height() for rect in rects)
        if area > MOST_AREA * size.width() * size.height() or len(rects) > MOST_PARTS:
            self._draw(drawing, size, ratio)
            return
        items = list(self._marks)
        places, owners = drawing.boxes(items)
        ends = np.array([one.getCoords() for one in rects]).reshape(-1, 4)  # left, ..., bottom
        hit = (places[:, None, :2] <= ends[:, 2:] + 1) & (places[:, None, 2:] >= ends[:, :2])
        found = np.unique(owners[hit.all(axis=2).any(axis=1)])
        if len(found) > MOST_DRAWN * len(items):
            self._draw(drawing, size, ratio)
            return
        self.drawn = frozenset(items[index] for index in found)
        self._draw_in(drawing, region)

    def _draw_in(self, drawing: GraphDrawing, region: QRegion) -> None:
        painter = QPainter(self._pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRegion(region)
        painter.fillRect(region.boundingRect(), theme.current().color("window"))
        drawing.draw(painter, self.drawn)
        painter.end()
