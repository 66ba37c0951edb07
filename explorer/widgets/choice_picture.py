"""A picture of a scene in which things are chosen: by a click, or by arrow keys and Enter."""

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
    """`picked(thing)`: a person has chosen one; `pointed(thing)`: the pointer or the keys are at
    it, NONE: at none. Things are told apart by numbers from 0.
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
        """Paints it; `hovered` is the thing under the pointer or the keys."""

    def rects(self, scene: Scene) -> Sequence[QRectF]:
        """Where each thing stands, where that is a rectangle; from top to bottom."""
        return ()

    def thing_at(self, point: QPointF) -> int:
        """NONE where there is none."""
        rects = self.rects(self.scene) if self.scene is not None else ()
        return next((at for at, rect in enumerate(rects) if rect.contains(point)), NONE)

    def keyboard_rect(self) -> QRectF | None:
        rects = self.rects(self.scene) if self.scene is not None else ()
        return rects[self.hovered] if 0 <= self.hovered < len(rects) else None

    def things(self) -> Sequence[int]:
        """Those that Up and Down go through, from top to bottom."""
        return range(len(self.rects(self.scene))) if self.scene is not None else ()

    def columns(self) -> int:
        """How many things stand side by side; of one, Left and Right are the player's."""
        return 1

    @abstractmethod
    def told(self, thing: int) -> str:
        """What its tooltip says."""

    def set_scene(self, scene: Scene | None) -> None:
        """The pointer or the keys stay at a thing that is there still."""
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
        """The thing beside that at which the keys are; the same at an edge."""
        if self.hovered not in things:
            return things[0]
        here, wide = things.index(self.hovered), self.columns()
        at = here + down * wide + right
        stays = not 0 <= at < len(things) or (right and at // wide != here // wide)
        return things[here if stays else at]

    def _at(self, point: QPointF) -> int:
        return self.thing_at(point) if self.scene is not None else NONE

    def point_at(self, thing: int) -> None:
        """As the pointer does; NONE: at none."""
        if thing != self.hovered:
            self.hovered = thing
            self.pointed.emit(thing)
            self.update()
