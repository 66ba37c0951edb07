"""The table of the lens: a row for each place, from the bottom up, and a column for each token."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

from core.numbers import format_number
from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.scene import Scene
from explorer.widgets.base import CENTER, LEFT, RIGHT
from explorer.widgets.grid_keys import arrow
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.sketch import Sketch

NAMES, STRIP, NUMBER = 72, 76, 36  # px: row names; bars right of the table, and their numbers
HEAD, FOOT = 18, 24  # px: titles above, tokens below
LOW, HIGH, NARROW, WIDE = 10, 76, 52, 132  # px: height of a row, width of a column
LOWEST = "rail"  # size of letters in low rows
DARKEST, UNREACHED = 0.5, 0.2  # opacity of the darkest cell; of rows above the cursor


class TableLayout:
    """Positions of the cells: as many around the chosen one as fit."""

    def __init__(
        self, rect: QRectF, scene: Scene, chosen: tuple[int, int], has_norms: bool = False
    ) -> None:
        now = theme.current()
        self.scene, self.chosen, self.has_norms = scene, chosen, has_norms
        strip = now.px(STRIP) if has_norms else 2
        edges = now.px(NAMES), now.px(HEAD), -strip, -now.px(FOOT)
        self.area = area = rect.adjusted(*edges)
        self.rows = _around(chosen[0], len(scene.rows), area.height() / now.px(LOW))
        self.columns = _around(chosen[1], len(scene.columns), area.width() / now.px(NARROW))
        self.high = min(area.height() / len(self.rows), now.px(HIGH))
        self.wide = min(area.width() / len(self.columns), now.px(WIDE))
        self.end = area.left() + self.wide * len(self.columns)

    def cell(self, row: int, column: int) -> QRectF:
        left = self.area.left() + (column - self.columns.start) * self.wide
        top = self.area.bottom() - (row - self.rows.start + 1) * self.high
        return QRectF(left, top, self.wide, self.high)

    def at(self, point: QPointF) -> tuple[int, int] | None:
        """Returns (row, column) at a point; a token below the table counts as the chosen row."""
        column = self.columns.start + int((point.x() - self.area.left()) // self.wide)
        row = self.rows.start + int((self.area.bottom() - point.y()) // self.high)
        row = self.chosen[0] if row < self.rows.start else row
        return (row, column) if row in self.rows and column in self.columns else None


def _around(chosen: int, count: int, room: float) -> range:
    shown = max(1, min(count, int(room)))
    first = min(max(chosen - shown // 2, 0), count - shown)
    return range(first, first + shown)


class Table(ScenePicture[Scene]):
    """Emits `cellChosen(row, column)` when a cell is clicked or reached by an arrow key; the column
    may be outside the table. Rows above the chosen one are faint. A line in each column is below
    the first place from which the final answer leads.
    """

    NAME = "What the model would predict after each layer"
    LEAST = (260, 220)
    cellChosen = Signal(int, int)
    chosen = (0, 0)
    has_norms = False  # True: with a bar for the norm of the stream's vector in each row

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_chosen(self, row: int, column: int) -> None:
        self.chosen = (row, column)
        self.update()

    def set_norms(self, shown: bool) -> None:
        self.has_norms = shown
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        scene = self.scene
        return {} if scene is None else {"words": scene.words, "probability": scene.shares}

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        """Returns the row and column names of each array of `displayed`."""
        if self.scene is None:
            return {}
        columns = [f"{place} {name}" for place, name in enumerate(self.scene.read)]
        return dict.fromkeys(("words", "probability"), (list(self.scene.rows), columns))

    def layout_of(self, scene: Scene) -> TableLayout:
        return TableLayout(QRectF(self.rect()), scene, self.chosen, self.has_norms)

    def draw(self, painter: QPainter) -> None:
        """Draws words after all cells, because in low rows letters overlap the next row."""
        if self.scene is None:
            return
        sketch, layout, chosen = Sketch(painter), self.layout_of(self.scene), self.chosen
        for draw in (_draw_cells, _draw_words, _draw_beside):
            for at in layout.rows:
                with sketch.faint(at > chosen[0], UNREACHED):
                    draw(sketch, layout, at)
        _draw_edges(sketch, layout)
        _draw_starts(sketch, layout)
        sketch.frame(layout.cell(*chosen), "accent", 2, 0)
        if self.shows_focus:
            theme.current().focus_ring(painter, layout.cell(*chosen), 2, 1)

    def keyboard_rect(self) -> QRectF | None:
        if self.scene is None:
            return None
        return self.layout_of(self.scene).cell(*self.chosen)

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        return self.layout_of(self.scene).at(point) if self.scene is not None else None

    def said_at(self, point: QPointF) -> str:
        cell = self.cell_at(point)
        return text.cell_tip(self.scene, *cell) if self.scene is not None and cell else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.cellChosen.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is None or self.scene is None:
            super().keyPressEvent(event)
        elif 0 <= (row := self.chosen[0] - move[0]) <= self.scene.last:
            self.cellChosen.emit(row, self.chosen[1] + move[1])


def _draw_cells(sketch: Sketch, layout: TableLayout, row: int) -> None:
    for at in layout.columns:
        place, dark = layout.cell(row, at), DARKEST * float(layout.scene.shares[row, at])
        sketch.fill(place.adjusted(0, 0, -1, -1), sketch.now.series(0), dark)


def _draw_words(sketch: Sketch, layout: TableLayout, row: int) -> None:
    """Writes the likeliest tokens; those that match the final prediction are bold."""
    scene, size = layout.scene, "mono" if layout.high >= sketch.now.px(HEAD) else LOWEST
    for at in layout.columns:
        place, word = layout.cell(row, at).adjusted(2, 0, -2, 0), scene.words[row, at]
        weight = 600 if scene.found.lens.rank[row, at, 0] == 0 else 400
        sketch.text(place, word, "text", CENTER, size, weight, mono=True, cut=True)


def _draw_beside(sketch: Sketch, layout: TableLayout, row: int) -> None:
    """Draws a row's name, and the norm of the stream's vector there."""
    px, (chosen, column), high = sketch.now.px, layout.chosen, layout.high
    top, size = layout.cell(row, column).top(), "label" if high >= px(HEAD) else LOWEST
    name, ink = QRectF(0, top, px(NAMES - 8), high), "accent" if row == chosen else "muted"
    sketch.text(name, layout.scene.rows[row], ink, RIGHT, size, cut=True)
    if not layout.has_norms:
        return
    lengths, room = layout.scene.found.lens.norms[:, column], px(STRIP - NUMBER - 8)
    long = room * float(lengths[row]) / (float(lengths.max()) or 1.0)
    sketch.fill(QRectF(layout.end + px(8), top + 2, long, high - 5), "outline")
    place = QRectF(layout.end + px(12) + room, top, px(NUMBER), high)
    sketch.text(place, format_number(float(lengths[row])), align=LEFT, size=size)


def _draw_edges(sketch: Sketch, layout: TableLayout) -> None:
    """Labels the tokens that were read, the columns and the bars."""
    px, scene, low = sketch.now.px, layout.scene, layout.area.bottom() + 2
    for at in layout.columns:
        left, is_chosen = layout.cell(layout.rows.start, at).left(), at == layout.chosen[1]
        place = QRectF(left, low, layout.wide - 1, px(FOOT - 4))
        ink, back = ("accent", "selected") if is_chosen else ("text", "raised")
        sketch.fill(place, back)
        sketch.text(place, scene.read[at], ink, size="mono", mono=True, cut=True)
    sketch.text(QRectF(0, low, px(NAMES - 8), px(FOOT - 4)), text.READS, align=RIGHT)
    ends = scene.columns[layout.columns.start], scene.columns[layout.columns[-1]]
    top, left = layout.cell(layout.rows[-1], 0).top() - px(HEAD), layout.area.left()
    head = QRectF(left, top, layout.end - left, px(HEAD))
    width, titles = sketch.now.metrics("label"), text.table_titles(*ends, len(scene.found.ids))
    fitting = [one for one in titles if width.horizontalAdvance(one) <= head.width()]
    sketch.text(head, (fitting or titles[-1:])[0], align=LEFT, cut=True)
    if layout.has_norms:
        sketch.text(head.translated(head.width() + px(8), 0), text.LENGTH, align=LEFT)


def _draw_starts(sketch: Sketch, layout: TableLayout) -> None:
    """Draws a line below the first place from which each column's final answer leads."""
    for at in layout.columns:
        first = layout.scene.found.lens.leads_from(at)
        if first is not None and first in layout.rows:
            place = layout.cell(first, at)
            y = place.bottom() - 1
            with sketch.faint(first > layout.chosen[0], UNREACHED):
                sketch.line(QPointF(place.left(), y), QPointF(place.right() - 1, y), "text", 2)
