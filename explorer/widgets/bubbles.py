"""A conversation: each message in a bubble."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy

from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture, put_text

PAD, APART, LABEL, INDENT = 10, 8, 16, 32  # px: inside a bubble, between two, its name, its side
WRAP = int(Qt.AlignmentFlag.AlignLeft) | Qt.TextFlag.TextWordWrap
LONG = re.compile(r"(\S{24})(?=\S)")  # of a word that may need two lines


@dataclass(frozen=True)
class Bubble:
    """What somebody said: one's own stands on the right."""

    name: str
    said: str
    is_own: bool = False


class Bubbles(Picture):
    """`hovered(place)`: the pointer is over that bubble; -1: over none."""

    hovered = Signal(int)

    def __init__(self) -> None:
        super().__init__("The conversation")
        self.bubbles: tuple[Bubble, ...] = ()
        self.marked = -1
        self._rects: list[QRectF] = []
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    def set_bubbles(self, bubbles: Sequence[Bubble]) -> None:
        self.bubbles = tuple(bubbles)
        self._lay_out()
        self.data_changed()

    def set_marked(self, place: int) -> None:
        """The bubble that is pointed at somewhere else; -1: none."""
        if place != self.marked:
            self.marked = place
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        return Columns(
            {
                "name": np.array([one.name for one in self.bubbles]),
                "text": np.array([one.said for one in self.bubbles]),
            }
        )

    def _lay_out(self) -> None:
        now, y = theme.current(), 0.0
        pad, metrics = now.px(PAD), now.metrics("body")
        most = max(self.width() - now.px(INDENT) - 2 * pad, now.px(40))
        self._rects = []
        for one in self.bubbles:
            area = metrics.boundingRect(QRectF(0, 0, most, 1e6), WRAP, _breakable(one.said))
            wide = min(area.width() + 1, most) + 2 * pad
            left = self.width() - wide if one.is_own else 0.0
            self._rects.append(QRectF(left, y + now.px(LABEL), wide, area.height() + pad))
            y = self._rects[-1].bottom() + now.px(APART)
        self.setMinimumHeight(round(y))

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        for place, (one, rect) in enumerate(zip(self.bubbles, self._rects, strict=True)):
            label = QRectF(0, rect.top() - now.px(LABEL), self.width(), now.px(LABEL))
            side = RIGHT if one.is_own else LEFT
            put_text(painter, label, one.name, now.font("label"), now.color("muted"), side)
            painter.setPen(now.pen("accent", 2) if place == self.marked else now.pen("divider"))
            painter.setBrush(now.color("selected" if one.is_own else "raised"))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 8, 8)
            pad = now.px(PAD)
            words = rect.adjusted(pad, pad / 2, -pad, -pad / 2)
            painter.setFont(now.font("body"))
            painter.setPen(now.color("text"))
            painter.drawText(words, WRAP, _breakable(one.said))

    def bubble_at(self, point: QPointF) -> int:
        """The bubble at a point; -1: none."""
        places = enumerate(self._rects)
        return next((place for place, rect in places if rect.contains(point)), -1)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hovered.emit(self.bubble_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(-1)

    def resizeEvent(self, event: object) -> None:
        self._lay_out()

    def on_theme_changed(self) -> None:
        self._lay_out()
        super().on_theme_changed()

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(300), self.minimumHeight())


def _breakable(said: str) -> str:
    """Long words may part where no space is."""
    return LONG.sub("\\1\u200b", said) or " "
