"""Draws how ids pick rows: tokens, their ids, the embedding matrix, and the vectors they become."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.widgets.base import RIGHT
from explorer.widgets.diagrams.inks import ink_of
from explorer.widgets.diagrams.scenes import Lookup, StepsScene
from explorer.widgets.matrix_equation import GAP, LINE, ROW, Found, dimensions, draw_strip
from explorer.widgets.sketch import Sketch
from explorer.widgets.token_strip import draw_chip

HEAD, PITCH = 38, (17, 24)  # px: two lines above the columns; a token's line, least and most
TOKEN, ID, REACH = 86, 52, 92  # px of width: a token; its id; the lines to and from the matrix
TABLE, VECTORS = (90, 150), 280  # px of width: the matrix; most of the vectors
PICKED, DIM = 4, 0.45  # px of height of a picked row; opacity of the others
TITLES = ("token", "id", "embedding matrix", "x: a vector for each token")


class LookupLayout:
    """Positions in an area: a line for each token, around the chosen one if there are too many."""

    def __init__(self, area: QRectF, scene: StepsScene, lookup: Lookup) -> None:
        now, self.scene, self.lookup = theme.current(), scene, lookup
        self.chosen, self.column = scene.symbols[-1].cell
        self.strip = area.adjusted(0, area.height() - now.px(LINE + ROW), 0, 0)
        body = area.adjusted(0, now.px(HEAD), 0, -now.px(LINE + ROW + GAP))
        count = max(1, min(len(lookup.ids), int(body.height() / now.px(PITCH[0]))))
        first = min(max(self.chosen - count // 2, 0), len(lookup.ids) - count)
        self.shown = range(first, first + count)
        self.pitch = min(body.height() / count, now.px(PITCH[1]))
        names, reach = now.px(TOKEN + ID), now.px(REACH)
        spare = body.width() - names - 2 * reach
        wide = min(max(spare * 0.35, now.px(TABLE[0])), now.px(TABLE[1]))
        vectors = max(min(spare - wide, now.px(VECTORS)), 1.0)
        left = body.left() + max(spare - wide - vectors, 0) / 2
        high, top = self.pitch * count, body.top()
        self.tokens = QRectF(left, top, now.px(TOKEN), high)
        self.ids = QRectF(self.tokens.right(), top, now.px(ID), high)
        self.table = QRectF(self.ids.right() + reach, top, wide, max(high, body.height() * 0.8))
        self.vectors = QRectF(self.table.right() + reach, top, vectors, high)

    def line(self, column: QRectF, token: int) -> QRectF:
        """Returns a token's part of a column."""
        top = column.top() + (token - self.shown.start) * self.pitch
        return QRectF(column.left(), top, column.width(), self.pitch)

    def row(self, token: int) -> float:
        """Returns the y of the row that a token picks."""
        share = (self.lookup.ids[token] + 0.5) / self.lookup.size[0]
        return self.table.top() + share * self.table.height()

    def cell_at(self, point: QPointF) -> Found | None:
        """Returns the cell of the vectors at a point; on a token or id, its chosen column's."""
        name = self.scene.symbols[-1].name
        values = self.scene.matrices[name].values
        for column in (self.tokens, self.ids, self.vectors):
            if column.contains(point):
                token = self.shown.start + int((point.y() - column.top()) / self.pitch)
                share = (point.x() - column.left()) / column.width()
                at = int(share * values.shape[1]) if column is self.vectors else self.column
                token, at = min(token, self.shown[-1]), min(at, values.shape[1] - 1)
                return Found(name, token, at, float(values[token, at]))
        return None

    def draw(self, painter: QPainter) -> None:
        sketch, lookup = Sketch(painter), self.lookup
        values = self.scene.matrices[self.scene.symbols[-1].name].values
        self._draw_titles(sketch, values.shape)
        sketch.painter.setOpacity(DIM)
        sketch.matrix(self.table, lookup.table, limit=lookup.limit)
        sketch.painter.setOpacity(1.0)
        for token in (*(one for one in self.shown if one != self.chosen), self.chosen):
            if token in self.shown:
                self._draw_token(sketch, token)
        draw_strip(sketch, self.strip, values, self.scene.symbols[-1], ())

    def _draw_titles(self, sketch: Sketch, made: tuple[int, ...]) -> None:
        line = sketch.now.px(LINE)
        columns = (self.tokens, self.ids, self.table, self.vectors)
        first, last, T = self.shown.start + 1, self.shown.stop, made[0]
        part = f"{first:,} to {last:,} of {T:,}" if len(self.shown) < T else ""
        sizes = (part, "", dimensions(self.lookup.size), dimensions(made))
        for column, words, size in zip(columns, TITLES, sizes, strict=True):
            x = column.center().x()
            ink = ink_of("embed") if column is self.table else "text"
            above = QRectF(x, column.top() - sketch.now.px(HEAD), 0, line)
            sketch.text(above, words, ink, weight=600)
            sketch.text(above.translated(0, line), size)

    def _draw_token(self, sketch: Sketch, token: int) -> None:
        """Draws one token: its id, a line to the row that the id picks, and on to its vector."""
        now, is_chosen, identity = sketch.now, token == self.chosen, self.lookup.ids[token]
        ink, width = ("accent", 2.0) if is_chosen else ("outline", 1.0)
        chip = self.line(self.tokens, token).adjusted(0, 1, 0, -2)
        words = self.scene.rows[token]
        wide = now.metrics("mono", mono=True).horizontalAdvance(words) + now.px(12)
        chip.setLeft(max(chip.left(), chip.right() - wide))
        edge, back = ("accent", "selected") if is_chosen else ("divider", "surface")
        draw_chip(sketch.painter, chip, words, *map(now.color, (back, edge, "text")))
        number = self.line(self.ids, token).adjusted(0, 0, -6, 0)
        weight = 600 if is_chosen else 400
        sketch.text(number, f"{identity}", "text", RIGHT, "mono", weight, mono=True)
        y, at, alpha = self.row(token), self.line(self.vectors, token), 1.0 if is_chosen else 0.5
        start = QPointF(self.ids.right(), number.center().y())
        sketch.line(start, QPointF(self.table.left(), y), ink, width, alpha)
        end = QPointF(self.vectors.left(), at.center().y())
        sketch.line(QPointF(self.table.right(), y), end, ink, width, alpha)
        picked = QRectF(self.table.left(), y - now.px(PICKED) / 2, self.table.width(),
                        now.px(PICKED))  # fmt: skip
        values = self.scene.matrices[self.scene.symbols[-1].name].values[token, None]
        vector = at.adjusted(0, 1, 0, -1)
        for place in (picked, vector):
            sketch.matrix(place, values, limit=self.lookup.limit, framed=False)
        if is_chosen:
            for place in (picked.adjusted(-2, -2, 2, 2), vector):
                sketch.frame(place, "accent", 2, 0)
            self._draw_row_name(sketch, f"row {identity}", y)

    def _draw_row_name(self, sketch: Sketch, words: str, y: float) -> None:
        """Writes which row is picked inside the matrix, below or above the row."""
        line, wide = sketch.now.px(LINE), sketch.now.metrics("label", 600).horizontalAdvance(words)
        below = y + line + sketch.now.px(PICKED) < self.table.bottom()
        top = y + sketch.now.px(PICKED) if below else y - line - sketch.now.px(PICKED)
        place = QRectF(self.table.center().x() - wide / 2 - 4, top, wide + 8, line)
        sketch.fill(place, "surface")
        sketch.text(place, words, "accent", weight=600)
