"""A picture of a scene in which a click, or arrow keys and Enter, choose things."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.grid_keys import arrow, is_enter
from explorer.widgets.scene_picture import ScenePicture

Scene = TypeVar("Scene")
NONE = -1  # no thing


class ChoicePicture(ScenePicture[Scene]):
    """Emits `picked(thing)` when the user chooses a thing, and `pointed(thing)` when the pointer or
    the keyboard moves to one (NONE: to none). Things are numbered from 0.
    """

    picked = Signal(int)
    pointed = Signal(int)

    def __init__(self, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.hovered = NONE
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    @abstractmethod
    def draw_scene(self, painter: QPainter, scene: Scene) -> None:
        """Draws the scene; `hovered` is the thing under the pointer or the keyboard cursor."""

    def rects(self, scene: Scene) -> Sequence[QRectF]:
        """Returns the rectangle of each thing from top to bottom, if things are rectangles."""
        return ()

    def thing_at(self, point: QPointF) -> int:
        """Returns the thing at a point, or NONE."""
        rects = self.rects(self.scene) if self.scene is not None else ()
        return next((at for at, rect in enumerate(rects) if rect.contains(point)), NONE)

    def keyboard_rect(self) -> QRectF | None:
        rects = self.rects(self.scene) if self.scene is not None else ()
        return rects[self.hovered] if 0 <= self.hovered < len(rects) else None

    def things(self) -> Sequence[int]:
        """Returns the things that Up and Down visit, from top to bottom."""
        return range(len(self.rects(self.scene))) if self.scene is not None else ()

    def columns(self) -> int:
        """Returns how many things are side by side; if one, Left and Right control the player."""
        return 1

    @abstractmethod
    def told(self, thing: int) -> str:
        """Returns a thing's tooltip."""

    def set_scene(self, scene: Scene | None) -> None:
        """Shows another scene; a hovered thing stays hovered if it still exists."""
        super().set_scene(scene)
        self.hovered = self.hovered if self.hovered in self.things() else NONE

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            self.draw_scene(painter, self.scene)
            if self.shows_focus:
                theme.current().focus_ring(painter, QRectF(self.rect()), 4, -2)

    def said_at(self, point: QPointF) -> str:
        thing = self._at(point)
        return self.told(thing) if thing != NONE else ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.point_at(self._at(event.position()))

    def leaveEvent(self, event: object) -> None:
        self.point_at(NONE)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouseMoveEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self.hovered != NONE:
            self.picked.emit(self.hovered)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        things = list(self.things()) if self.scene is not None else []
        move = arrow(event)
        if things and move is not None and (not move[1] or self.columns() > 1):
            self.point_at(self._next(things, *move))
            self.setAccessibleDescription(self.told(self.hovered))
        elif is_enter(event) and self.hovered != NONE:
            self.picked.emit(self.hovered)
        else:
            super().keyPressEvent(event)

    def _next(self, things: Sequence[int], down: int, right: int) -> int:
        """Returns the neighbor of the hovered thing, or that thing itself at an edge."""
        if self.hovered not in things:
            return things[0]
        here, wide = things.index(self.hovered), self.columns()
        at = here + down * wide + right
        stays = not 0 <= at < len(things) or (right and at // wide != here // wide)
        return things[here if stays else at]

    def _at(self, point: QPointF) -> int:
        return self.thing_at(point) if self.scene is not None else NONE

    def point_at(self, thing: int) -> None:
        """Hovers a thing as the pointer does; NONE for none."""
        if thing != self.hovered:
            self.hovered = thing
            self.pointed.emit(thing)
            self.update()
