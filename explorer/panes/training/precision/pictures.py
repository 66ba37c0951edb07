"""The pictures of Precision: the histogram with its windows, and numbers bit by bit."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer import theme
from explorer.panes.training.precision import text
from explorer.panes.training.precision.draw_bits import BitsLayout, draw_bits
from explorer.panes.training.precision.draw_histogram import (
    HistogramLayout,
    Marker,
    draw_histogram,
)
from explorer.panes.training.precision.scene import (
    HIGH,
    LARGEST_SCALE,
    LOW,
    SHOWN,
    BitsScene,
    HistogramScene,
)
from explorer.widgets.base import Columns, Picture

STILL = 4.0  # px that a click may move


class Histogram(Picture):
    """`scaleDragged(exponent)`, `formatChosen(name)`, `powerChosen(power)` (unscaled)."""

    scaleDragged = Signal(int)
    formatChosen = Signal(str)
    powerChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Histogram over powers of two", parent)
        self.scene: HistogramScene | None = None
        self.handle = ""
        self.marker: Marker | None = None
        self._pressed: tuple[QPointF, int] | None = None  # where, and the scale there
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_scene(self, scene: HistogramScene, handle: str) -> None:
        """`handle`: what the handle of the loss scale says; "" where nothing is scaled."""
        self.scene, self.handle = scene, handle
        self.setAccessibleDescription(text.window_tip(scene.format, scene.window.lost))
        self.data_changed()

    def set_marker(self, marker: Marker | None) -> None:
        if marker != self.marker:
            self.marker = marker
            self.update()

    def layout_now(self) -> HistogramLayout | None:
        return HistogramLayout(QRectF(self.rect()), self.scene) if self.scene else None

    def draw(self, painter: QPainter) -> None:
        layout = self.layout_now()
        if layout is not None:
            draw_histogram(painter, layout, self.handle, self.marker)
            if self.shows_focus:
                theme.current().focus_ring(painter, QRectF(self.rect()), 4, -3)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        zero, some, over = self.scene.lost
        return Columns(
            {
                "power of two": np.arange(LOW, HIGH + 1),
                "share": self.scene.shares,
                "becomes 0": zero,
                "loses digits": some,
                "overflows": over,
            }
        )

    def said_at(self, point: QPointF) -> str:
        """What a tooltip says there."""
        layout, scene = self.layout_now(), self.scene
        if layout is None or scene is None:
            return ""
        name, power = layout.window_at(point), layout.power_at(point)
        if name is not None:
            return text.window_tip(name, scene.windows[SHOWN.index(name)].lost)
        if power is None:
            return text.DRAG if self.handle else ""
        share, lost = float(scene.shares[power - LOW]), scene.lost[:, power - LOW]
        return text.column_tip(scene, power, share, tuple(lost.tolist()))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.said_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        if layout is None or event.button() != Qt.MouseButton.LeftButton:
            return
        name = layout.window_at(event.position())
        if name is not None:
            self.formatChosen.emit(name)
        elif self.scene is not None:
            self._pressed = event.position(), self.scene.shift

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        if self._pressed is not None and layout is not None and self.handle:
            start, scale = self._pressed
            moved = round((event.position().x() - start.x()) / layout.column)
            self._scale(scale + moved)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        layout = self.layout_now()
        if pressed is None or layout is None or self.scene is None:
            return
        if (event.position() - pressed[0]).manhattanLength() <= STILL:
            power = layout.power_at(event.position())
            if power is not None:
                self.powerChosen.emit(power - self.scene.shift)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        aside = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        down = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        if self.scene is None or event.modifiers() or not (down or (aside and self.handle)):
            super().keyPressEvent(event)
        elif aside:
            self._scale(self.scene.shift + aside)
        else:
            at = SHOWN.index(self.scene.format) + down
            self.formatChosen.emit(SHOWN[min(max(at, 0), len(SHOWN) - 1)])

    def _scale(self, exponent: int) -> None:
        self.scaleDragged.emit(min(max(exponent, 0), LARGEST_SCALE))

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(640), theme.current().px(260))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(420), theme.current().px(180))


class BitsPicture(Picture):
    """The numbers of a life or of a sum, as far as the cursor has come."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Numbers, bit by bit", parent)
        self.scene: BitsScene | None = None
        self.step = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_scene(self, scene: BitsScene) -> None:
        self.scene = scene
        self.data_changed()

    def set_step(self, step: int) -> None:
        """The step of the track that is looked at."""
        if step != self.step:
            self.step = step
            self.update()

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            draw_bits(painter, BitsLayout(QRectF(self.rect()), self.scene), self.step)

    def displayed(self) -> dict[str, np.ndarray]:
        rows = self.scene.rows if self.scene is not None else ()
        return Columns(
            {
                "number": np.array([row.name for row in rows]),
                "value": np.array([row.value for row in rows]),
                "first bit (power of two)": np.array([row.power for row in rows]),
                "bits": np.array(["".join(map(str, row.bits)) for row in rows]),
            }
        )

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(640), theme.current().px(160))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(420), theme.current().px(110))
