"""An equation of matrices, each in proportion, with the numbers that the chosen cell comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from core.equation import ALL, Term
from core.numbers import TIMES, format_number
from explorer import theme
from explorer.widgets.axis_labels import has_label, one_in
from explorer.widgets.base import RIGHT
from explorer.widgets.cell_numbers import fitting_number
from explorer.widgets.pooling import Matrix
from explorer.widgets.sketch import Sketch, around, colors_of

HEAD, LINE, NAMES = 34, 16, 72  # px: name and shape above a matrix; a line; names of rows
LEAST, CELL, ROW = 14, (52, 34), 24  # px: a side; cells with a number, and the least; a row of them
LONG = 1024  # rows or columns from which on a matrix is drawn no larger
ROLES = {"q": "q", "k": "k", "v": "v", "weights": "attention"}


class Found(NamedTuple):
    """A cell under the pointer."""

    name: str
    row: int
    column: int
    value: float

    def __str__(self) -> str:
        told = "" if math.isnan(self.value) else f" = {format_number(self.value)}"
        return f"{self.name}[{self.row}, {self.column}]{told}"


def extent(size: int) -> float:
    """How long a side with so many rows or columns is drawn, 0 to 1."""
    return min(math.log2(size + 1) / math.log2(LONG), 1.0)


def dimensions(shape: Sequence[int]) -> str:
    """6 × 15 × 32."""
    return f" {TIMES} ".join(f"{size:,}" for size in shape) or "1"


def kind_of(name: str) -> str:
    """How the numbers of a value of that name are colored."""
    return "attention" if name == "weights" else "diverging"


class MatrixEquation:
    """Where the terms stand in an area.

    shapes    (rows, columns) of each value by name
    matrices  their numbers, where they are known
    rows      what the rows of a value with as many are; columns: likewise of the result
    """

    def __init__(
        self, area: QRectF, terms: Sequence[Term], shapes: Mapping[str, tuple[int, int]],
        matrices: Mapping[str, Matrix], rows: Sequence[str] = (), columns: Sequence[str] = (),
    ) -> None:  # fmt: skip
        now = theme.current()
        self.terms, self.shapes, self.matrices = terms, shapes, matrices
        self.rows, self.columns = rows, columns
        strip = now.px(ROW + LINE + 12)
        self.area = area.adjusted(0, 0, 0, -strip)
        self.strip = QRectF(area.left(), area.bottom() - strip + 4, area.width(), strip)
        self.places = self._arranged()

    def shape(self, term: Term) -> tuple[int, int]:
        rows, columns = self.shapes[term.name]
        return (columns, rows) if term.turned else (rows, columns)

    def _arranged(self) -> list[QRectF]:
        """One scale for all sides, as large as the area lets it be; no term is narrower than its
        words.
        """
        now, named = theme.current(), self._named()
        gap, least = now.px(6), now.px(LEAST)
        words = [now.metrics("title" if not one.name else "body", 600).horizontalAdvance(
            self._words(one)) + now.px(8) for one in self.terms]  # fmt: skip
        sides = [self.shape(one) if one.name else (0, 0) for one in self.terms]
        tall = max(self.area.height() - now.px(HEAD), least)
        room = self.area.width() - (0 if named is None else now.px(NAMES))

        def slots(scale: float) -> list[float]:
            return [max(extent(columns) * scale, word) + (2 * gap if columns else 0)
                    for (_, columns), word in zip(sides, words, strict=True)]  # fmt: skip

        scale = tall / max(extent(rows) for rows, _ in sides)
        while sum(slots(scale)) > room and scale > 1:
            scale *= 0.97
        wide = slots(scale)
        x = self.area.left() + max(room - sum(wide), 0) / 2
        places = []
        for at, (term, slot) in enumerate(zip(self.terms, wide, strict=True)):
            x += now.px(NAMES) if at == named else 0
            long, high = slot, tall
            if term.name:
                high, long = (max(extent(size) * scale, least) for size in sides[at])
            places.append(around(x + slot / 2, self.area.bottom() - tall / 2, long, high))
            x += slot
        return places

    def _words(self, term: Term) -> str:
        return term.words.replace("_", " ") + ("\u1d40" if term.turned else "")

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
        sketch = Sketch(painter)
        for term, place in zip(self.terms, self.places, strict=True):
            if term.name:
                self._draw_value(sketch, term, place)
            else:
                sketch.text(place, term.words, size="title", weight=600)
        self._draw_rows(sketch)
        if (matrix := self.matrices.get(self.terms[-1].name)) is not None:
            self._draw_strip(sketch, matrix.values, self.terms[-1])

    def _draw_value(self, sketch: Sketch, term: Term, place: QRectF) -> None:
        matrix, now = self.matrices.get(term.name), sketch.now
        rows, columns = self.shape(term)
        image = None if matrix is None else matrix.thumb.T if term.turned else matrix.thumb
        sketch.matrix(place, image, kind_of(term.name))
        name = around(place.center().x(), place.top() - now.px(HEAD - LINE / 2), 0, now.px(LINE))
        sketch.text(name, self._words(term), ROLES.get(term.name, "text"), size="body", weight=600)
        sketch.text(name.translated(0, now.px(LINE)), dimensions((rows, columns)))
        if matrix is None:
            return
        wide, high = place.width() / columns, place.height() / rows
        if wide >= now.px(CELL[1]) and high >= now.px(LEAST):
            values = matrix.values.T if term.turned else matrix.values
            colors = colors_of(values, kind_of(term.name))
            for row, column in np.ndindex(values.shape):
                cell = QRectF(place.left() + column * wide, place.top() + row * high, wide, high)
                self._draw_number(
                    sketch, cell, float(values[row, column]), int(colors[row, column])
                )
        sketch.frame(self._mark(term, place), "text", 1.5, 0)

    def _draw_number(self, sketch: Sketch, cell: QRectF, value: float, packed: int) -> None:
        number = fitting_number(value, sketch.now.metrics("label"), cell.width() - 6)
        sketch.text(cell, number, theme.ink_on(QColor.fromRgb(packed)))

    def _mark(self, term: Term, place: QRectF) -> QRectF:
        """The frame round the cells that the chosen one comes from."""
        least = theme.current().px(4)
        cell = term.cell[::-1] if term.turned else term.cell
        spans = []
        for at, size, start, length in (
            (cell[1], self.shape(term)[1], place.left(), place.width()),
            (cell[0], self.shape(term)[0], place.top(), place.height()),
        ):
            side = length if at == ALL else max(length / size, least)
            middle = 0.5 if at == ALL else (min(at, size - 1) + 0.5) / size
            spans.append((start + middle * length - side / 2, side))
        (left, wide), (top, high) = spans
        return QRectF(left, top, wide, high)

    def _draw_rows(self, sketch: Sketch) -> None:
        """As many names of rows as have room."""
        if (named := self._named()) is None:
            return
        now, place, chosen = sketch.now, self.places[named], self.terms[named].cell[0]
        high = place.height() / len(self.rows)
        for at, words in enumerate(self.rows):
            if has_label(at, one_in(now.px(LINE - 3), high), chosen):
                top = place.top() + (at + 0.5) * high - now.px(LINE) / 2
                line = QRectF(place.left() - now.px(NAMES), top, now.px(NAMES - 6), now.px(LINE))
                ink = "text" if at == chosen else "muted"
                sketch.text(line, words, ink, RIGHT, mono=True, cut=True)

    def _draw_strip(self, sketch: Sketch, values: np.ndarray, term: Term) -> None:
        """The chosen row of the result, cell by cell, with numbers."""
        now, shape = sketch.now, values.shape
        row, column = (min(at, size - 1) for at, size in zip(term.cell, shape, strict=True))
        side, numbers = now.px(CELL[0]), values[row]
        count = min(int(self.strip.width() // side), len(numbers))
        first = min(max(column - count // 2, 0), len(numbers) - count)
        left = self.strip.center().x() - count * side / 2
        colors = colors_of(numbers[None], kind_of(term.name))[0]
        for at in range(first, first + count):
            top = self.strip.top() + now.px(LINE)
            cell = QRectF(left + (at - first) * side, top, side - 1, now.px(ROW))
            sketch.fill(cell, QColor.fromRgb(int(colors[at])))
            self._draw_number(sketch, cell, float(numbers[at]), int(colors[at]))
            words = self.columns[at] if len(self.columns) == len(numbers) else f"{at}"
            above = cell.translated(0, -now.px(LINE + 2))
            sketch.text(above, words, "text" if at == column else "muted", cut=True)
            if at == column:
                sketch.frame(cell, "text", 1.5, 0)
