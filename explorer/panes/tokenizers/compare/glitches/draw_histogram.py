"""Draws the histogram of the pieces' similarity to untrained tokens."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from core.numbers import format_fixed, format_general
from explorer import theme
from explorer.panes.tokenizers.compare.glitches.text import AXIS
from explorer.widgets.bars import draw_skyline
from explorer.widgets.base import LEFT, RIGHT, Picture
from explorer.widgets.sketch import Sketch

BINS = 60


class Histogram(Picture):
    """Counts per range of cosines, on a log scale; a line at the selected piece's cosine."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Cosine similarity of all pieces with untrained tokens", parent)
        self._counts = np.zeros(BINS, dtype=np.int64)
        self._edges = np.linspace(-1, 1, BINS + 1)
        self._current: float | None = None

    def set_similarity(self, similarity: np.ndarray) -> None:
        low = min(float(similarity.min()), 0.0) if similarity.size else -1.0
        self._counts, self._edges = np.histogram(similarity, BINS, (low, 1.0))
        self.data_changed()

    def set_current(self, similarity: float | None) -> None:
        self._current = similarity
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        return {"counts": self._counts, "edges": self._edges}

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(240), theme.current().px(160))

    def draw(self, painter: QPainter) -> None:
        now, sketch = theme.current(), Sketch(painter)
        area = QRectF(self.rect()).adjusted(now.px(8), now.px(24), -now.px(8), -now.px(36))
        low, high = float(self._edges[0]), float(self._edges[-1])
        most = np.log10(1 + max(1, int(self._counts.max())))
        line = now.px(14)

        def x(value: float) -> float:
            return area.left() + (value - low) / (high - low) * area.width()

        for power in range(1, int(most) + 1):
            y = area.bottom() - area.height() * np.log10(1 + 10**power) / most
            sketch.line(QPointF(area.left(), y), QPointF(area.right(), y), "divider")
            where = QRectF(area.left(), y - line, now.px(80), line)
            sketch.text(where, f"{10**power:,}", align=LEFT)
        draw_skyline(painter, area, np.log10(1 + self._counts) / most, now.color("attention"))
        sketch.line(area.bottomLeft(), area.bottomRight(), "outline")
        for value in (low, 0.0, high):
            if value != low or low < -0.15:  # else it would overlap the 0
                at = min(x(value), area.right() - now.px(60))
                where = QRectF(at, area.bottom() + 2, now.px(60), line)
                words = format_general(value, 2)
                sketch.text(where, words, align=RIGHT if value == high else LEFT)
        foot = QRectF(area.left(), area.bottom() + now.px(17), area.width(), now.px(16))
        sketch.text(foot, AXIS, align=LEFT, cut=True)
        if self._current is not None:
            at, top = x(self._current), area.top() - 4
            sketch.line(QPointF(at, top), QPointF(at, area.bottom()), "accent", 2)
            where = QRectF(at - 70, area.top() - now.px(20), 66, line)
            sketch.text(where, format_fixed(self._current, 3), "accent", RIGHT)
