"""Paints the table of the lens: places from the bottom up, tokens side by side."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from core.numbers import format_number
from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.scene import Scene
from explorer.widgets.base import CENTER, LEFT, RIGHT
from explorer.widgets.sketch import Sketch

NAME, STRIP, NUMBER = 72, 76, 36  # px: names of rows; bars beside the table, and their numbers
HEAD, FOOT = 18, 24  # px: titles above, tokens below
LOW, HIGH, NARROW, WIDE = 10, 64, 56, 132  # px: rows and columns
LOWEST = "rail"  # size of letters in low rows
DARKEST, UNREACHED = 0.5, 0.2  # of a cell's color; opacity of places that the cursor is before


class TableLayout:
    """Where cells stand: as many around the chosen one as have room."""

    def __init__(self, rect: QRectF, scene: Scene, chosen: tuple[int, int]) -> None:
        now = theme.current()
        self.scene, self.chosen = scene, chosen
        edges = now.px(NAME), now.px(HEAD), -now.px(STRIP), -now.px(FOOT)
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
        """Row and column under a point; a token below the table stands for the chosen row."""
        column = self.columns.start + int((point.x() - self.area.left()) // self.wide)
        row = self.rows.start + int((self.area.bottom() - point.y()) // self.high)
        row = self.chosen[0] if row < self.rows.start else row
        return (row, column) if row in self.rows and column in self.columns else None


def _around(chosen: int, count: int, room: float) -> range:
    shown = max(1, min(count, int(room)))
    first = min(max(chosen - shown // 2, 0), count - shown)
    return range(first, first + shown)


def draw_table(painter: QPainter, layout: TableLayout) -> None:
    """Words come after all cells, for in low rows a letter reaches into the next."""
    sketch, (row, column) = Sketch(painter), layout.chosen
    for draw in (_draw_cells, _draw_words, _draw_beside):
        for at in layout.rows:
            with sketch.faint(at > row, UNREACHED):
                draw(sketch, layout, at)
    _draw_edges(sketch, layout)
    sketch.frame(layout.cell(row, column), "accent", 2, 0)


def _draw_cells(sketch: Sketch, layout: TableLayout, row: int) -> None:
    for at in layout.columns:
        place, dark = layout.cell(row, at), DARKEST * float(layout.scene.shares[row, at])
        sketch.fill(place.adjusted(0, 0, -1, -1), sketch.now.series(0), dark)


def _draw_words(sketch: Sketch, layout: TableLayout, row: int) -> None:
    """What the model would say; its answer is bold."""
    scene, size = layout.scene, "mono" if layout.high >= sketch.now.px(HEAD) else LOWEST
    for at in layout.columns:
        place, word = layout.cell(row, at).adjusted(2, 0, -2, 0), scene.words[row, at]
        weight = 600 if scene.found.lens.rank[row, at, 0] == 0 else 400
        sketch.text(place, word, "text", CENTER, size, weight, mono=True, cut=True)


def _draw_beside(sketch: Sketch, layout: TableLayout, row: int) -> None:
    """The row's name, and how long the stream's vector is there."""
    px, top, high = sketch.now.px, layout.cell(row, layout.chosen[1]).top(), layout.high
    size = "label" if high >= px(HEAD) else LOWEST
    name, ink = QRectF(0, top, px(NAME - 8), high), "accent" if row == layout.chosen[0] else "muted"
    sketch.text(name, layout.scene.rows[row], ink, RIGHT, size, cut=True)
    lengths, room = layout.scene.found.lens.norms[:, layout.chosen[1]], px(STRIP - NUMBER - 8)
    long = room * float(lengths[row]) / (float(lengths.max()) or 1.0)
    sketch.fill(QRectF(layout.end + px(8), top + 2, long, high - 5), "outline")
    place = QRectF(layout.end + px(12) + room, top, px(NUMBER), high)
    sketch.text(place, format_number(float(lengths[row])), align=LEFT, size=size)


def _draw_edges(sketch: Sketch, layout: TableLayout) -> None:
    """The tokens that were read, and what is what."""
    px, scene, low = sketch.now.px, layout.scene, layout.area.bottom() + 2
    for at in layout.columns:
        left, is_chosen = layout.cell(layout.rows.start, at).left(), at == layout.chosen[1]
        place = QRectF(left, low, layout.wide - 1, px(FOOT - 4))
        ink, back = ("accent", "selected") if is_chosen else ("text", "raised")
        sketch.fill(place, back)
        sketch.text(place, scene.read[at], ink, size="mono", mono=True, cut=True)
    sketch.text(QRectF(0, low, px(NAME - 8), px(FOOT - 4)), text.READS, align=RIGHT)
    ends = scene.columns[layout.columns.start], scene.columns[layout.columns[-1]]
    title = text.table_title(*ends, len(scene.found.ids))
    top, left = layout.cell(layout.rows[-1], 0).top() - px(HEAD), layout.area.left()
    head = QRectF(left, top, layout.end - left, px(HEAD))
    sketch.text(head, title, align=LEFT, cut=True)
    sketch.text(head.translated(head.width() + px(8), 0), text.LENGTH, align=LEFT)
