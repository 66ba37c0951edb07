"""An equation of matrices, drawn to scale, with the numbers behind the chosen cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from core.equation import ALL, Symbol
from core.numbers import TIMES, format_number
from explorer import theme
from explorer.widgets.axis_labels import has_label, one_in
from explorer.widgets.base import RIGHT
from explorer.widgets.cell_numbers import fitting_number
from explorer.widgets.diagrams.scenes import StepsScene
from explorer.widgets.pooling import Matrix
from explorer.widgets.sketch import Sketch, around, colors_of

HEAD, LINE, NAMES = 34, 16, 72  # px: name and shape above a matrix; a line; names of rows
LEAST, CELL, ROW = 14, (52, 34), 24  # px: a side; cells with a number, and the least; a row of them
GAP = 14  # px below the matrices
LONG = 1024  # rows or columns beyond which a matrix is drawn no larger
ROLES = {"q": "q", "k": "k", "v": "v", "weights": "attention"}


class Found(NamedTuple):
    """The hovered cell."""

    name: str
    row: int
    column: int
    value: float

    def __str__(self) -> str:
        told = "" if math.isnan(self.value) else f" = {format_number(self.value)}"
        return f"{self.name}[{self.row}, {self.column}]{told}"


def extent(size: int) -> float:
    """Returns the drawn length, 0 to 1, of a side with `size` rows or columns."""
    return min(math.log2(size + 1) / math.log2(LONG), 1.0)


def dimensions(shape: Sequence[int]) -> str:
    """Formats a shape: 6 × 15 × 32."""
    return f" {TIMES} ".join(f"{size:,}" for size in shape) or "1"


def kind_of(name: str) -> str:
    """Returns the color scale of a value by its name."""
    return "attention" if name == "weights" else "diverging"


class MatrixEquation:
    """Positions of the symbols in an area."""

    def __init__(self, area: QRectF, scene: StepsScene) -> None:
        now, self.scene, self.symbols, self.rows = theme.current(), scene, scene.symbols, scene.rows
        self.shapes = [scene.shapes[one.name][:: -1 if one.turned else 1] if one.name else (0, 0)
                       for one in self.symbols]  # fmt: skip
        named = [at for at, (size, _) in enumerate(self.shapes) if size == len(self.rows) > 1]
        self.named = named[0] if named else -1  # the first symbol whose rows have names
        self.strip = QRectF(area).adjusted(0, area.height() - now.px(LINE + ROW), 0, 0)
        self.area = area.adjusted(0, 0, 0, -now.px(LINE + ROW + GAP))
        self.places = self._arranged()

    def _arranged(self) -> list[QRectF]:
        """Arranges the symbols at one scale, as large as the area allows; none is narrower than its
        text.
        """
        now, gap = theme.current(), theme.current().px(6)
        names = [now.px(NAMES) if at == self.named else 0 for at in range(len(self.symbols))]
        words = [now.metrics("body" if one.name else "title", 600).horizontalAdvance(
            self._words(one)) + now.px(8) for one in self.symbols]  # fmt: skip
        tall = max(self.area.height() - now.px(HEAD), now.px(LEAST))

        def slots(scale: float) -> list[float]:
            return [max(extent(columns) * scale, word) + (2 * gap if columns else 0)
                    for (_, columns), word in zip(self.shapes, words, strict=True)]  # fmt: skip

        scale = tall / max(extent(rows) for rows, _ in self.shapes)
        while sum(slots(scale)) + sum(names) > self.area.width() and scale > 1:
            scale *= 0.97
        wide, places = slots(scale), []
        x = self.area.left() + max(self.area.width() - sum(wide) - sum(names), 0) / 2
        for shape, slot, name in zip(self.shapes, wide, names, strict=True):
            sides = [max(extent(size) * scale, now.px(LEAST)) for size in shape]
            high, long = sides if any(shape) else (tall, slot)
            places.append(around(x + name + slot / 2, self.area.bottom() - tall / 2, long, high))
            x += name + slot
        return places

    def _words(self, symbol: Symbol) -> str:
        return symbol.words.replace("_", " ") + ("\u1d40" if symbol.turned else "")

    def _matrix(self, symbol: Symbol) -> Matrix | None:
        """Returns the numbers as displayed, transposed if the symbol is."""
        matrix = self.scene.matrices.get(symbol.name)
        turned = matrix is not None and symbol.turned
        return Matrix(matrix.values.T, matrix.thumb.T) if turned else matrix

    def cell_at(self, point: QPointF) -> Found | None:
        """Returns the cell of a value at a point, with its indices before any transposition."""
        for symbol, (rows, columns), place in zip(
            self.symbols, self.shapes, self.places, strict=True
        ):
            if symbol.name and place.contains(point):
                row = int((point.y() - place.top()) / place.height() * rows)
                column = int((point.x() - place.left()) / place.width() * columns)
                row, column = min(row, rows - 1), min(column, columns - 1)
                row, column = (column, row) if symbol.turned else (row, column)
                matrix = self.scene.matrices.get(symbol.name)
                value = math.nan if matrix is None else float(matrix.values[row, column])
                return Found(symbol.name, row, column, value)
        return None

    def draw(self, painter: QPainter) -> None:
        sketch = Sketch(painter)
        for symbol, shape, place in zip(self.symbols, self.shapes, self.places, strict=True):
            if symbol.name:
                self._draw_value(sketch, symbol, shape, place)
            else:
                sketch.text(place, symbol.words, size="title", weight=600)
        if self.named >= 0:
            self._draw_rows(sketch, self.places[self.named], self.symbols[self.named].cell[0])
        if (matrix := self.scene.matrices.get(self.symbols[-1].name)) is not None:
            columns = self.scene.columns
            draw_strip(sketch, self.strip, matrix.values, self.symbols[-1], columns)

    def _draw_value(
        self, sketch: Sketch, symbol: Symbol, shape: tuple[int, int], place: QRectF
    ) -> None:
        matrix, now = self._matrix(symbol), sketch.now
        sketch.matrix(place, None if matrix is None else matrix.thumb, kind_of(symbol.name))
        name = around(place.center().x(), place.top() - now.px(HEAD - LINE / 2), 0, now.px(LINE))
        sketch.text(
            name, self._words(symbol), ROLES.get(symbol.name, "text"), size="body", weight=600
        )
        sketch.text(name.translated(0, now.px(LINE)), dimensions(shape))
        if matrix is None:
            return
        high, wide = place.height() / shape[0], place.width() / shape[1]
        if wide >= now.px(CELL[1]) and high >= now.px(LEAST):
            colors = colors_of(matrix.values, kind_of(symbol.name))
            for row, column in np.ndindex(shape):
                cell = QRectF(place.left() + column * wide, place.top() + row * high, wide, high)
                number = float(matrix.values[row, column])
                _draw_number(sketch, cell, number, int(colors[row, column]))
        # The cells that enter the chosen one.
        row, column = symbol.cell[::-1] if symbol.turned else symbol.cell
        top, high = _span(row, shape[0], place.top(), place.height())
        left, wide = _span(column, shape[1], place.left(), place.width())
        sketch.frame(QRectF(left, top, wide, high), "text", 1.5, 0)

    def _draw_rows(self, sketch: Sketch, place: QRectF, chosen: int) -> None:
        """Draws as many names of rows as fit."""
        now, high = sketch.now, place.height() / len(self.rows)
        for at, words in enumerate(self.rows):
            if has_label(at, one_in(now.px(LINE - 3), high), chosen):
                top = place.top() + (at + 0.5) * high - now.px(LINE) / 2
                line = QRectF(place.left() - now.px(NAMES), top, now.px(NAMES - 6), now.px(LINE))
                ink = "text" if at == chosen else "muted"
                sketch.text(line, words, ink, RIGHT, mono=True, cut=True)


def draw_strip(
    sketch: Sketch, strip: QRectF, values: np.ndarray, symbol: Symbol, names: Sequence[str]
) -> None:
    """Draws the chosen row of values (R, C) cell by cell, with numbers; `names`: of the columns."""
    now, side = sketch.now, sketch.now.px(CELL[0])
    row, column = (min(at, size - 1) for at, size in zip(symbol.cell, values.shape, strict=True))
    numbers, colors = values[row], colors_of(values[row][None], kind_of(symbol.name))[0]
    count = min(int(strip.width() // side), len(numbers))
    first = min(max(column - count // 2, 0), len(numbers) - count)
    left = strip.center().x() - count * side / 2
    for at in range(first, first + count):
        place = QRectF(left + (at - first) * side, strip.top(), side - 1, now.px(LINE))
        words = names[at] if len(names) == len(numbers) else f"{at}"
        sketch.text(place, words, "text" if at == column else "muted", cut=True)
        cell = QRectF(place.left(), place.bottom(), place.width(), now.px(ROW))
        sketch.fill(cell, QColor.fromRgb(int(colors[at])))
        _draw_number(sketch, cell, float(numbers[at]), int(colors[at]))
        if at == column:
            sketch.frame(cell, "text", 1.5, 0)


def _draw_number(sketch: Sketch, cell: QRectF, value: float, packed: int) -> None:
    number = fitting_number(value, sketch.now.metrics("label"), cell.width() - 6)
    sketch.text(cell, number, theme.ink_on(QColor.fromRgb(packed)))


def _span(at: int, size: int, start: float, length: float) -> tuple[float, float]:
    """Returns the start and width of a row or column, or of ALL of them."""
    if at == ALL:
        return start, length
    side = max(length / size, theme.current().px(4))
    return start + (min(at, size - 1) + 0.5) / size * length - side / 2, side
