"""A picture that draws a scene, whose layout is computed beforehand."""

from __future__ import annotations

from typing import Generic, TypeVar

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import Picture

Scene = TypeVar("Scene")


class ScenePicture(Picture, Generic[Scene]):
    """A Picture of `scene`; None: there is nothing to show yet.

    Subclasses define their name (`NAME`), preferred size (`WANTED`) and least size (`LEAST`) in px;
    `position` is the cursor in the steps.
    """

    NAME = ""
    WANTED = (640, 320)
    LEAST = (360, 160)

    def __init__(self, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(name or self.NAME, parent)
        self.scene: Scene | None = None
        self.position = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_scene(self, scene: Scene | None) -> None:
        self.scene = scene
        self.updateGeometry()  # the least size may depend on it
        self.data_changed()

    def set_position(self, position: float) -> None:
        """Sets the cursor: a step, plus the fraction of the way to the next."""
        self.position = position
        self.update()

    def sizeHint(self) -> QSize:
        return _size(self.WANTED)

    def minimumSizeHint(self) -> QSize:
        return _size(self.LEAST)


def _size(px: tuple[int, int]) -> QSize:
    return QSize(*(theme.current().px(length) for length in px))
