"""The picture of a diagram, whichever it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.diagrams.block import BlockLayout
from explorer.widgets.diagrams.pair import PairLayout
from explorer.widgets.diagrams.scenes import BlockScene, PairScene, Scene, SpineScene
from explorer.widgets.diagrams.spine import SpineLayout
from explorer.widgets.diagrams.steps import StepsLayout
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.sketch import Sketch

Layout = SpineLayout | PairLayout | BlockLayout | StepsLayout


class DiagramPicture(ScenePicture[Scene]):
    """`stepClicked(index)`, as the scene counts; `cellClicked(row, column)` of the result."""

    NAME = "The model"
    LEAST = (520, 300)
    stepClicked = Signal(int)
    cellClicked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.values: dict[str, np.ndarray] = {}  # of the step under the cursor
        self.tips: Callable[[int], str] = str  # what a tooltip says of a step
        self._hovered = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def layout_now(self) -> Layout | None:
        area, scene = QRectF(self.rect()).adjusted(2, 2, -2, -2), self.scene
        if isinstance(scene, SpineScene):
            return SpineLayout(area, scene)
        if isinstance(scene, PairScene):
            return PairLayout(area, scene)
        if isinstance(scene, BlockScene):
            return BlockLayout(area, scene)
        return StepsLayout(area, scene) if scene is not None else None

    def displayed(self) -> dict[str, np.ndarray]:
        return self.values

    def draw(self, painter: QPainter) -> None:
        if (layout := self.layout_now()) is None:
            return
        layout.draw(painter, self.position)
        for place, index in layout.targets:
            if index == self._hovered:
                Sketch(painter).frame(place.adjusted(-3, -3, 3, 3), "text")
        if self.shows_focus:
            theme.current().focus_ring(painter, QRectF(self.rect()), 4, -3)

    def _index_at(self, point: QPointF) -> int:
        layout = self.layout_now()
        targets = layout.targets if layout is not None else []
        return next((index for place, index in targets if place.contains(point)), -1)

    def said_at(self, point: QPointF) -> str:
        index, layout = self._index_at(point), self.layout_now()
        if index >= 0:
            return self.tips(index)
        found = layout.equation.cell_at(point) if isinstance(layout, StepsLayout) else None
        return "" if found is None else str(found)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._index_at(event.position()))

    def leaveEvent(self, event: object) -> None:
        self._hover(-1)

    def _hover(self, index: int) -> None:
        if index != self._hovered:
            self._hovered = index
            pointed = Qt.CursorShape.PointingHandCursor
            self.setCursor(pointed if index >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        layout, index = self.layout_now(), self._index_at(event.position())
        if index >= 0:
            self.stepClicked.emit(index)
        elif isinstance(layout, StepsLayout):
            found = layout.equation.cell_at(event.position())
            if found is not None and found.name == layout.equation.terms[-1].name:
                self.cellClicked.emit(found.row, found.column)
