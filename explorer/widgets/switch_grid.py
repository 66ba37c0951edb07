"""A grid of switches: a click turns a cell, a whole row or a whole column on or off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.base import LEFT, Columns
from explorer.widgets.grid_keys import arrow, is_enter
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.sketch import Sketch

NAME, HEAD, ROW, WIDE, LABEL = 92, 16, 17, 34, 18  # px: names, head, a row, a cell, a number
ALL = -1  # instead of a row: a whole column; instead of a column: a whole row
Place = tuple[int, int]  # row and column, each or ALL


@dataclass(frozen=True)
class Switches:
    """`rows`: names with the color roles of rows; `on`: cells (row, column) that are on; `joined`:
    those drawn as one with the cell above.
    """

    rows: tuple[tuple[str, str], ...]
    columns: int
    on: frozenset[Place]
    joined: frozenset[Place] = frozenset()


class SwitchGrid(ScenePicture[Switches]):
    """Emits `toggled(cells)` with the clicked cells [(row, column), ...]. `tell(row, column, on)`
    returns the tooltip of a cell, or with ALL of a row or a column.
    """

    toggled = Signal(object)

    def __init__(
        self,
        name: str,
        title: str,
        tell: Callable[[int, int, bool], str],
        parent: QWidget | None = None,
    ) -> None:
        """Creates the grid; `title` is above the names of the rows."""
        super().__init__(name, parent)
        self._title, self._tell = title, tell
        self._at: Place | None = None  # hovered by pointer or keyboard
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _cell_width(self, scene: Switches) -> float:
        now = theme.current()
        return min((self.width() - now.px(NAME)) / max(scene.columns, 1), now.px(WIDE))

    def rect_of(self, place: Place) -> QRectF:
        """Returns the rectangle of a cell, of a row's name or of a column's number."""
        assert self.scene is not None
        now, wide = theme.current(), self._cell_width(self.scene)
        row, column = place
        top = 0 if row == ALL else now.px(HEAD) + row * now.px(ROW)
        left = 0 if column == ALL else now.px(NAME) + column * wide
        high = now.px(HEAD if row == ALL else ROW)
        return QRectF(left, top, now.px(NAME) if column == ALL else wide, high)

    def place_at(self, point: QPointF) -> Place | None:
        if self.scene is None:
            return None
        now, wide = theme.current(), self._cell_width(self.scene)
        x, y = point.x() - now.px(NAME), point.y() - now.px(HEAD)
        place = (ALL if y < 0 else int(y // now.px(ROW))), (ALL if x < 0 else int(x // wide))
        return place if np.less(place, (len(self.scene.rows), self.scene.columns)).all() else None

    def cells(self, place: Place) -> list[Place]:
        """Returns the cells that a place includes."""
        assert self.scene is not None
        rows = range(len(self.scene.rows)) if place[0] == ALL else [place[0]]
        columns = range(self.scene.columns) if place[1] == ALL else [place[1]]
        return [(row, column) for row in rows for column in columns]

    def told(self, place: Place) -> str:
        assert self.scene is not None
        return self._tell(*place, set(self.cells(place)) <= self.scene.on)

    def said_at(self, point: QPointF) -> str:
        place = self.place_at(point)
        return self.told(place) if place is not None else ""

    def draw(self, painter: QPainter) -> None:
        if self.scene is None:
            return
        sketch, now, scene = Sketch(painter), theme.current(), self.scene
        painter.setOpacity(1.0 if self.isEnabled() else theme.DISABLED_OPACITY)
        sketch.text(self.rect_of((ALL, ALL)), self._title, align=LEFT)
        every = max(1, round(now.px(LABEL) / max(self._cell_width(scene), 1)))
        for column in range(0, scene.columns, every):
            sketch.text(self.rect_of((ALL, column)), str(column))
        for row, (name, role) in enumerate(scene.rows):
            sketch.text(self.rect_of((row, ALL)), name, role, LEFT)
            for column in range(scene.columns):
                top = 0 if (row, column) in scene.joined else 1
                bottom = 0 if (row + 1, column) in scene.joined else -1
                cell = self.rect_of((row, column)).adjusted(1, top, -1, bottom)
                sketch.fill(cell, now.series(0) if (row, column) in scene.on else "raised")
        if self._at is not None:
            sketch.frame(
                self.rect_of(self._at), "accent" if self.shows_focus else "outline", 1.5, 2
            )
        elif self.shows_focus:
            now.focus_ring(painter, QRectF(self.rect()), 4, -2)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        shown = np.zeros((len(self.scene.rows), self.scene.columns), bool)
        for cell in self.scene.on:
            shown[cell] = True
        names = {self._title.lower(): np.array([name for name, _ in self.scene.rows])}
        return Columns(names | {str(at): shown[:, at] for at in range(self.scene.columns)})

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        now, count = theme.current(), len(self.scene.rows) if self.scene is not None else 0
        return QSize(now.px(160), now.px(HEAD) + count * now.px(ROW))

    # input

    def _look_at(self, place: Place | None) -> None:
        if place != self._at:
            self._at = place
            if place is not None:
                self.setAccessibleDescription(self.told(place))
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._look_at(self.place_at(event.position()))

    def leaveEvent(self, event: object) -> None:
        self._look_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouseMoveEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self._at is not None:
            self.toggled.emit(self.cells(self._at))

    def keyboard_rect(self) -> QRectF | None:
        return None if self._at is None else self.rect_of(self._at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if self.scene is not None and move is not None:
            row, column = self._at or (0, 0)
            row = min(max(row + move[0], ALL), len(self.scene.rows) - 1)
            self._look_at((row, min(max(column + move[1], ALL), self.scene.columns - 1)))
        elif is_enter(event) and self._at is not None:
            self.toggled.emit(self.cells(self._at))
        else:
            super().keyPressEvent(event)
