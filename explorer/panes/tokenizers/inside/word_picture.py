"""The picture of one word: whichever scene it is given, drawn as far as its frame says."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.tokenizers.inside import draw_lattice, draw_match, draw_merges
from explorer.panes.tokenizers.inside.scenes import (
    Frame,
    LatticeScene,
    MatchScene,
    MergeScene,
    Scene,
)
from explorer.widgets.base import Picture

ZOOMS = (0.6, 2.5)


class WordPicture(Picture):
    """`set_scene(scene, frame, share)`; Ctrl and the wheel zoom. Scrolled by who holds it."""

    def __init__(self, name: str = "Inside the word", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._scene: Scene | None = None
        self._frame: Frame | None = None
        self._share = 1.0
        self.zoom = 1.0

    def set_scene(self, scene: Scene | None, frame: Frame | None, share: float = 1.0) -> None:
        """Between two steps `share` of the way to this frame is done."""
        fresh = scene is not self._scene
        if not fresh and frame is self._frame and share == self._share:
            return
        self._scene, self._frame, self._share = scene, frame, share
        if fresh:
            self._resize()
        self.data_changed()

    def set_zoom(self, zoom: float) -> None:
        self.zoom = min(max(zoom, ZOOMS[0]), ZOOMS[1])
        self._resize()
        self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        """The numbers of what is shown: (start, end) of branches, looks or nodes."""
        painter = self._drawing()
        return {} if painter is None else painter.displayed(self._scene, self._frame)

    def focus(self) -> QRectF:
        """Where the newest thing happens."""
        drawing = self._drawing()
        return QRectF() if drawing is None else drawing.focus(self._scene, self._frame, self.zoom)

    def _drawing(self):
        kinds = {MergeScene: draw_merges, MatchScene: draw_match, LatticeScene: draw_lattice}
        return kinds.get(type(self._scene)) if self._frame is not None else None

    def _resize(self) -> None:
        self.updateGeometry()
        self.setMinimumSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        drawing = self._drawing()
        if drawing is None:
            return QSize(theme.current().px(320), theme.current().px(120))
        return drawing.size(self._scene, self.zoom)

    def draw(self, painter: QPainter) -> None:
        drawing = self._drawing()
        if drawing is not None:
            drawing.draw(painter, self._scene, self._frame, self._share, self.zoom)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_zoom(self.zoom * 1.2 ** (event.angleDelta().y() / 120))
            event.accept()
        else:
            event.ignore()

    def on_theme_changed(self) -> None:
        self._resize()
        super().on_theme_changed()
