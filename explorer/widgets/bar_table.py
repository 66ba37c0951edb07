"""A table whose first column is a bar: rows side by side, of which one can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture
from explorer.widgets.grid_keys import arrow, is_enter
from explorer.widgets.sketch import Sketch

HEAD, ROW, LINE = 24, (19, 28), 16  # px: titles; a row, least and most; a note
NAME, BAR, NUMBER = 0.2, 0.36, 76  # shares of the width; px of the number behind a bar


@dataclass(frozen=True)
class BarRow:
    """`share`: of the bar, 0 to 1; `cells`: the words behind it, then those of other columns;
    `mark`: of a note.
    """

    name: str
    share: float
    cells: tuple[str, ...]
    tip: str = ""
    mark: str = ""


class BarTable(Picture):
    """`picked(name)`: a row was clicked, or Enter was pressed on it."""

    picked = Signal(str)

    def __init__(self, name: str, titles: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._titles, self._rows, self._notes = tuple(titles), (), ()  # type: ignore[var-annotated]
        self._chosen, self._hovered = "", -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_rows(self, rows: Sequence[BarRow], notes: Sequence[str] = ()) -> None:
        self._rows, self._notes = tuple(rows), tuple(notes)
        self.data_changed()

    def set_chosen(self, name: str) -> None:
        self._chosen = name
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        table = {"name": np.array([row.name for row in self._rows])}
        for at, title in enumerate(self._titles):
            table[title] = np.array([row.cells[at] for row in self._rows])
        return Columns(table)

    def _row(self, at: int) -> QRectF:
        now, count = theme.current(), max(len(self._rows), 1)
        room = self.height() - now.px(HEAD) - now.px(LINE) * len(self._notes) - now.px(8)
        high = min(room / count, now.px(ROW[1]))
        return QRectF(0, now.px(HEAD) + at * high, self.width(), high)

    def row_at(self, point: QPointF) -> int:
        """-1 for none."""
        at = int((point.y() - self._row(0).top()) // max(self._row(0).height(), 1.0))
        return at if 0 <= at < len(self._rows) else -1

    def _columns(self, row: QRectF) -> list[QRectF]:
        """Of the bar, then of the others."""
        wide, name = row.width(), row.width() * NAME
        rest = (1 - NAME - BAR) * wide / max(len(self._titles) - 1, 1)
        bar = QRectF(name, row.top(), BAR * wide, row.height())
        others = range(len(self._titles) - 1)
        return [
            bar,
            *(QRectF(bar.right() + at * rest, row.top(), rest, row.height()) for at in others),
        ]

    def draw(self, painter: QPainter) -> None:
        sketch, now = Sketch(painter), theme.current()
        head = QRectF(0, 0, self.width(), now.px(HEAD))
        for at, (place, title) in enumerate(zip(self._columns(head), self._titles, strict=True)):
            sketch.text(place.adjusted(now.px(12), 0, 0, 0), title, align=RIGHT if at else LEFT)
        sketch.line(head.bottomLeft(), head.bottomRight(), "divider")
        for at, row in enumerate(self._rows):
            self._draw_row(sketch, self._row(at), row, at == self._hovered)
        foot = self._row(len(self._rows)).top() + now.px(6)
        for at, note in enumerate(self._notes):
            line = QRectF(4, foot + at * now.px(LINE), self.width(), now.px(LINE))
            sketch.text(line, note, align=LEFT, cut=True)
        if self.shows_focus:
            now.focus_ring(painter, QRectF(self.rect()), 4, -3)

    def _draw_row(self, sketch: Sketch, place: QRectF, row: BarRow, hovered: bool) -> None:
        now = sketch.now
        if hovered or row.name == self._chosen:
            sketch.fill(place, "selected" if row.name == self._chosen else "raised")
        name = QRectF(place.left(), place.top(), NAME * place.width(), place.height())
        sketch.text(name, f"{row.name}{row.mark}", "text", RIGHT, "body", 600)
        columns = self._columns(place)
        long = (columns[0].width() - now.px(12 + NUMBER)) * row.share
        bar = QRectF(columns[0].left() + now.px(12), place.top() + 3, long, place.height() - 6)
        sketch.fill(bar, now.series(0))
        told = QRectF(bar.right() + 6, place.top(), now.px(NUMBER), place.height())
        sketch.text(told, row.cells[0], "text", LEFT, "body")
        for column, words in zip(columns[1:], row.cells[1:], strict=True):
            sketch.text(column, words, "text", RIGHT, "body")

    def said_at(self, point: QPointF) -> str:
        at = self.row_at(point)
        return self._rows[at].tip if at >= 0 else ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.row_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def _hover(self, at: int) -> None:
        if at != self._hovered:
            self._hovered = at
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._hover(self.row_at(event.position()))
        if event.button() == Qt.MouseButton.LeftButton:
            self._pick()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is not None and move[0]:
            self._hover(min(max(self._hovered + move[0], 0), len(self._rows) - 1))
        elif is_enter(event):
            self._pick()
        else:
            super().keyPressEvent(event)

    def _pick(self) -> None:
        if self._hovered >= 0:
            self.picked.emit(self._rows[self._hovered].name)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        rows = now.px(ROW[0]) * len(self._rows) + now.px(LINE) * len(self._notes)
        return QSize(now.px(480), now.px(HEAD + 8) + rows)
