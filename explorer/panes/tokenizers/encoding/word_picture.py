"""The picture of a word: a merge tree, a longest match or a lattice, drawn up to its frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPixmap, QWheelEvent
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.tokenizers.encoding import draw_lattice, draw_match, draw_merges
from explorer.panes.tokenizers.encoding.scene import (
    Frame,
    LatticeFrame,
    LatticeScene,
    MatchScene,
    MergeScene,
    Scene,
)
from explorer.widgets.base import Picture

DRAWINGS = {MergeScene: draw_merges, MatchScene: draw_match, LatticeScene: draw_lattice}
ZOOMS = (0.6, 2.5)
FAINT = 0.35  # opacity of a picture of later steps


class WordPicture(Picture):
    """The picture; Ctrl+wheel zooms it, and its owner scrolls it.

    Emits `wayChosen(way)` when a path of a lattice is clicked or reached by Up and Down; they are
    numbered from 1, the sampled one is the last. Emits `zoomed(zoom)`.
    """

    wayChosen = Signal(int)
    zoomed = Signal(float)

    def __init__(self, name: str = "Inside the word", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._shown: tuple[Scene | None, Frame | None, float, bool] = (None, None, 1.0, False)
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
        """Draws a frame; `share` is the progress towards it, `faint` if it is a later step's."""
        before, shown = self._shown, (scene, frame, share, faint)
        if scene is before[0] and shown[1:] == before[1:]:
            return
        self._shown = shown
        if scene is not before[0]:
            self._set_hovered(0)
            self._resize()
        self.data_changed()

    @property
    def faint(self) -> bool:
        """Whether the picture shows later steps."""
        return self._shown[3]

    def set_zoom(self, zoom: float) -> None:
        self.zoom = min(max(zoom, ZOOMS[0]), ZOOMS[1])
        self.zoomed.emit(self.zoom)
        self._resize()
        self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns the visible branches, lookups or nodes as (start, end)."""
        drawing, (scene, frame, _, _) = self._drawing, self._shown
        return {} if drawing is None else drawing.displayed(scene, frame)

    def focus(self) -> QRectF:
        """Returns the area of the newest change, to scroll to."""
        drawing, (scene, frame, _, _) = self._drawing, self._shown
        return QRectF() if drawing is None else drawing.focus(scene, frame, self.zoom)

    @property
    def _drawing(self) -> Any:
        """The module that draws the scene, or None."""
        scene, frame, _, _ = self._shown
        return DRAWINGS.get(type(scene)) if frame is not None else None  # type: ignore[arg-type]

    def _resize(self) -> None:
        self.updateGeometry()
        self.setMinimumSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        if self._drawing is None:
            return QSize(theme.current().px(320), theme.current().px(120))
        return self._drawing.size(self._shown[0], self.zoom)

    def draw(self, painter: QPainter) -> None:
        if self.shows_focus:
            theme.current().focus_ring(painter, QRectF(self.rect()).adjusted(3, 3, -3, -3))
        drawing, (scene, frame, share, faint) = self._drawing, self._shown
        if drawing is None:
            return
        if faint:  # through a pixmap: with opacity, overlapping parts would shine through
            layer = QPixmap(self.size() * self.ratio)
            layer.setDevicePixelRatio(self.ratio)
            layer.fill(theme.current().color("window", 0.0))
            inner = QPainter(layer)
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            drawing.draw(inner, scene, frame, share, self.zoom)
            inner.end()
            painter.setOpacity(FAINT)
            painter.drawPixmap(0, 0, layer)
            painter.setOpacity(1.0)
        elif self._lattice is not None:
            drawing.draw(painter, scene, frame, share, self.zoom, self._hovered)
        else:
            drawing.draw(painter, scene, frame, share, self.zoom)

    # the paths of a lattice

    @property
    def _lattice(self) -> LatticeScene | None:
        """The lattice whose paths can be selected, or None."""
        scene, _, _, faint = self._shown
        return scene if isinstance(scene, LatticeScene) and not faint else None

    def _set_hovered(self, way: int) -> None:
        if way != self._hovered:
            self._hovered = way
            pointing = Qt.CursorShape.PointingHandCursor if way else Qt.CursorShape.ArrowCursor
            self.setCursor(pointing)
            self.update()

    def way_at(self, point: QPointF) -> int:
        return 0 if self._lattice is None else draw_lattice.way_at(self._lattice, point.y())

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
        """Selects the next or previous path of the list; returns False if there is no lattice."""
        scene, frame = self._lattice, self._shown[1]
        if scene is None or not isinstance(frame, LatticeFrame):
            return False
        self.wayChosen.emit(min(max(frame.way + turn, 1), len(scene.ways)))
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
