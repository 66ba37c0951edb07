"""All heads of a model in one picture: layers down, heads across, one cached pixmap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number
from explorer import theme
from explorer.widgets.base import Picture, packed_image, packed_table
from explorer.widgets.grid_keys import arrow, is_enter
from explorer.widgets.lock_badge import draw_lock
from explorer.widgets.mosaic_marks import draw_head_numbers, draw_names, draw_off, draw_scores


class HeadMosaic(Picture):
    """L x H attention maps, already pooled (`pooling.pool_heads`).

    Hovering previews, a click locks (pins), Esc unlocks, arrows move. All signals carry (layer,
    head) of the model, however the heads are sorted; (-1, -1) means none.
    """

    headHovered = Signal(int, int)
    headClicked = Signal(int, int)
    headUnlocked = Signal()
    currentChanged = Signal(int, int)
    cellPixelsChanged = Signal(int)

    def __init__(self, name: str = "Attention heads", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._pooled = np.zeros((0, 0, 1, 1), dtype=np.uint8)
        self._shape = (0, 0)
        self._order: np.ndarray | None = None
        self._scores: np.ndarray | None = None
        self._score_title = ""
        self._kept: np.ndarray | None = None
        self._off: tuple[tuple[int, int], ...] = ()
        self._locked: tuple[int, int] | None = None
        self._chosen: tuple[int, int] | None = None
        self._current: tuple[int, int] = (0, 0)
        self._hover: tuple[int, int] | None = None
        self._pixmap: QPixmap | None = None
        self._cell_pixels = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # State ---------------------------------------------------------------------------------------

    def set_shape(self, layers: int, heads: int) -> None:
        """Shows an empty grid of the final size before the first maps: nothing moves later."""
        if (layers, heads) != self._shape:
            self._shape = (layers, heads)
            self._pooled = np.zeros((layers, heads, 1, 1), dtype=np.uint8)
            self._order = self._scores = self._kept = self._locked = self._chosen = None
            self._pixmap, self._off = None, ()
            self._check_cell_pixels()
            self.data_changed()

    def clear(self) -> None:
        """Removes the maps; grid and lock stay."""
        self._pooled = np.zeros((*self._shape, 1, 1), dtype=np.uint8)
        self._order = self._scores = self._kept = self._chosen = self._pixmap = None
        self.data_changed()

    def set_pooled(self, pooled: np.ndarray) -> None:
        """Shows maps (L, H, P, P) uint8, ideally pooled to `cell_pixels`."""
        pooled = np.asarray(pooled)
        if pooled.ndim != 4 or pooled.dtype != np.uint8:
            raise ValueError(
                f"the mosaic shows uint8 maps (L, H, P, P), got {pooled.dtype} {pooled.shape}: "
                "use pooling.pool_heads"
            )
        self.set_shape(*pooled.shape[:2])
        self._pooled = pooled
        self._pixmap = None
        self.data_changed()

    def set_scores(self, scores: np.ndarray | None, title: str = "") -> None:
        """Shows a score (L, H) at each cell's lower edge as a bar (0..1); None hides the bars."""
        self._scores = None if scores is None else np.asarray(scores, dtype=np.float32)
        self._score_title = title
        self.data_changed()

    def set_filter(self, kept: np.ndarray | None) -> None:
        """Dims the heads where `kept` (L, H) bool is False."""
        self._kept = None if kept is None else np.asarray(kept, dtype=bool)
        self.data_changed()

    def set_off(self, off: Sequence[tuple[int, int]]) -> None:
        """Hatches the switched-off heads (layer, head)."""
        if tuple(off) != self._off:
            self._off = tuple(off)
            self._announce()
            self.data_changed()

    def set_order(self, order: np.ndarray | None) -> None:
        """Sorts heads within each layer: place p of layer l shows head `order[l, p]`."""
        self._order = None if order is None else np.asarray(order, dtype=np.intp)
        self._pixmap = None
        self.data_changed()

    def set_locked(self, head: tuple[int, int] | None) -> None:
        """Locks (layer, head), or none, without emitting a signal."""
        if head != self._locked:
            self._locked = head
            if head is not None:
                self._current = head
                self._announce()
            self.update()

    def set_chosen(self, head: tuple[int, int] | None) -> None:
        """Frames the head shown large, locked or not, without emitting a signal."""
        if head != self._chosen:
            self._chosen = head
            if head is not None:
                self._current = head
            self.update()

    @property
    def locked(self) -> tuple[int, int] | None:
        return self._locked

    @property
    def current(self) -> tuple[int, int]:
        """The (layer, head) at the keyboard cursor."""
        return self._current

    @property
    def cell_pixels(self) -> int:
        """The device pixels of one cell, to which maps should be pooled (at least 8)."""
        return max(8, int(self._cell() * self.devicePixelRatioF()))

    def displayed(self) -> dict[str, np.ndarray]:
        shown = {"maps": self._pooled}
        if self._scores is not None:
            shown["scores"] = self._scores
        if self._kept is not None:
            shown["kept"] = self._kept
        if self._off:
            shown["off"] = np.array(self._off)
        return shown

    # Geometry ------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px("mosaic_max"), now.px("mosaic_max"))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px("mosaic_min") // 2, now.px("mosaic_min") // 2)

    def cell_rect(self, layer: int, head: int) -> QRectF:
        """Returns the rectangle of the map of (layer, head)."""
        place = head
        if self._order is not None:
            place = int(np.flatnonzero(self._order[layer] == head)[0])
        return self._place_rect(layer, place)

    def head_at(self, point: QPointF) -> tuple[int, int] | None:
        """Returns the (layer, head) at a point, or None."""
        left, top, pitch = self._origin()
        column, row = int((point.x() - left) // pitch), int((point.y() - top) // pitch)
        if not (0 <= row < self._shape[0] and 0 <= column < self._shape[1]):
            return None
        return row, self._head(row, column)

    def _head(self, layer: int, place: int) -> int:
        return place if self._order is None else int(self._order[layer, place])

    def _gap(self) -> int:
        return 2 if max(self._shape, default=0) > 8 else 4

    def _origin(self) -> tuple[float, float, float]:
        now = theme.current()
        left, top = now.px(28), now.px(32)
        layers, heads = self._shape
        pitch = min(
            (self.width() - left - now.px(4)) / max(1, heads),
            (self.height() - top - now.px(4)) / max(1, layers),
            now.px(96),
        )
        return left, top, max(4.0, float(int(pitch)))

    def _cell(self) -> float:
        return max(2.0, self._origin()[2] - self._gap())

    def _place_rect(self, layer: int, place: int) -> QRectF:
        left, top, pitch = self._origin()
        cell = self._cell()
        return QRectF(left + place * pitch, top + layer * pitch, cell, cell)

    # Painting ------------------------------------------------------------------------------------

    def draw(self, painter: QPainter) -> None:
        if not self._shape[0]:
            return
        now = theme.current()
        ratio = self.ratio
        left, top, _ = self._origin()
        if self._pixmap is None or self._pixmap.devicePixelRatio() != ratio:
            self._pixmap = self._render(ratio)
        painter.drawPixmap(QPointF(left, top), self._pixmap)
        shown = self._hover or self._chosen or self._locked
        draw_names(painter, self._shape, self._origin(), self._cell(), shown, self._order is None)
        if self._kept is not None:
            shade = now.color("surface", 0.75)
            for layer, head in np.argwhere(~self._kept):
                painter.fillRect(
                    self.cell_rect(int(layer), int(head)).adjusted(-1, -1, 1, 1), shade
                )
        draw_off(painter, self._off, self.cell_rect)
        if self._scores is not None:
            draw_scores(painter, self._scores, self.cell_rect)
        if self._order is not None:
            draw_head_numbers(painter, self._shape, self.cell_rect)
        focused = self._current if self.shows_focus else None
        if self._chosen is not None and self._chosen != focused:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(now.pen("accent", 2))
            painter.drawRoundedRect(self.cell_rect(*self._chosen).adjusted(-2, -2, 2, 2), 3, 3)
        if self._hover is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(now.pen("text", 1.5))
            painter.drawRoundedRect(self.cell_rect(*self._hover).adjusted(-1, -1, 1, 1), 2, 2)
        if focused is not None:
            now.focus_ring(painter, self.cell_rect(*focused), radius=4, offset=2)
        if self._locked is not None:
            draw_lock(
                painter, self.cell_rect(*self._locked), self.icon_pixmap("pin", "on_accent", 10)
            )

    def _render(self, ratio: float) -> QPixmap:
        """Draws all maps into one pixmap at device resolution."""
        now = theme.current()
        layers, heads, size = self._pooled.shape[:3]
        pixmap = theme.device_pixmap(self._origin()[2] * heads, self._origin()[2] * layers, ratio)
        table = packed_table(now.attention_table)
        maps = self._pooled
        if self._order is not None:
            maps = np.take_along_axis(maps, self._order[:, :, None, None], axis=1)
        # (L, H, P, P) -> (L P, H P): one image, cut into cells when drawn.
        sheet = table[maps.transpose(0, 2, 1, 3).reshape(layers * size, heads * size)]
        image = packed_image(sheet)
        painter = QPainter(pixmap)
        cell, pitch = self._cell(), self._origin()[2]
        painter.setPen(now.pen("divider"))
        for layer in range(layers):
            for place in range(heads):
                target = QRectF(place * pitch, layer * pitch, cell, cell)
                painter.drawImage(target, image, QRectF(place * size, layer * size, size, size))
                if cell >= 12:
                    painter.drawRect(target.adjusted(0, 0, -1 / ratio, -1 / ratio))
        painter.end()
        return pixmap

    # Interaction ---------------------------------------------------------------------------------

    def describe(self, layer: int, head: int) -> str:
        """Describes one head, for tooltip and screen reader."""
        text = f"layer {layer}, head {head}"
        if self._scores is not None:
            score = format_number(float(self._scores[layer, head]))
            text += f", {self._score_title or 'score'} {score}"
        if (layer, head) in self._off:
            text += ", switched off"
        if self._locked == (layer, head):
            text += ", locked (Esc unlocks)"
        return text

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hover(self.head_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        head = self.head_at(event.position())
        if head is not None and event.button() == Qt.MouseButton.LeftButton:
            self.set_locked(head)
            self.headClicked.emit(*head)

    def keyboard_rect(self) -> QRectF | None:
        return self.cell_rect(*self._current)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        layers, heads = self._shape
        if move is not None and layers:
            layer, head = self._current
            place = head if self._order is None else int(np.argmax(self._order[layer] == head))
            layer = min(max(layer + move[0], 0), layers - 1)
            place = min(max(place + move[1], 0), heads - 1)
            moved = (layer, self._head(layer, place))
            if moved != self._current:
                self._current = moved
                self._announce()
                self.update()
                if self._locked is None:
                    self.currentChanged.emit(*moved)
                else:  # the lock follows the arrows
                    self.set_locked(moved)
                    self.headClicked.emit(*moved)
        elif is_enter(event) and layers:
            self.set_locked(self._current)
            self.headClicked.emit(*self._current)
        elif event.key() == Qt.Key.Key_Escape and self._locked is not None:
            self.set_locked(None)
            self.headUnlocked.emit()
        else:
            super().keyPressEvent(event)

    def said_at(self, point: QPointF) -> str:
        head = self.head_at(point)
        return self.describe(*head) if head else ""

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._pixmap = None
        self._check_cell_pixels()

    def on_theme_changed(self) -> None:
        self._pixmap = None
        super().on_theme_changed()

    def _check_cell_pixels(self) -> None:
        if self.cell_pixels != self._cell_pixels:
            self._cell_pixels = self.cell_pixels
            self.cellPixelsChanged.emit(self._cell_pixels)

    def _announce(self) -> None:
        self.setAccessibleDescription(self.describe(*self._current))

    def _set_hover(self, head: tuple[int, int] | None) -> None:
        if head != self._hover:
            self._hover = head
            self.headHovered.emit(*(head or (-1, -1)))
            self.update()
