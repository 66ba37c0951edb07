"""The picture of one word: whichever scene it is given, drawn as far as its frame says."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPixmap, QWheelEvent
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.tokenizers.encoding import draw_lattice, draw_match, draw_merges
from explorer.panes.tokenizers.encoding.scenes import (
    Frame,
    LatticeFrame,
    LatticeScene,
    MatchScene,
    MergeScene,
    Scene,
)
from explorer.widgets.base import Picture

ZOOMS = (0.6, 2.5)
FAINT = 0.35  # of what is still to come


class WordPicture(Picture):
    """`set_scene(scene, frame, share)`; Ctrl and the wheel zoom. Scrolled by who holds it.

    `wayChosen(way)`: of a lattice's ways one was clicked, or reached by Up and Down; they are
    numbered from 1, the one that was drawn is the last. `zoomed(zoom)` when it is another.
    """

    wayChosen = Signal(int)
    zoomed = Signal(float)

    def __init__(self, name: str = "Inside the word", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._scene: Scene | None = None
        self._frame: Frame | None = None
        self._share = 1.0
        self._faint = False
        self._hovered = 0
        self.zoom = 1.0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_scene(
        self,
        scene: Scene | None,
        frame: Frame | None,
        share: float = 1.0,
        faint: bool = False,
    ) -> None:
        """Between two steps `share` of the way to this frame is done; faint: still to come."""
        fresh = scene is not self._scene
        if not fresh and (frame, share, faint) == (self._frame, self._share, self._faint):
            return
        self._scene, self._frame, self._share, self._faint = scene, frame, share, faint
        if fresh:
            self._set_hovered(0)
            self._resize()
        self.data_changed()

    def set_zoom(self, zoom: float) -> None:
        self.zoom = min(max(zoom, ZOOMS[0]), ZOOMS[1])
        self.zoomed.emit(self.zoom)
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
        if self.shows_focus:
            theme.current().focus_ring(painter, QRectF(self.rect()).adjusted(3, 3, -3, -3))
        drawing = self._drawing()
        if drawing is None:
            return
        if self._faint:  # drawn as a whole, or each part would shine through the other
            layer = QPixmap(self.size() * self.ratio)
            layer.setDevicePixelRatio(self.ratio)
            layer.fill(theme.current().color("window", 0.0))
            inner = QPainter(layer)
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            drawing.draw(inner, self._scene, self._frame, self._share, self.zoom)
            inner.end()
            painter.setOpacity(FAINT)
            painter.drawPixmap(0, 0, layer)
            painter.setOpacity(1.0)
        elif self._lattice is not None:
            drawing.draw(painter, self._scene, self._frame, self._share, self.zoom, self._hovered)
        else:
            drawing.draw(painter, self._scene, self._frame, self._share, self.zoom)

    # the ways of a lattice

    @property
    def _lattice(self) -> LatticeScene | None:
        """The lattice whose ways can be chosen."""
        chosen = isinstance(self._scene, LatticeScene) and not self._faint
        return self._scene if chosen else None  # type: ignore[return-value]

    def _set_hovered(self, way: int) -> None:
        if way != self._hovered:
            self._hovered = way
            pointing = Qt.CursorShape.PointingHandCursor if way else Qt.CursorShape.ArrowCursor
            self.setCursor(pointing)
            self.update()

    def way_at(self, point: QPointF) -> int:
        scene = self._lattice
        return 0 if scene is None else draw_lattice.way_at(scene, point.y())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hovered(self.way_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hovered(0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        way = self.way_at(event.position())
        if way and event.button() == Qt.MouseButton.LeftButton:
            self.wayChosen.emit(way)
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        turn = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        if not turn or event.modifiers() or not self.turn_way(turn):
            super().keyPressEvent(event)

    def turn_way(self, turn: int) -> bool:
        """The next way, or the one before; False where there is no lattice."""
        scene = self._lattice
        if scene is None or not isinstance(self._frame, LatticeFrame):
            return False
        last = draw_lattice.ways(scene)
        way = draw_lattice.way_of(scene, self._frame) + turn
        self.wayChosen.emit(min(max(way, 1), last))
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_zoom(self.zoom * 1.2 ** (event.angleDelta().y() / 120))
            event.accept()
        else:
            event.ignore()

    def on_theme_changed(self) -> None:
        self._resize()
        super().on_theme_changed()
