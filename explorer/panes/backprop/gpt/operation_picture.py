"""The picture of one operation: its arrays above, their gradients below."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_significant
from explorer import theme
from explorer.panes.backprop.gpt import draw_panels
from explorer.panes.backprop.gpt.axis_labels import axes_of
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.draw_panels import PanelPainter
from explorer.panes.backprop.gpt.matrix_view import strongest
from explorer.panes.backprop.gpt.operands import sources_of
from explorer.panes.backprop.gpt.panel_layout import Kept, PlacedPanel, place_panels
from explorer.panes.backprop.gpt.scene import Cell, OperationScene
from explorer.widgets.base import Picture
from explorer.widgets.grid_keys import arrow, is_enter
from explorer.widgets.lock_badge import draw_lock
from explorer.widgets.still_layer import StillLayer


class OperationPicture(Picture):
    """Signals: cellHovered(Cell or None), cellClicked(Cell)."""

    cellHovered = Signal(object)
    cellClicked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("The operation: values above, gradients below", parent)
        self.setObjectName("backprop.gpt.stage")
        self.worked: Worked | None = None
        self.scene: OperationScene | None = None
        self._head = 0
        self._share = 1.0
        self.placed: tuple[PlacedPanel, ...] = ()
        self._painter = PanelPainter()
        self._kept: Kept = {}
        self._still = StillLayer()
        self._hover: tuple[int, int, int] | None = None  # panel, row, column of the picture
        self._current: tuple[int, int, int] | None = None
        self._pinned: Cell | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # content

    def set_scene(self, worked: Worked | None, scene: OperationScene | None, head: int) -> None:
        if (worked, scene, head) != (self.worked, self.scene, self._head):
            if worked is not self.worked:
                self._painter.forget()
                self._kept.clear()
            self.worked, self.scene, self._head = worked, scene, head
            self._hover = None
            self._lay_out()
            self.data_changed()

    def set_share(self, share: float) -> None:
        """Sets the visible fraction of the arrays that appear in this step, 0..1."""
        if share != self._share:
            self._share = share
            self.update()

    def set_pinned(self, cell: Cell | None) -> None:
        if cell != self._pinned:
            self._pinned = cell
            self.update()

    def _known(self) -> list[PlacedPanel]:
        """Returns the panels whose numbers are known so far."""
        return [one for one in self.placed if one.pooled is not None]

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns each visible array in full size, for the selected head."""
        found: dict[str, np.ndarray] = {}
        for one in self._known():
            assert self.worked is not None
            array = self.worked.array(one.panel.what)
            if array is not None:
                matrix = self.worked.plane(one.panel.what, self._head).of(array)
                found[self._name(one)] = matrix
        return found

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        labels: dict[str, tuple[list[str], list[str]]] = {}
        for one in self._known():
            assert self.worked is not None
            axes, (rows, columns) = axes_of(self.worked, one.panel.what), one.size
            named = [*map(axes.row, range(rows))], [*map(axes.column, range(columns))]
            labels[self._name(one)] = named
        return labels

    @staticmethod
    def _name(one: PlacedPanel) -> str:
        return one.panel.title if one.panel.row else f"{one.panel.title}, value"

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(600), now.px(380))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(320), now.px(220))

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def on_theme_changed(self) -> None:
        self._painter.forget()
        self._lay_out()
        super().on_theme_changed()

    def _lay_out(self) -> None:
        self.placed = ()
        self._still.forget()
        if self.worked is not None and self.scene is not None:
            room = QRectF(self.rect())
            self.placed = place_panels(self.worked, self.scene, self._head, room, self._kept)
        self._current, self._hover = map(self._still_there, (self._current, self._hover))

    def _still_there(self, place: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
        """Returns a cell if the new panels have it too, or None."""
        if place is None or place[0] >= len(self.placed):
            return None
        rows, columns = self.placed[place[0]].cells
        return place if place[1] < rows and place[2] < columns else None

    # painting

    def draw(self, painter: QPainter) -> None:
        worked, scene = self.worked, self.scene
        if worked is None or scene is None:
            return
        self._still.draw(
            painter,
            QPointF(0, 0),
            (float(self.width()), float(self.height())),
            self.placed,
            lambda to: self._draw_still(to, worked, scene),
        )
        for one in self.placed:
            if one.panel.state == "coming":
                left = not scene.backward
                self._painter.draw_map(painter, worked, one, self._head, self._share, left)
        self._draw_marks(painter)

    def _draw_still(self, painter: QPainter, worked: Worked, scene: OperationScene) -> None:
        draw_panels.draw_heads(painter, scene, self.placed)
        for one in self.placed:
            if one.panel.state != "coming":
                self._painter.draw_map(painter, worked, one, self._head, 1.0, True)
            self._painter.draw_frame(painter, worked, one)

    def _draw_marks(self, painter: QPainter) -> None:
        now = theme.current()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._hover is not None and self._hover[0] < len(self.placed):
            painter.setPen(now.pen("text", 1.5))
            painter.drawRect(_seen(self.placed[self._hover[0]].cell_rect(*self._hover[1:])))
        self._draw_sources(painter)
        pinned = self._pinned_place()
        if pinned is not None:
            rect = _seen(self.placed[pinned[0]].cell_rect(*pinned[1:]))
            painter.setPen(now.pen("accent", 2))
            painter.drawRect(rect.adjusted(-1, -1, 1, 1))
            if rect.width() >= now.px(18):
                draw_lock(painter, rect, self.icon_pixmap("pin", "on_accent", 10))
        current = self.keyboard_rect()
        if current is not None and self.shows_focus:
            now.focus_ring(painter, _seen(current), radius=3)

    def _looked_at(self) -> Cell | None:
        """Returns the number whose operands are framed: pinned, hovered, or focused by keyboard."""
        if self._pinned is not None and self.shows(self._pinned):
            return self._pinned
        return self.cell(self._hover) or (self.cell(self._current) if self.shows_focus else None)

    def _draw_sources(self, painter: QPainter) -> None:
        """Frames the rows, columns and cells that a number was computed from."""
        cell = self._looked_at()
        if cell is None or self.worked is None or cell.head != self._head:
            return
        painter.setPen(theme.current().pen("accent", 1.5))
        for source in sources_of(self.worked, cell):
            for one in self.placed:
                if one.panel.what == source.what and one.pooled is not None:
                    painter.drawRect(_seen(one.span(source.row, source.column)))

    def _pinned_place(self) -> tuple[int, int, int] | None:
        cell = self._pinned
        if cell is None or cell.head != self._head:
            return None
        for number, one in enumerate(self.placed):
            if one.panel.what == cell.what and one.pooled is not None:
                rows, columns = one.pooled.rows, one.pooled.columns
                return number, cell.row // rows, cell.column // columns
        return None

    # mouse and keyboard

    def cell(self, place: tuple[int, int, int] | None) -> Cell | None:
        """Returns the number behind a cell of the picture."""
        if place is None or self.worked is None or place[0] >= len(self.placed):
            return None
        one = self.placed[place[0]]
        if one.pooled is None:
            return None
        what, row, column = one.panel.what, place[1], place[2]
        if one.pooled.rows * one.pooled.columns > 1:
            array = self.worked.array(what)
            assert array is not None
            matrix = self.worked.plane(what, self._head).of(array)
            row, column = strongest(matrix, one.pooled, row, column)
        return Cell(what, self._head, row, column)

    def shows(self, cell: Cell) -> bool:
        """True if the array of a number is visible."""
        seen = (one for one in self.placed if one.pooled is not None)
        return any(one.panel.what == cell.what for one in seen)

    def place_at(self, point: QPointF) -> tuple[int, int, int] | None:
        for number, one in enumerate(self.placed):
            found = one.cell_at(point) if one.pooled is not None else None
            if found is not None:
                return (number, *found)
        return None

    def describe(self, cell: Cell) -> str:
        """Describes one number in words."""
        assert self.worked is not None
        array = self.worked.array(cell.what)
        plane = self.worked.plane(cell.what, cell.head)
        axes = axes_of(self.worked, cell.what)
        one = next(one for one in self.placed if one.panel.what == cell.what)
        value = float("nan") if array is None else float(array[plane.index(cell.row, cell.column)])
        where = f"{axes.row(cell.row)}, {axes.column(cell.column)}"
        head = "" if plane.axis is None else f", head {cell.head}"
        return f"{self._name(one)}{head}, {where}: {format_significant(value)}"

    def _hover_at(self, place: tuple[int, int, int] | None) -> None:
        if place != self._hover:
            self._hover = place
            self.cellHovered.emit(self.cell(place))
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover_at(self.place_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.place_at(event.position())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go_to(place)
            self.cellClicked.emit(self.cell(place))

    def keyboard_rect(self) -> QRectF | None:
        here = self._current
        return None if here is None else self.placed[here[0]].cell_rect(*here[1:])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is not None and self.placed:
            self._go_to(self._moved(move))
            self.cellHovered.emit(self.cell(self._current))
        elif is_enter(event) and self._current is not None:
            self.cellClicked.emit(self.cell(self._current))
        else:
            super().keyPressEvent(event)

    def _moved(self, move: tuple[int, int]) -> tuple[int, int, int]:
        """Returns the next cell; at the edge of a panel, one in the neighboring panel."""
        seen = [n for n, one in enumerate(self.placed) if one.pooled is not None]
        if self._current is None:
            return seen[0], 0, 0
        number, row, column = self._current
        rows, columns = self.placed[number].cells
        row, column = row + move[0], column + move[1]
        beside = number + 2 * move[1] + move[0]
        inside = 0 <= row < rows and 0 <= column < columns
        here = self.placed[number].panel
        if not inside and beside in seen:
            there = self.placed[beside].panel
            if here.column == there.column or here.row == there.row:
                more_rows, more_columns = self.placed[beside].cells
                row = min(row, more_rows - 1) if not move[0] else (move[0] < 0) * (more_rows - 1)
                far = (move[1] < 0) * (more_columns - 1)
                column = min(column, more_columns - 1) if not move[1] else far
                return beside, row, column
        return number, min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)

    def _go_to(self, place: tuple[int, int, int]) -> None:
        self._current = place
        cell = self.cell(place)
        if cell is not None:
            self.setAccessibleDescription(self.describe(cell))
        self.update()

    def said_at(self, point: QPointF) -> str:
        cell = self.cell(self.place_at(point))
        return self.describe(cell) if cell else ""


def _seen(rect: QRectF) -> QRectF:
    """Returns a rectangle large enough for a visible frame, even for a cell of one pixel."""
    grow = max(0.0, (6 - min(rect.width(), rect.height())) / 2)
    return rect.adjusted(-grow, -grow, grow, grow)
