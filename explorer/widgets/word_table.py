"""A table of words: rows above one another, tokens of a text side by side, each cell shaded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from core.numbers import format_number
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, elide, put_text
from explorer.widgets.grid_keys import arrow
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.word_grid import WordGrid

NAME, STRIP, NUMBER = 72, 76, 36  # px: names of rows; bars beside the table, and their numbers
HEAD, FOOT = 18, 24  # px: titles above, tokens below
LOW, HIGH, LOWEST, NARROW, WIDE = 11, 64, 10, 56, 132  # px: rows and columns
DARKEST, UNREACHED = 0.5, 0.2  # of a cell's color; opacity of rows that nothing has come to yet


class WordTable(ScenePicture[WordGrid]):
    """`cellChosen(row, column)`: it was clicked, or the arrows went to it, at the sides beyond the
    table. Rows above the chosen one are faint. Where not all have room, a part is shown that the
    wheel moves. `tip(row, column)`: what a cell tells.
    """

    NAME = "Table of words"
    LEAST = (260, 220)
    cellChosen = Signal(int, int)

    def __init__(self, tip: Callable[[int, int], str], parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.tip = tip
        self.chosen = (0, 0)
        self._first = [0, 0]  # row and column of the part that is shown
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_chosen(self, row: int, column: int) -> None:
        self.chosen = (row, column)
        self._follow()
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        grid = self.scene
        return {} if grid is None else {"words": grid.words, "probability": grid.shares}

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        """What rows and columns of `displayed` are."""
        if self.scene is None:
            return {}
        columns = [f"{place} {name}" for place, name in enumerate(self.scene.columns)]
        return dict.fromkeys(("words", "probability"), (list(self.scene.rows), columns))

    # where things stand

    def _area(self) -> QRectF:
        now = theme.current()
        edges = now.px(NAME), now.px(HEAD), -now.px(STRIP), -now.px(FOOT)
        return QRectF(self.rect()).adjusted(*edges)

    def _shape(self) -> tuple[int, int]:
        return (0, 0) if self.scene is None else self.scene.words.shape

    def shown(self) -> tuple[int, int]:
        """How many rows and columns have room."""
        area, (rows, columns) = self._area(), self._shape()
        high = max(1, int(area.height() // theme.current().px(LOW)))
        wide = max(1, int(area.width() // theme.current().px(NARROW)))
        return min(rows, high), min(columns, wide)

    def cell(self, row: int, column: int) -> QRectF:
        now, area, (rows, columns) = theme.current(), self._area(), self.shown()
        high = min(area.height() / max(rows, 1), now.px(HIGH))
        wide = min(area.width() / max(columns, 1), now.px(WIDE))
        bottom = area.bottom() - (row - self._first[0]) * high
        left = area.left() + (column - self._first[1]) * wide
        return QRectF(left, bottom - high, wide, high)

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        """The cell under a point; below the table the lowest one of its column."""
        for row in self._range(0):
            for column in self._range(1):
                rect = self.cell(row, column)
                if row == self._first[0]:
                    rect.setBottom(self.height())
                if rect.contains(point):
                    return row, column
        return None

    def _range(self, axis: int) -> range:
        return range(self._first[axis], self._first[axis] + self.shown()[axis])

    def _follow(self) -> None:
        """Shows the part that the chosen cell is in."""
        for axis, (size, shown) in enumerate(zip(self._shape(), self.shown(), strict=True)):
            chosen = self.chosen[axis]
            first = min(max(self._first[axis], chosen - shown + 1), chosen)
            self._first[axis] = min(max(first, 0), size - shown)

    # what a person does

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned, before = event.angleDelta(), list(self._first)
        for axis, delta in ((0, turned.y()), (1, -turned.x())):
            most = self._shape()[axis] - self.shown()[axis]
            step = (delta > 0) - (delta < 0)
            self._first[axis] = min(max(self._first[axis] + step, 0), max(most, 0))
        event.setAccepted(self._first != before)  # else the page scrolls
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.cell_at(event.position())
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            below = event.position().y() > self._area().bottom()
            self.cellChosen.emit(self.chosen[0] if below else found[0], found[1])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is None or self.scene is None:
            super().keyPressEvent(event)
            return
        row, column = self.chosen[0] - move[0], self.chosen[1] + move[1]
        if 0 <= row < self._shape()[0]:
            self.cellChosen.emit(row, column)

    def said_at(self, point: QPointF) -> str:
        found = self.cell_at(point)
        return self.tip(*found) if found is not None else ""

    def resizeEvent(self, event: object) -> None:
        self._follow()

    def set_scene(self, scene: WordGrid | None) -> None:
        super().set_scene(scene)
        self._follow()

    # the picture

    def draw(self, painter: QPainter) -> None:
        if self.scene is None:
            return
        for draw in (self._draw_cells, self._draw_words, self._draw_beside):
            for row in self._range(0):
                painter.setOpacity(1.0 if row <= self.chosen[0] else UNREACHED)
                draw(painter, self.scene, row)
        painter.setOpacity(1.0)
        self._draw_edges(painter, self.scene)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(theme.current().pen("accent", 2))
        painter.drawRect(self.cell(*self.chosen))
        if self.shows_focus:
            theme.current().focus_ring(painter, self.cell(*self.chosen), 2, 1)

    def _draw_cells(self, painter: QPainter, grid: WordGrid, row: int) -> None:
        now = theme.current()
        for at in self._range(1):
            dark = DARKEST * float(grid.shares[row, at])
            fill = theme.mix(now.color("surface"), now.series(0), dark)
            painter.fillRect(self.cell(row, at).adjusted(0, 0, -1, -1), fill)

    def _draw_words(self, painter: QPainter, grid: WordGrid, row: int) -> None:
        """Later than all cells: in low rows a letter reaches into the next."""
        now = theme.current()
        for at in self._range(1):
            rect = self.cell(row, at)
            size = "mono" if rect.height() >= now.px(LOW + 4) else LOWEST
            font = now.font(size, 600 if grid.strong[row, at] else 400, mono=True)
            word = elide(str(grid.words[row, at]), font, rect.width() - 4)
            put_text(painter, rect, word, font, now.color("text"))

    def _draw_beside(self, painter: QPainter, grid: WordGrid, row: int) -> None:
        """The row's name, and its bar."""
        now, here, column = theme.current(), self.cell(row, self.chosen[1]), self.chosen[1]
        high = here.height()
        label = now.font("label" if high >= now.px(LOW + 2) else LOWEST)
        name = QRectF(0, here.top(), now.px(NAME - 8), high)
        ink = now.color("accent" if row == self.chosen[0] else "muted")
        put_text(painter, name, elide(grid.rows[row], label, name.width()), label, ink, RIGHT)
        most = float(grid.lengths[:, column].max()) or 1.0
        room, length = now.px(STRIP - NUMBER - 8), float(grid.lengths[row, column])
        bar = QRectF(self._end() + now.px(8), here.top() + 2, room * length / most, high - 5)
        painter.fillRect(bar, now.color("outline"))
        told = QRectF(self._end() + now.px(12) + room, here.top(), now.px(NUMBER), high)
        put_text(painter, told, format_number(length), label, now.color("muted"), LEFT)

    def _end(self) -> float:
        """Where the last column ends."""
        return self.cell(0, self._range(1)[-1]).right()

    def _draw_edges(self, painter: QPainter, grid: WordGrid) -> None:
        """The tokens that were read, and what is what."""
        now, area = theme.current(), self._area()
        font, label = now.font("mono", mono=True), now.font("label")
        for at in self._range(1):
            below = self.cell(self._first[0], at)
            place = QRectF(below.left(), area.bottom() + 2, below.width() - 1, now.px(FOOT - 4))
            is_chosen = at == self.chosen[1]
            painter.fillRect(place, now.color("selected" if is_chosen else "raised"))
            word = elide(grid.columns[at], font, place.width() - 4)
            put_text(painter, place, word, font, now.color("accent" if is_chosen else "text"))
        rows, columns = self._shape()
        title, first = grid.titles[0], self._first[1]
        if max(columns, grid.total) > len(self._range(1)):
            ends = grid.first + first + 1, grid.first + self._range(1)[-1] + 1
            title += f", tokens {ends[0]} to {ends[1]} of {max(columns, grid.total)}"
        top = self.cell(self._range(0)[-1], first).top() - now.px(HEAD)
        if rows > len(self._range(0)):
            title += ", scroll for more"
        head = QRectF(area.left(), top, self._end() - area.left(), now.px(HEAD))
        put_text(painter, head, elide(title, label, head.width()), label, now.color("muted"), LEFT)
        head = QRectF(self._end() + now.px(8), top, now.px(STRIP - 8), now.px(HEAD))
        put_text(painter, head, grid.titles[1], label, now.color("muted"), LEFT)
        foot = QRectF(0, area.bottom() + 2, now.px(NAME - 8), now.px(FOOT - 4))
        put_text(painter, foot, "reads", label, now.color("muted"), RIGHT)
