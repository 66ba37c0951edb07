"""The picture of a diagram, whichever it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QHideEvent, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.diagrams.block import BlockLayout
from explorer.widgets.diagrams.pair import PairLayout
from explorer.widgets.diagrams.scenes import BlockScene, PairScene, Scene, SpineScene
from explorer.widgets.diagrams.spine import SpineLayout
from explorer.widgets.diagrams.steps import StepsLayout
from explorer.widgets.diagrams.zoom import Zoom
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
        self._zoom = Zoom(self, self.update)
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

    def go_through(self, scene: Scene, index: int, inward: bool) -> None:
        """Another scene: what is inside of a step, or, not `inward`, what that is a step of."""
        before, places = self._painted(), self._places()
        self.set_scene(scene)
        places = places if inward else self._places()
        if index in places and self.isVisible():
            self._zoom.start(before, places[index], inward)

    def hideEvent(self, event: QHideEvent) -> None:
        self._zoom.stop()
        super().hideEvent(event)

    def _places(self) -> dict[int, QRectF]:
        layout = self.layout_now()
        return {} if layout is None else {index: place for place, index in layout.targets}

    def _painted(self) -> QPixmap:
        """The diagram by itself."""
        pixmap = theme.device_pixmap(self.width(), self.height(), self.ratio)
        if (layout := self.layout_now()) is not None:
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            layout.draw(painter, self.position)
            painter.end()
        return pixmap

    def draw(self, painter: QPainter) -> None:
        if self._zoom.is_under_way:
            self._zoom.draw(painter, self._painted(), QRectF(self.rect()))
            return
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
