"""Vectors as rows of signed cells: q, k, their products; values move from row to row.

`draw` is a function of a float progress: at 0 the sources are in place, at 1 the products have
arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number
from explorer import theme
from explorer.widgets.base import CENTER, LEFT, RIGHT, Picture, put_text


@dataclass(frozen=True, eq=False)
class Vector:
    """One row: a letter and name, values (D,), the color role of its bars."""

    letter: str
    name: str
    values: np.ndarray
    role: str


class VectorBars(Picture):
    """Vectors of one length D below one another, one column per dimension.

    `set_product(True)` makes the last vector the product of the two before: `set_progress` then
    slides the first onto the second (0 to 0.5) and grows the products from them (0.5 to 1).
    """

    dimensionHovered = Signal(int)

    def __init__(self, name: str = "Vectors", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._vectors: list[Vector] = []
        self._progress = 1.0
        self._product = False
        self._limit = 1.0
        self._hover = -1
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_vectors(self, vectors: Sequence[Vector], limit: float | None = None) -> None:
        """Shows rows of one length; `limit` fixes the scale (by default the largest value)."""
        sizes = {np.size(vector.values) for vector in vectors}
        if len(sizes) > 1:
            raise ValueError(f"vectors of one picture need one length, got {sorted(sizes)}")
        self._vectors = list(vectors)
        top = max((float(np.abs(v.values).max(initial=0)) for v in vectors), default=1.0)
        self._limit = limit or top or 1.0
        self.data_changed()

    def set_product(self, product: bool) -> None:
        if product != self._product:
            self._product = product
            self.update()

    def set_progress(self, progress: float) -> None:
        """Sets the progress of the transition, 0..1."""
        if progress != self._progress:
            self._progress = progress
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        return {vector.name: np.asarray(vector.values) for vector in self._vectors}

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(480), len(self._vectors) * now.px(64) + now.px(40))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(240), len(self._vectors) * now.px(40) + now.px(28))

    def bar_rect(self, row: int, dimension: int) -> QRectF:
        """Returns the cell of one value; its bar rises or falls from the center line."""
        now = theme.current()
        left, bottom = now.px(96), now.px(28)
        count = max(1, len(self._vectors))
        size = max(1, np.size(self._vectors[0].values)) if self._vectors else 1
        width = min((self.width() - left - now.px(64)) / size, now.px(40))
        height = min((self.height() - bottom) / count, now.px(88))
        return QRectF(left + dimension * width, row * height, width, height)

    def draw(self, painter: QPainter) -> None:
        if not self._vectors:
            return
        now = theme.current()
        for row in range(len(self._vectors)):
            self._draw_row(painter, row)
        if self._product and 0 < self._progress < 1 and now.travels:
            self._draw_travel(painter)
        first = self.bar_rect(len(self._vectors) - 1, 0)
        line = QRectF(first.x(), first.bottom() + now.px(4), self.width() - first.x(), now.px(16))
        limit = format_number(self._limit)
        text = f"each column is one dimension; bars reach \u00b1{limit}"
        put_text(painter, line, text, now.font("label"), now.color("muted"), LEFT)

    def _draw_row(self, painter: QPainter, row: int) -> None:
        now = theme.current()
        vector = self._vectors[row]
        values = np.asarray(vector.values, dtype=np.float64).ravel()
        color = now.color(vector.role)
        first, last = self.bar_rect(row, 0), self.bar_rect(row, values.size - 1)
        middle = first.center().y()
        letter = QRectF(0, middle - now.px(12), now.px(20), now.px(24))
        put_text(painter, letter, vector.letter, now.font("title", 600), color, CENTER)
        name = QRectF(now.px(22), middle - now.px(9), now.px(68), now.px(18))
        put_text(painter, name, vector.name, now.font("label"), now.color("muted"), LEFT)
        painter.setPen(now.pen("divider"))
        painter.drawLine(QPointF(first.left(), middle), QPointF(last.right(), middle))
        is_product = self._product and row == len(self._vectors) - 1
        sum_shown = not is_product or self._progress >= 1
        for dimension, value in enumerate(values):
            grown = 1.0
            if is_product:
                half = max(0.0, self._progress * 2 - 1)
                grown = theme.stagger(half, dimension, values.size)
            self._draw_bar(
                painter,
                self.bar_rect(row, dimension),
                float(value) * grown,
                color,
                dimension == self._hover,
            )
        if is_product and sum_shown:
            total = QRectF(last.right() + 4, middle - now.px(9), now.px(60), now.px(18))
            text = "= " + format_number(float(values.sum()))
            put_text(painter, total, text, now.font("body", 600), color, LEFT)
        if 0 <= self._hover < values.size:
            place = QRectF(last.right() + 4, middle - now.px(9), now.px(56), now.px(18))
            if not is_product:
                put_text(
                    painter,
                    place,
                    format_number(float(values[self._hover])),
                    now.font("body", 600),
                    color,
                    RIGHT,
                )

    def _draw_bar(
        self, painter: QPainter, cell: QRectF, value: float, color: QColor, chosen: bool
    ) -> None:
        now = theme.current()
        reach = cell.height() / 2 - now.px(5)
        size = min(1.0, abs(value) / self._limit) * reach
        gap = min(2.0, cell.width() * 0.12)
        top = cell.center().y() - (size if value >= 0 else 0)
        bar = QRectF(cell.x() + gap, top, cell.width() - 2 * gap, max(size, 0.75))
        if chosen:
            painter.fillRect(cell, now.color("selected"))
        ink = QColor(color)
        # Direction and fill both show the sign: negative bars are hollow.
        if value < 0:
            ink.setAlphaF(0.35)
            painter.setPen(now.pen(color, 1))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawRoundedRect(bar, 1, 1)
        if cell.width() >= now.px("cell_numbers"):
            text = format_number(value)
            y = cell.top() if value < 0 else cell.bottom() - now.px(14)
            place = QRectF(cell.x(), y, cell.width(), now.px(14))
            put_text(painter, place, text, now.font("rail"), now.color("muted"))

    def _draw_travel(self, painter: QPainter) -> None:
        """Draws the first row's bars sliding onto the second's."""
        rows = len(self._vectors)
        if rows < 3:
            return
        moving, goal = rows - 3, rows - 2
        share = min(1.0, self._progress * 2)
        vector = self._vectors[moving]
        values = np.asarray(vector.values, dtype=np.float64).ravel()
        color = theme.current().color(vector.role, 0.85 if share < 1 else 0.45)
        if share >= 1 and self._progress > 0.9:
            return
        for dimension, value in enumerate(values):
            start, end = self.bar_rect(moving, dimension), self.bar_rect(goal, dimension)
            eased = theme.stagger(share, dimension, values.size)
            cell = QRectF(start)
            cell.moveTop(theme.lerp(start.y(), end.y(), eased))
            self._draw_bar(painter, cell, float(value), color, False)

    def mouseMoveEvent(self, event) -> None:
        first = self.bar_rect(0, 0)
        index = int((event.position().x() - first.x()) // max(1e-6, first.width()))
        size = np.size(self._vectors[0].values) if self._vectors else 0
        self._set_hover(index if 0 <= index < size else -1)

    def leaveEvent(self, event) -> None:
        self._set_hover(-1)

    def _set_hover(self, index: int) -> None:
        if index != self._hover:
            self._hover = index
            self.dimensionHovered.emit(index)
            self.update()
