"""The picture that displays any of the diagrams."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QHideEvent, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.choice_picture import NONE, ChoicePicture
from explorer.widgets.diagrams.block import BlockLayout
from explorer.widgets.diagrams.pair import PairLayout
from explorer.widgets.diagrams.scenes import BlockScene, Scene, SpineScene, StepsScene
from explorer.widgets.diagrams.spine import SpineLayout
from explorer.widgets.diagrams.steps import StepsLayout
from explorer.widgets.diagrams.zoom import Zoom
from explorer.widgets.matrix_equation import Found
from explorer.widgets.sketch import Sketch

Layout = SpineLayout | PairLayout | BlockLayout | StepsLayout
LAYOUTS = {SpineScene: SpineLayout, BlockScene: BlockLayout, StepsScene: StepsLayout}


class DiagramPicture(ChoicePicture[Scene]):
    """Emits `picked(index)` of a step in the scene and `cellClicked(row, column)` of the result."""

    NAME = "The model"
    LEAST = (520, 300)
    cellClicked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.way: Sequence[object] = ()  # the enclosing steps, the outermost first
        self.tips: Callable[[int], str] = str  # a step's tooltip
        self._zoom = Zoom(self, self.update)

    def layout_of(self, scene: Scene) -> Layout:
        area = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        if isinstance(scene, SpineScene) and scene.source is not None:
            return PairLayout(area, scene.source, scene)
        return LAYOUTS[type(scene)](area, scene)

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns the drawn values by name."""
        scene = self.scene
        if isinstance(scene, StepsScene):
            return {name: matrix.values for name, matrix in scene.matrices.items()}
        if isinstance(scene, BlockScene):
            return dict(scene.stripes)
        names = ("reads", "writes", "stripes")
        found = {name: getattr(scene, name, None) for name in names}
        layout = None if scene is None else self.layout_of(scene)
        if isinstance(layout, SpineLayout) and scene.likely and layout.grown(self.position):
            found["probability"] = np.array([share for _, share in scene.likely])
        return {name: values for name, values in found.items() if values is not None}

    def told(self, thing: int) -> str:
        return self.tips(thing)

    def places(self) -> dict[int, QRectF]:
        """Returns the rectangles of the steps that can be chosen."""
        targets = self.layout_of(self.scene).targets if self.scene is not None else ()
        return {index: place for place, index in targets}

    def thing_at(self, point: QPointF) -> int:
        places = self.places().items()
        return next((index for index, place in places if place.contains(point)), NONE)

    def show_inside(self, scene: Scene, way: Sequence[object]) -> None:
        """Shows a scene and its enclosing steps: zooms in if there is one step more than before,
        out if there is one less, and otherwise cuts to it.
        """
        before, self.way = self.way, way
        if before and way[:-1] == before:
            self._go_through(scene, way[-1], inward=True)
        elif way and before[:-1] == way:
            self._go_through(scene, before[-1], inward=False)
        else:
            self.set_scene(scene)

    def _go_through(self, scene: Scene, index: object, inward: bool) -> None:
        """Zooms to another scene: into step `index`, or if not `inward`, out of it."""
        before, places = self._painted(), self.places()
        self.set_scene(scene)
        places = places if inward else self.places()
        if index in places and self.isVisible():
            self._zoom.start(before, places[index], inward)

    @property
    def is_zooming(self) -> bool:
        """True while it zooms into a step or out of one."""
        return self._zoom.is_under_way

    def hideEvent(self, event: QHideEvent) -> None:
        self._zoom.stop()
        super().hideEvent(event)

    def _painted(self) -> QPixmap:
        """Returns the diagram as a pixmap."""
        pixmap = theme.device_pixmap(self.width(), self.height(), self.ratio)
        if self.scene is not None:
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            try:
                self.layout_of(self.scene).draw(painter, self.position)
            finally:
                painter.end()
        return pixmap

    def draw_scene(self, painter: QPainter, scene: Scene) -> None:
        if self.is_zooming:
            self._zoom.draw(painter, self._painted(), QRectF(self.rect()))
            return
        self.layout_of(scene).draw(painter, self.position)
        if (place := self.places().get(self.hovered)) is not None:
            Sketch(painter).frame(place.adjusted(-3, -3, 3, 3), "text")

    def _cell_at(self, point: QPointF) -> Found | None:
        """Returns the cell of the equation at a point, or None."""
        layout = self.layout_of(self.scene) if self.scene is not None else None
        return layout.equation.cell_at(point) if isinstance(layout, StepsLayout) else None

    def said_at(self, point: QPointF) -> str:
        found = self._cell_at(point)
        return super().said_at(point) if found is None else str(found)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        found = self._cell_at(event.position())
        is_made = found is not None and found.name == self.scene.symbols[-1].name
        if is_made and event.button() == Qt.MouseButton.LeftButton:
            self.cellClicked.emit(found.row, found.column)
