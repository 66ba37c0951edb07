"""The tokens of a prompt as chips: whitespace visible, byte pieces as cells of hexadecimal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import Picture, elide, put_text, visible_text


@dataclass(frozen=True)
class Chip:
    """One token: its id, its bytes, and its displayed text."""

    id: int
    data: bytes
    text: str
    is_bytes: bool


@lru_cache(maxsize=4096)
def chip(identity: int, piece: str | bytes) -> Chip:
    """Returns a token as a chip. Bytes that are not valid UTF-8 text become hexadecimal pairs."""
    data = piece if isinstance(piece, bytes) else piece.encode("utf-8", "replace")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return Chip(identity, data, " ".join(f"{byte:02X}" for byte in data), True)
    if not text or "\ufffd" in text or not any(c.isprintable() or c.isspace() for c in text):
        return Chip(identity, data, " ".join(f"{byte:02X}" for byte in data) or "\u2205", True)
    return Chip(identity, data, visible_text(text), False)


def draw_chip(
    painter: QPainter, rect: QRectF, text: str, fill: QColor, edge: QColor, ink: QColor
) -> None:
    """Draws a chip with its text elided to the space in it."""
    font = theme.current().font("mono", mono=True)
    painter.setPen(theme.current().pen(edge))
    painter.setBrush(fill)
    painter.drawRoundedRect(rect, 3, 3)
    put_text(painter, rect, elide(text, font, rect.width()), font, ink)


class TokenStrip(Picture):
    """Chips on one line, which scrolls horizontally if they do not fit.

    Signals: `tokenHovered` and `tokenClicked` with an index, -1 for none.
    """

    tokenHovered = Signal(int)
    tokenClicked = Signal(int)

    def __init__(self, name: str = "Tokens", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._chips: list[Chip] = []
        self._weights: np.ndarray | None = None
        self._selected = -1
        self._pinned = False
        self._hover = -1
        self._scroll = 0.0
        self._cut = 0
        self._show_ids = False
        self._rects: list[QRectF] = []
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_tokens(self, ids: list[int], pieces: list[str] | list[bytes], cut: int = 0) -> None:
        """Shows tokens; pass bytes if a piece may be part of a character.

        `cut` is the number of dropped tokens before the first, beyond the model's context.
        """
        if len(ids) != len(pieces):
            raise ValueError(f"{len(ids)} ids need as many pieces, got {len(pieces)}")
        self._chips = [chip(int(i), piece) for i, piece in zip(ids, pieces, strict=True)]
        self._cut = cut
        self._weights = None
        self._selected = min(self._selected, len(ids) - 1)
        self._lay_out()
        self.data_changed()

    def set_selected(self, index: int, *, pinned: bool = False) -> None:
        """Marks one token (-1 for none), filled if it is pinned, and scrolls to it without emitting
        a signal.
        """
        if (index, pinned) != (self._selected, self._pinned) and index < len(self._chips):
            self._selected, self._pinned = index, pinned
            self._reveal(index)
            self._announce()
            self.update()

    def set_weights(self, weights: np.ndarray | None) -> None:
        """Fills each chip by a weight 0..1 (how strongly the query attends to it)."""
        self._weights = None if weights is None else np.asarray(weights, dtype=np.float32)
        self.data_changed()

    def set_show_ids(self, shown: bool) -> None:
        """Shows each token's id below it."""
        if shown != self._show_ids:
            self._show_ids = shown
            self._lay_out()
            self.updateGeometry()
            self.update()

    @property
    def texts(self) -> list[str]:
        """The texts of the chips."""
        return [item.text for item in self._chips]

    def displayed(self) -> dict[str, np.ndarray]:
        shown = {"ids": np.array([item.id for item in self._chips], dtype=np.int64)}
        if self._weights is not None:
            shown["weights"] = self._weights
        return shown

    def sizeHint(self) -> QSize:
        now = theme.current()
        width = sum(rect.width() + 3 for rect in self._rects) or now.px(200)
        return QSize(round(width), now.px(44 if self._show_ids else 28))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(80), self.sizeHint().height())

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        lead = self._lead()
        painter.setClipRect(QRectF(lead, 0, self.width() - lead, self.height()))
        font, ids = now.font("mono", mono=True), now.font("label")
        for index, item in enumerate(self._chips):
            rect = self.chip_rect(index)
            if rect.right() < 0 or rect.left() > self.width():
                continue
            chosen, pinned = index == self._selected, self._is_pinned(index)
            fill = now.color("accent" if pinned else "selected" if chosen else "raised")
            painter.setPen(now.pen("accent", 2) if chosen else now.pen("divider"))
            if index == self._hover and not chosen:
                painter.setPen(now.pen("outline"))
            painter.setBrush(fill)
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
            if self._weights is not None and index < len(self._weights):
                ink = "on_accent" if pinned else "attention"
                self._draw_weight(painter, rect, float(self._weights[index]), ink)
            if item.is_bytes:
                self._draw_bytes(painter, rect, item)
            else:
                quiet = "muted" if not item.text.strip("\u2423\u21b5") else "text"
                text = elide(item.text, font, rect.width() - 10)
                put_text(painter, rect, text, font, now.color("on_accent" if pinned else quiet))
            if self._show_ids:
                below = QRectF(rect.x() - 8, rect.bottom() + 1, rect.width() + 16, now.px(14))
                put_text(painter, below, str(item.id), ids, now.color("muted"))
        painter.setClipping(False)
        if self._cut:
            put_text(
                painter,
                QRectF(0, 0, lead - 6, now.px(28)),
                f"{self._cut:,} cut",
                ids,
                now.color("warning"),
            )
        self._draw_fades(painter)

    def _draw_weight(self, painter: QPainter, rect: QRectF, weight: float, ink: str) -> None:
        now = theme.current()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color(ink))
        width = (rect.width() - 8) * min(1.0, max(0.0, weight))
        painter.drawRoundedRect(QRectF(rect.x() + 4, rect.bottom() - 5, width, 2.5), 1, 1)

    def _draw_bytes(self, painter: QPainter, rect: QRectF, item: Chip) -> None:
        now = theme.current()
        font = now.font("label", mono=True)
        width = (rect.width() - 6) / max(1, len(item.data))
        for place, byte in enumerate(item.data):
            cell = QRectF(rect.x() + 3 + place * width, rect.y() + 5, width, rect.height() - 10)
            painter.setPen(now.pen("divider"))
            painter.setBrush(now.color("surface"))
            painter.drawRect(cell.adjusted(0.5, 0, -0.5, 0))
            put_text(painter, cell, f"{byte:02X}", font, now.color("muted"))

    def _draw_fades(self, painter: QPainter) -> None:
        """Draws a chevron at an edge beyond which there are tokens."""
        now = theme.current()
        size = now.px(16)
        if self._scroll > 0:
            left = self._lead()
            painter.fillRect(QRectF(left, 0, size, self.height()), now.color("window", 0.9))
            painter.drawPixmap(QPointF(left, now.px(6)), self.icon_pixmap("chevron-left", "muted"))
        if self._scroll < self._most_scroll():
            left = self.width() - size
            painter.fillRect(QRectF(left, 0, size, self.height()), now.color("window", 0.9))
            painter.drawPixmap(QPointF(left, now.px(6)), self.icon_pixmap("chevron-right", "muted"))

    # Geometry and interaction --------------------------------------------------------------------

    def chip_rect(self, index: int) -> QRectF:
        """Returns the current rectangle of a chip in widget coordinates."""
        return self._rects[index].translated(-self._scroll, 0)

    def occupied(self) -> QRect:
        """Returns the part of the strip that holds tokens."""
        whole = QRectF()
        for rect in self._rects:
            whole = whole.united(rect)
        return whole.translated(-self._scroll, 0).toAlignedRect().intersected(self.rect())

    def token_at(self, point: QPointF) -> int:
        for index in range(len(self._chips)):
            if self.chip_rect(index).contains(QPointF(point.x(), 4)):
                return index
        return -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hover(self.token_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        token = self.token_at(event.position())
        if token >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.set_selected(token)
            self.tokenClicked.emit(token)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().x() or event.angleDelta().y()
        if self._most_scroll() > 0:
            self._scroll = min(max(0.0, self._scroll - delta / 2), self._most_scroll())
            self.update()
            event.accept()
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
        }
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        step = steps.get(Qt.Key(event.key()))
        if step is not None and plain and self._chips:
            index = min(max(self._selected + step, 0), len(self._chips) - 1)
            if index != self._selected:
                self.set_selected(index)
                self.tokenClicked.emit(index)
        else:
            super().keyPressEvent(event)

    def said_at(self, point: QPointF) -> str:
        index = self.token_at(point)
        return self.describe(index) if index >= 0 else ""

    def describe(self, index: int) -> str:
        """Describes one token: position, piece, id, bytes."""
        item = self._chips[index]
        data = " ".join(f"{byte:02X}" for byte in item.data)
        pinned = ", pinned: click it again to let it go" if self._is_pinned(index) else ""
        return f"token {index}: {item.text}  id {item.id:,}  bytes {data}{pinned}"

    def _is_pinned(self, index: int) -> bool:
        return self._pinned and index == self._selected

    def resizeEvent(self, event) -> None:
        self._scroll = min(self._scroll, self._most_scroll())
        self._reveal(self._selected)

    def on_theme_changed(self) -> None:
        self._lay_out()
        super().on_theme_changed()

    def _lead(self) -> float:
        now = theme.current()
        return (
            now.metrics("label").horizontalAdvance(f"{self._cut:,} cut") + 8 if self._cut else 0.0
        )

    def _lay_out(self) -> None:
        now = theme.current()
        metrics, narrow = now.metrics("mono", mono=True), now.metrics("label", mono=True)
        x = self._lead()
        self._rects = []
        for item in self._chips:
            if item.is_bytes:
                width = (narrow.horizontalAdvance("FF") + 6) * max(1, len(item.data)) + 6
            else:
                width = metrics.horizontalAdvance(item.text) + now.px(12)
            width = min(max(width, now.px(24)), now.px(200))
            self._rects.append(QRectF(x, 0, width, now.px(28)))
            x += width + 3
        self._scroll = min(self._scroll, self._most_scroll())
        self._reveal(self._selected)

    def _most_scroll(self) -> float:
        return max(0.0, (self._rects[-1].right() if self._rects else 0.0) - self.width())

    def _reveal(self, index: int) -> None:
        if 0 <= index < len(self._rects):
            rect, edge = self._rects[index], theme.current().px(24)
            low, high = rect.right() + edge - self.width(), rect.left() - edge - self._lead()
            self._scroll = min(max(self._scroll, low), max(high, low))
            self._scroll = min(max(0.0, self._scroll), self._most_scroll())

    def _announce(self) -> None:
        known = 0 <= self._selected < len(self._chips)
        self.setAccessibleDescription(self.describe(self._selected) if known else "")

    def _set_hover(self, index: int) -> None:
        if index != self._hover:
            self._hover = index
            self.tokenHovered.emit(index)
            self.update()
