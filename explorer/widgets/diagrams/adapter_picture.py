"""The picture of an adapted matrix, in which a row, that is an output, can be chosen."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from core.numbers import format_number
from explorer import theme
from explorer.widgets.diagrams.adapter import ROWS, AdapterLayout, draw_adapter
from explorer.widgets.diagrams.scenes import AdapterScene
from explorer.widgets.grid_keys import arrow
from explorer.widgets.scene_picture import ScenePicture


class AdapterPicture(ScenePicture[AdapterScene]):
    """Emits `outputChosen(output)` when a row is clicked or reached by Up or Down."""

    NAME = "A matrix and its adapter"
    LEAST = (400, 180)
    outputChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_scene(self, scene: AdapterScene | None) -> None:
        """Shows a scene; the least size is the same for all, so that nothing around it moves."""
        self.scene = scene
        self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns the values of each place."""
        now = self.scene.now if self.scene is not None else {}
        return {name: content.values for name, content in now.items()}

    def layout_of(self, scene: AdapterScene) -> AdapterLayout:
        return AdapterLayout(QRectF(self.rect()), scene.size, scene.places)

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            draw_adapter(painter, self.layout_of(self.scene), self.scene)
            if self.shows_focus:
                theme.current().focus_ring(painter, QRectF(self.rect()), 4, -2)

    def said_at(self, point: QPointF) -> str:
        """Returns the value of the cell at a point."""
        found = self.layout_of(self.scene).at(point) if self.scene is not None else None
        content = self.scene.now.get(found[0]) if self.scene is not None and found else None
        if content is None or found is None:
            return ""
        rows, columns = content.values.shape
        row, column = int(found[1] * rows), int(found[2] * columns)
        place = f"{max(row, column)}" if 1 in (rows, columns) else f"{row}, {column}"
        return f"{content.name}: [{place}] = {format_number(float(content.values[row, column]))}"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.layout_of(self.scene).at(event.position()) if self.scene is not None else None
        if found is not None and found[0] in ROWS and event.button() == Qt.MouseButton.LeftButton:
            self._choose(int(found[1] * self.scene.size[0]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is None or self.scene is None or not move[0]:
            super().keyPressEvent(event)
        else:
            self._choose(self.scene.output + move[0])

    def _choose(self, output: int) -> None:
        assert self.scene is not None
        self.outputChosen.emit(min(max(output, 0), self.scene.size[0] - 1))
