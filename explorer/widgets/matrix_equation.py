"""An equation of matrices, each in proportion, with the numbers that the chosen cell comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from core.equation import ALL, Term
from core.numbers import TIMES
from explorer import theme
from explorer.widgets.axis_labels import has_label, one_in
from explorer.widgets.base import RIGHT, elide, put_text
from explorer.widgets.cell_numbers import fitting_number
from explorer.widgets.matrix_drawing import colors_of, draw_matrix
from explorer.widgets.pooling import Matrix

HEAD, LINE, NAMES = 34, 16, 72  # px: name and shape above a matrix; a line; names of rows
LEAST, CELL, ROW = 14, 52, 24  # px: a matrix's side; a cell with a number, and its height
LONG = 1024  # rows or columns from which on a matrix is drawn no larger
ROLES = {"q": "q", "k": "k", "v": "v", "weights": "attention"}


class Found(NamedTuple):
    """A cell under the pointer."""

    name: str
    row: int
    column: int
    value: float


def extent(size: int) -> float:
    """How long a side with so many rows or columns is drawn, 0 to 1."""
    return min(math.log2(size + 1) / math.log2(LONG), 1.0)


def dimensions(shape: Sequence[int]) -> str:
    """6 × 15 × 32."""
    return f" {TIMES} ".join(f"{size:,}" for size in shape) or "1"


def kind_of(name: str) -> str:
    return "attention" if name == "weights" else "diverging"


class MatrixEquation:
    """Where the terms stand in an area.

    shapes    (rows, columns) of each value by name
    matrices  their numbers, where they are known
    rows      what the rows of a value with as many are; columns  likewise of the result
    """

    def __init__(
        self,
        area: QRectF,
        terms: Sequence[Term],
        shapes: Mapping[str, tuple[int, int]],
        matrices: Mapping[str, Matrix],
        rows: Sequence[str] = (),
        columns: Sequence[str] = (),
    ) -> None:
        now = theme.current()
        self.terms, self.shapes, self.matrices = terms, shapes, matrices
        self.rows, self.columns = rows, columns
        strip = now.px(ROW + LINE + 12)
        self.area = area.adjusted(0, 0, 0, -strip)
        self.strip = QRectF(area.left(), area.bottom() - strip + now.px(4), area.width(), strip)
        self.places = self._arranged()

    def shape(self, term: Term) -> tuple[int, int]:
        rows, columns = self.shapes[term.name]
        return (columns, rows) if term.turned else (rows, columns)

    def _arranged(self) -> list[QRectF]:
        """One scale for all sides, as large as the area lets it be; signs as wide as they are."""
        now, metrics = theme.current(), theme.current().metrics("title", 600)
        gap, named = now.px(6), self._named()
        names = 0 if named is None else now.px(NAMES)
        signs = [metrics.horizontalAdvance(one.words) + now.px(8) for one in self.terms]
        values = [self.shape(one) for one in self.terms if one.name]
        taken = sum(wide for one, wide in zip(self.terms, signs, strict=True) if not one.name)
        room = self.area.width() - names - taken - 2 * gap * len(values)
        tall = self.area.height() - now.px(HEAD)
        wide = sum(extent(columns) for _, columns in values)
        scale = min(room / wide, tall / max(extent(rows) for rows, _ in values))
        used = taken + 2 * gap * len(values) + wide * scale
        x = self.area.left() + max(self.area.width() - names - used, 0) / 2
        places = []
        for at, (term, sign) in enumerate(zip(self.terms, signs, strict=True)):
            rows, columns = self.shape(term) if term.name else (1, 1)
            x += names if at == named else 0
            high = max(extent(rows) * scale, now.px(LEAST)) if term.name else tall
            long = extent(columns) * scale if term.name else sign
            x += gap if term.name else 0
            top = self.area.top() + now.px(HEAD) + (tall - high) / 2
            places.append(QRectF(x, top, max(long, now.px(LEAST)) if term.name else long, high))
            x += long + (gap if term.name else 0)
        return places

    def _named(self) -> int | None:
        """The first term whose rows have names."""
        has = [bool(one.name) and self.shape(one)[0] == len(self.rows) for one in self.terms]
        return has.index(True) if True in has and len(self.rows) > 1 else None

    def cell_at(self, point: QPointF) -> Found | None:
        """The cell of a value under a point, as it is stored: of a turned one turned back."""
        for term, place in zip(self.terms, self.places, strict=True):
            if not term.name or not place.contains(point):
                continue
            rows, columns = self.shape(term)
            row = min(int((point.y() - place.top()) / place.height() * rows), rows - 1)
            column = min(int((point.x() - place.left()) / place.width() * columns), columns - 1)
            row, column = (column, row) if term.turned else (row, column)
            matrix = self.matrices.get(term.name)
            value = math.nan if matrix is None else float(matrix.values[row, column])
            return Found(term.name, row, column, value)
        return None

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        for term, place in zip(self.terms, self.places, strict=True):
            if term.name:
                self._draw_value(painter, term, place)
            else:
                font, color = now.font("title", 600), now.color("muted")
                put_text(painter, place, term.words, font, color)
        self._draw_rows(painter)
        self._draw_strip(painter)

    def _draw_value(self, painter: QPainter, term: Term, place: QRectF) -> None:
        now, (rows, columns) = theme.current(), self.shape(term)
        matrix = self.matrices.get(term.name)
        image = None if matrix is None else matrix.thumb.T if term.turned else matrix.thumb
        draw_matrix(painter, place, image, kind_of(term.name))
        name = QRectF(place.center().x() - now.px(90), place.top() - now.px(HEAD), now.px(180),
                      now.px(LINE))  # fmt: skip
        words = term.words.replace("_", " ") + ("\u1d40" if term.turned else "")
        ink = now.color(ROLES.get(term.name, "text"))
        put_text(painter, name, words, now.font("body", 600), ink)
        name.translate(0, now.px(LINE))
        shape = dimensions((rows, columns))
        put_text(painter, name, shape, now.font("label"), now.color("muted"))
        if matrix is not None:
            painter.setPen(now.pen("text", 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self._mark(term, place))

    def _mark(self, term: Term, place: QRectF) -> QRectF:
        """The frame round the cells that the chosen one comes from."""
        least = theme.current().px(4)
        cell = term.cell[::-1] if term.turned else term.cell
        spans = []
        for at, size, start, length in (
            (cell[1], self.shape(term)[1], place.left(), place.width()),
            (cell[0], self.shape(term)[0], place.top(), place.height()),
        ):
            if at == ALL:
                spans.append((start, length))
                continue
            side = max(length / size, least)
            middle = start + (min(at, size - 1) + 0.5) * length / size
            spans.append((middle - side / 2, side))
        (left, wide), (top, high) = spans
        return QRectF(left, top, wide, high)

    def _draw_rows(self, painter: QPainter) -> None:
        """As many names of rows as have room."""
        if (named := self._named()) is None:
            return
        now, font = theme.current(), theme.current().font("label", mono=True)
        place, chosen = self.places[named], self.terms[named].cell[0]
        high = place.height() / len(self.rows)
        every = one_in(now.px(LINE - 3), high)
        for at, words in enumerate(self.rows):
            if has_label(at, every, chosen):
                middle = place.top() + (at + 0.5) * high
                line = QRectF(place.left() - now.px(NAMES), middle - now.px(LINE) / 2,
                              now.px(NAMES - 6), now.px(LINE))  # fmt: skip
                ink = now.color("text" if at == chosen else "muted")
                put_text(painter, line, elide(words, font, line.width()), font, ink, RIGHT)

    def _draw_strip(self, painter: QPainter) -> None:
        """The chosen row of the result, cell by cell, with numbers."""
        now, term = theme.current(), self.terms[-1]
        matrix = self.matrices.get(term.name)
        if matrix is None:
            return
        row, column = (min(at, size - 1) for at, size in zip(term.cell, matrix.values.shape,
                                                               strict=True))  # fmt: skip
        values, side = matrix.values[row], now.px(CELL)
        named = len(self.columns) == len(values)
        count = min(int(self.strip.width() // side), len(values))
        first = min(max(column - count // 2, 0), len(values) - count)
        left = self.strip.center().x() - count * side / 2
        limit = float(np.abs(np.nan_to_num(values, posinf=0, neginf=0)).max()) or 1.0
        packed = colors_of(values[None], kind_of(term.name), limit)[0]
        font, metrics = now.font("label"), now.metrics("label")
        for at in range(count):
            cell = QRectF(left + at * side, self.strip.top() + now.px(LINE), side, now.px(ROW))
            index = first + at
            back = type(now.color("text")).fromRgb(int(packed[index]))
            painter.fillRect(cell.adjusted(0, 0, -1, 0), back)
            number = fitting_number(float(values[index]), metrics, side - 6)
            put_text(painter, cell, number, font, theme.ink_on(back))
            above = cell.translated(0, -now.px(LINE + 2))
            words = self.columns[index] if named else f"{index}"
            ink = now.color("text" if index == column else "muted")
            put_text(painter, above, elide(words, font, side - 4), font, ink)
            if index == column:
                painter.setPen(now.pen("text", 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(cell.adjusted(0, 0, -1, 0))
