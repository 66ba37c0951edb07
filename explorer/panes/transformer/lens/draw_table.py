"""Paints the table of the lens: places from the bottom up, tokens side by side."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from core.numbers import format_number
from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.scene import Scene
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

NAME, STRIP, NUMBER = 72, 76, 36  # px: names of rows; bars beside the table, and their numbers
HEAD, FOOT = 18, 24  # px: titles above, tokens below
LOW, HIGH, LOWEST, NARROW, WIDE = 11, 64, 10, 56, 132  # px: rows and columns
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
    """Rows above the chosen one are faint; words come after all cells, for in low rows a letter
    reaches into the next.
    """
    for draw in (_draw_cells, _draw_words, _draw_beside):
        for row in layout.rows:
            painter.setOpacity(1.0 if row <= layout.chosen[0] else UNREACHED)
            draw(painter, layout, row)
    painter.setOpacity(1.0)
    _draw_tokens(painter, layout)
    _draw_titles(painter, layout)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(theme.current().pen("accent", 2))
    painter.drawRect(layout.cell(*layout.chosen))


def _draw_cells(painter: QPainter, layout: TableLayout, row: int) -> None:
    now = theme.current()
    for at in layout.columns:
        dark = DARKEST * float(layout.scene.shares[row, at])
        fill = theme.mix(now.color("surface"), now.series(0), dark)
        painter.fillRect(layout.cell(row, at).adjusted(0, 0, -1, -1), fill)


def _draw_words(painter: QPainter, layout: TableLayout, row: int) -> None:
    now, scene = theme.current(), layout.scene
    for at in layout.columns:
        rect = layout.cell(row, at)
        size = "mono" if layout.high >= now.px(LOW + 4) else LOWEST
        font = now.font(size, 600 if scene.found.lens.rank[row, at, 0] == 0 else 400, mono=True)
        word = elide(scene.words[row, at], font, rect.width() - 4)
        put_text(painter, rect, word, font, now.color("text"))


def _draw_beside(painter: QPainter, layout: TableLayout, row: int) -> None:
    """The row's name, and how long the stream's vector is there."""
    now, lengths = theme.current(), layout.scene.found.lens.norms[:, layout.chosen[1]]
    top, high = layout.cell(row, layout.chosen[1]).top(), layout.high
    font = now.font("label" if high >= now.px(LOW + 2) else LOWEST)
    name = QRectF(0, top, now.px(NAME - 8), high)
    ink = now.color("accent" if row == layout.chosen[0] else "muted")
    put_text(painter, name, elide(layout.scene.rows[row], font, name.width()), font, ink, RIGHT)
    room, length = now.px(STRIP - NUMBER - 8), float(lengths[row])
    long = room * length / (float(lengths.max()) or 1.0)
    bar = QRectF(layout.end + now.px(8), top + 2, long, high - 5)
    painter.fillRect(bar, now.color("outline"))
    told = QRectF(layout.end + now.px(12) + room, top, now.px(NUMBER), high)
    put_text(painter, told, format_number(length), font, now.color("muted"), LEFT)


def _draw_tokens(painter: QPainter, layout: TableLayout) -> None:
    """Those that were read."""
    now, top = theme.current(), layout.area.bottom() + 2
    font, high = now.font("mono", mono=True), now.px(FOOT - 4)
    for at in layout.columns:
        place = QRectF(layout.cell(layout.rows.start, at).left(), top, layout.wide - 1, high)
        is_chosen = at == layout.chosen[1]
        painter.fillRect(place, now.color("selected" if is_chosen else "raised"))
        word = elide(layout.scene.read[at], font, place.width() - 4)
        put_text(painter, place, word, font, now.color("accent" if is_chosen else "text"))
    foot = QRectF(0, top, now.px(NAME - 8), high)
    put_text(painter, foot, text.READS, now.font("label"), now.color("muted"), RIGHT)


def _draw_titles(painter: QPainter, layout: TableLayout) -> None:
    now, scene = theme.current(), layout.scene
    font, muted = now.font("label"), now.color("muted")
    ends = scene.columns[layout.columns.start], scene.columns[layout.columns[-1]]
    title = text.table_title(*ends, len(scene.found.ids), len(layout.rows) < len(scene.rows))
    top = layout.cell(layout.rows[-1], 0).top() - now.px(HEAD)
    head = QRectF(layout.area.left(), top, layout.end - layout.area.left(), now.px(HEAD))
    put_text(painter, head, elide(title, font, head.width()), font, muted, LEFT)
    head = QRectF(layout.end + now.px(8), top, now.px(STRIP - 8), now.px(HEAD))
    put_text(painter, head, text.LENGTH, font, muted, LEFT)
