"""A heat map with labels on both axes, numbers in its cells, masked cells and a color bar."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number
from explorer import theme
from explorer.widgets.axis_labels import AxisLabels, label_room
from explorer.widgets.base import Picture, packed_image, packed_table, visible_text
from explorer.widgets.cell_numbers import draw_cell_numbers
from explorer.widgets.cell_tip import CellTip
from explorer.widgets.color_bar import ColorBar
from explorer.widgets.grid_keys import arrow, is_enter
from explorer.widgets.lock_badge import draw_lock

OVERHANG = 56  # px right of the cells for the last slanted label
LOW = 300  # px: the height below which axes have no titles


class HeatMap(Picture):
    """Values (R, C) as colored cells.

    Scale "attention" covers 0..1 unless limits are given; "diverging" is symmetric about 0. The
    signals carry (-1, -1) when the pointer has left.
    """

    cellHovered = Signal(int, int)
    cellClicked = Signal(int, int)
    currentChanged = Signal(int, int)

    def __init__(self, name: str = "Heat map", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._values = np.zeros((0, 0), dtype=np.float32)
        self._mask: np.ndarray | None = None
        self._rows: list[str] = []
        self._columns: list[str] = []
        self._titles = ("", "")
        self._named = False
        self._bar = ColorBar()
        self._highlight: tuple[int | None, int | None] = (None, None)
        self._current: tuple[int, int] | None = None
        self._hover: tuple[int, int] | None = None
        self._image = None
        self._tip = CellTip(self)
        self._still: tuple[tuple[object, ...], QPixmap] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # State ---------------------------------------------------------------------------------------

    def set_values(self, values: np.ndarray, mask: np.ndarray | None = None) -> None:
        """Shows `values` (R, C); cells where `mask` (R, C) bool is True are hatched, not colored.

        Raises ValueError if the shapes differ.
        """
        values = np.asarray(values, dtype=np.float32)
        if values.ndim != 2 or (mask is not None and np.shape(mask) != values.shape):
            raise ValueError(
                f"a heat map needs values (R, C) and a mask of that shape, got {values.shape} "
                f"and {None if mask is None else np.shape(mask)}"
            )
        self._values = values
        self._mask = None if mask is None else np.asarray(mask, dtype=bool)
        if self._current is not None and not np.less(self._current, values.shape).all():
            self._current = None
        self._image = None
        self.data_changed()

    def set_labels(self, rows: list[str], columns: list[str], named: bool = False) -> None:
        """Sets token pieces beside the rows and above the columns with visible whitespace or, if
        `named`, names, which are elided only if there is no space for them."""
        self._named = named
        self._rows = [visible_text(text) for text in rows]
        self._columns = [visible_text(text) for text in columns]
        self.data_changed()

    def set_axis_titles(self, rows: str, columns: str) -> None:
        """Sets the titles of the axes ("query", "key it looks at")."""
        self._titles = (rows, columns)
        self.data_changed()

    def set_scale(
        self,
        kind: str = "attention",
        low: float | None = None,
        high: float | None = None,
        note: str = "",
    ) -> None:
        """Chooses the color map: "attention" (low..high, 0..1 by default) or "diverging"."""
        self._bar.set_scale(kind, low, high, note)
        self._image = None
        self.data_changed()

    def set_highlight(self, row: int | None = None, column: int | None = None) -> None:
        """Frames one row and one column; a cell is pinned at their intersection."""
        if (row, column) != self._highlight:
            self._highlight = (row, column)
            self.update()

    def set_current(self, row: int, column: int) -> None:
        """Moves the current cell (focus ring) without emitting a signal."""
        if self._values.size and self._current != (row, column):
            rows, columns = self._values.shape
            self._current = (min(max(row, 0), rows - 1), min(max(column, 0), columns - 1))
            self._announce()
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        shown = {"values": self._values}
        return shown if self._mask is None else {**shown, "mask": self._mask}

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        """Returns names of the rows and columns of `displayed`: the tokens with their positions."""
        axes = (self._rows, self._columns)
        rows, columns = ([f"{place} {text}" for place, text in enumerate(axis)] for axis in axes)
        return dict.fromkeys(("values", "mask"), (rows, columns))

    def limits(self) -> tuple[float, float]:
        """Returns the values at the two ends of the color bar."""
        return self._bar.limits(self._values, self._mask)

    # Geometry ------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(480), theme.current().px(480))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(200), theme.current().px(160))

    def grid_rect(self) -> QRectF:
        """Returns the rectangle of all cells, which are square and at most 56 px."""
        now = theme.current()
        rows, columns = self._values.shape
        left, top = self.label_room()
        right, bottom = now.px(OVERHANG), now.px(36)
        # A slanted label over the last column extends to the right.
        free_width = self.width() - left - max(right, now.px(8))
        free_height = self.height() - top - bottom
        side = min(free_width / max(1, columns), free_height / max(1, rows), now.px(56))
        side = max(side, 0.5)
        if side >= 4:
            side = float(int(side))
        x = left + max(0.0, (free_width - side * columns) / 2)
        return QRectF(round(x), top, side * columns, side * rows)

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Returns the rectangle of one cell in widget coordinates."""
        grid = self.grid_rect()
        side = self._side(grid)
        return QRectF(grid.x() + column * side, grid.y() + row * side, side, side)

    def cell_at(self, place: QPointF) -> tuple[int, int] | None:
        """Returns the cell at a point, or None."""
        grid = self.grid_rect()
        side = self._side(grid)
        if not self._values.size or not grid.contains(place):
            return None
        rows, columns = self._values.shape
        row = min(int((place.y() - grid.y()) / side), rows - 1)
        return row, min(int((place.x() - grid.x()) / side), columns - 1)

    def _side(self, grid: QRectF) -> float:
        return grid.width() / max(1, self._values.shape[1])

    @property
    def _titled(self) -> tuple[str, str]:
        """The titles of the axes, empty if the map is too low for them."""
        return self._titles if self.height() >= theme.current().px(LOW) else ("", "")

    def width_with_numbers(self) -> int:
        """Returns the width from which on cells show their numbers, if the height allows."""
        cells = self._values.shape[1] * theme.current().px("cell_numbers")
        return round(self.label_room()[0] + cells + theme.current().px(OVERHANG))

    def label_room(self) -> tuple[float, float]:
        return label_room(self._rows, self._columns, self._titled, self._named)

    # Painting ------------------------------------------------------------------------------------

    def draw(self, painter: QPainter) -> None:
        if not self._values.size:
            return
        now = theme.current()
        painter.drawPixmap(0, 0, self._still_layer())
        grid = self.grid_rect()
        self._draw_frames(painter, grid, self._side(grid))
        if self._current is not None and self.shows_focus:
            now.focus_ring(painter, self.cell_rect(*self._current), radius=3)

    def _still_layer(self) -> QPixmap:
        """Returns everything but frames and focus, cached: hovering must not redraw the numbers."""
        key = (self.width(), self.height(), self.ratio, self._highlight)
        if self._still is None or self._still[0] != key:
            now = theme.current()
            pixmap = theme.device_pixmap(self.width(), self.height(), self.ratio)
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            grid = self.grid_rect()
            side = self._side(grid)
            self._draw_cells(painter, grid)
            if side >= now.px("cell_numbers") and self._values.size <= 32 * 32:
                levels = self._bar.levels(self._values, *self.limits())
                inks = self._bar.inks()
                draw_cell_numbers(painter, self._values, self._mask, inks, levels, self.cell_rect)
            self._draw_lines(painter, grid, side)
            self._draw_labels(painter, grid)
            width = max(min(self.width() - grid.x() - now.px(8), now.px(320)), now.px(160))
            bar = QRectF(grid.x(), grid.bottom() + now.px(8), width, now.px(26))
            self._bar.draw(painter, bar, *self.limits())
            painter.end()
            self._still = (key, pixmap)
        return self._still[1]

    def _draw_cells(self, painter: QPainter, grid: QRectF) -> None:
        if self._image is None:
            levels = self._bar.levels(self._values, *self.limits())
            packed = packed_table(self._bar.table())[levels]
            if self._mask is not None:
                packed[self._mask] = theme.current().color("surface").rgb()
            self._image = packed_image(packed)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(grid, self._image)
        if self._mask is not None and self._mask.any():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.current().hatch())
            side = self._side(grid)
            for row in range(self._mask.shape[0]):
                hidden = np.flatnonzero(np.diff(np.r_[0, self._mask[row].astype(np.int8), 0]))
                for start, end in zip(hidden[::2], hidden[1::2], strict=True):
                    x = grid.x() + float(start) * side
                    painter.drawRect(
                        QRectF(x, grid.y() + row * side, float(end - start) * side, side)
                    )

    def _draw_lines(self, painter: QPainter, grid: QRectF, side: float) -> None:
        now = theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if side >= 12:
            painter.setPen(now.pen("divider", 1, 0.6))
            rows, columns = self._values.shape
            for row in range(1, rows):
                y = round(grid.y() + row * side)
                painter.drawLine(round(grid.x()), y, round(grid.right()), y)
            for column in range(1, columns):
                x = round(grid.x() + column * side)
                painter.drawLine(x, round(grid.y()), x, round(grid.bottom()))
        painter.setPen(now.pen("divider"))
        painter.drawRect(grid)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _draw_frames(self, painter: QPainter, grid: QRectF, side: float) -> None:
        """Draws the frames of the highlighted row and column and of the hovered cell."""
        now = theme.current()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        row, column = self._highlight
        for index, is_row in ((row, True), (column, False)):
            if index is not None and index < self._values.shape[0 if is_row else 1]:
                cell = self.cell_rect(index if is_row else 0, 0 if is_row else index)
                span = (
                    QRectF(grid.x(), cell.y(), grid.width(), side)
                    if is_row
                    else QRectF(cell.x(), grid.y(), side, grid.height())
                )
                painter.setPen(now.pen("q" if is_row else "k", 2))
                painter.drawRoundedRect(span.adjusted(-1, -1, 1, 1), 2, 2)
        if row is not None and column is not None and side >= now.px(12):
            pin = self.icon_pixmap("pin", "on_accent", 10)
            draw_lock(painter, self.cell_rect(row, column), pin)
        if self._hover is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(now.pen("text", 1.5))
            painter.drawRect(self.cell_rect(*self._hover))

    def _draw_labels(self, painter: QPainter, grid: QRectF) -> None:
        room = min(self.label_room()[0] - theme.current().px(12), grid.x() - theme.current().px(8))
        row, column = self._highlight
        labels = AxisLabels(painter, grid, self._side(grid), self.width(), self._named)
        labels.draw_rows(self._rows[: self._values.shape[0]], row, room, self._titled[0])
        labels.draw_columns(self._columns[: self._values.shape[1]], column, self._titled[1])

    # Interaction ---------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hover(self.cell_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.set_current(*cell)
            self.cellClicked.emit(*cell)

    def keyboard_rect(self) -> QRectF | None:
        return None if self._current is None else self.cell_rect(*self._current)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is not None and self._values.size:
            row, column = self._current or (0, 0)
            before = self._current
            self.set_current(row + move[0], column + move[1])
            if self._current is not None and self._current != before:
                self.currentChanged.emit(*self._current)
        elif is_enter(event) and self._current is not None:
            self.cellClicked.emit(*self._current)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tip.show(event)
            return True
        return super().event(event)

    def describe(self, row: int, column: int) -> str:
        """Describes one cell: its complete labels and its value."""
        rows = self._rows[row] if row < len(self._rows) else f"row {row}"
        columns = self._columns[column] if column < len(self._columns) else f"column {column}"
        if self._mask is not None and self._mask[row, column]:
            return f"{rows} \u2192 {columns}: masked"
        return f"{rows} \u2192 {columns}: {format_number(float(self._values[row, column]))}"

    def focusInEvent(self, event) -> None:
        if self._current is None and self._values.size:
            self.set_current(0, 0)
        self.update()
        super().focusInEvent(event)

    def data_changed(self) -> None:
        self._still = None
        self._tip.renew()
        super().data_changed()

    def on_theme_changed(self) -> None:
        self._image = self._still = None
        super().on_theme_changed()

    def _announce(self) -> None:
        if self._current is not None:
            self.setAccessibleDescription(self.describe(*self._current))

    def _set_hover(self, cell: tuple[int, int] | None) -> None:
        if cell != self._hover:
            self._hover = cell
            self.cellHovered.emit(*(cell or (-1, -1)))
            self.update()
