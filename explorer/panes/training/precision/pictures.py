"""The pictures of Precision: the histogram with the formats' ranges, and numbers bit by bit."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from core.training.bits import AlignedNumbers, TracedNumber, binary_digits
from explorer import theme
from explorer.panes.training.precision import text
from explorer.panes.training.precision.draw_bits import BitsLayout, draw_bits
from explorer.panes.training.precision.draw_histogram import HistogramLayout, draw_histogram
from explorer.panes.training.precision.scene import LARGEST_SCALE, POWERS, SHOWN, Scene
from explorer.widgets.base import Columns
from explorer.widgets.scene_picture import ScenePicture

ASIDE = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
DOWN = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class Histogram(ScenePicture[Scene]):
    """Emits `scaleDragged(exponent)`, `formatChosen(name)`, `powerChosen(power)` (unscaled)."""

    scaleDragged = Signal(int)
    formatChosen = Signal(str)
    powerChosen = Signal(int)
    WANTED = (640, 260)
    LEAST = (420, 180)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Histogram over powers of two", parent)
        self.marked: TracedNumber | None = None
        self._pressed: tuple[float, int] | None = None  # x and scale at the press
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def layout_now(self) -> HistogramLayout | None:
        return HistogramLayout(QRectF(self.rect()), self.scene) if self.scene else None

    def draw(self, painter: QPainter) -> None:
        layout = self.layout_now()
        if layout is not None:
            draw_histogram(painter, layout, self.marked)
            if self.shows_focus:
                theme.current().focus_ring(painter, QRectF(self.rect()), 4, -3)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        names = ("share", "becomes 0", "is subnormal", "overflows")
        shares = dict(zip(names, self.scene.shares, strict=True))
        return Columns({"power of two": POWERS, **shares})

    def said_at(self, point: QPointF) -> str:
        layout, scene = self.layout_now(), self.scene
        if layout is None or scene is None:
            return ""
        name, power = layout.window_at(point), layout.power_at(point)
        if name is not None:
            return text.window_tip(scene, name)
        if power is None:
            return text.DRAG if scene.is_scaled else ""
        return text.column_tip(scene, power)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        if layout is None or event.button() != Qt.MouseButton.LeftButton:
            return
        name = layout.window_at(event.position())
        if name is not None:
            self.formatChosen.emit(name)
        else:
            self._pressed = event.position().x(), layout.scene.shift

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        if self._pressed is not None and layout is not None:
            start, scale = self._pressed
            self._scale(scale + round((event.position().x() - start) / layout.column))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        layout = self.layout_now()
        if pressed is not None and layout is not None and layout.scene.shift == pressed[1]:
            power = layout.power_at(event.position())
            if power is not None:
                self.powerChosen.emit(power - layout.scene.shift)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        aside, down = (keys.get(Qt.Key(event.key()), 0) for keys in (ASIDE, DOWN))
        if self.scene is not None and not event.modifiers() and aside and self.scene.is_scaled:
            self._scale(self.scene.shift + aside)
        elif self.scene is not None and not event.modifiers() and down:
            at = SHOWN.index(self.scene.format) + down
            self.formatChosen.emit(SHOWN[min(max(at, 0), len(SHOWN) - 1)])
        else:
            super().keyPressEvent(event)

    def _scale(self, exponent: int) -> None:
        if self.scene is not None and self.scene.is_scaled:
            self.scaleDragged.emit(min(max(exponent, 0), LARGEST_SCALE))


class BitsPicture(ScenePicture[AlignedNumbers]):
    """Draws the numbers of a trace up to the cursor."""

    NAME, WANTED, LEAST = "Numbers, bit by bit", (640, 160), (420, 110)

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            draw_bits(painter, BitsLayout(QRectF(self.rect()), self.scene), int(self.position))

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        rows = [(n.name, n.value, *binary_digits(n.value, n.format)) for n in self.scene.numbers]
        names = ("number", "value", "first bit (power of two)", "bits")
        columns = map(np.array, zip(*rows, strict=True))
        return Columns(dict(zip(names, columns, strict=True)))
