"""Bars of the likeliest next tokens and of the actual one, with outlines of earlier values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_share
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture, elide, put_text
from explorer.widgets.grid_keys import arrow, is_enter
from explorer.widgets.token_strip import chip

LINE, ROWS = 20, 6  # px; the number of rows
LOWEST, HIGHEST = 15, 24  # px: the height of a row in an area of fixed height
NAME, LEAST = 120, 16  # px: the greatest width of names, and the least of bars
GHOST = 3  # px between a bar and the outline of its earlier value


@dataclass(frozen=True)
class NextToken:
    """A candidate for the next token; `came` is True for the one that followed.

    before  its share before a change; None if nothing was changed
    how     what `came` means, in words
    """

    piece: bytes
    share: float
    came: bool = False
    before: float | None = None
    how: str = "next in the text"

    @property
    def told(self) -> str:
        """Its share and its earlier share: "12 %, down from 47 %"."""
        text = format_share(self.share)
        if self.before is not None:
            before = format_share(self.before)
            way = "up" if self.share > self.before else "down"
            text += ", as before" if text == before else f", {way} from {before}"
        return f"{text} ({self.how})" if self.came else text


def likeliest_rows(area: QRectF, count: int) -> list[QRectF]:
    """Returns the rectangles of `count` rows."""
    now = theme.current()
    pitch = min(max(area.height() / max(count, 1), now.px(LOWEST)), now.px(HIGHEST))
    top, left, wide = area.top(), area.left(), area.width()
    return [QRectF(left, top + place * pitch, wide, pitch) for place in range(count)]


def draw_likeliest(
    painter: QPainter, area: QRectF, tokens: Sequence[NextToken], grown: Sequence[float] = ()
) -> None:
    """Draws a row per token, likeliest first, each bar between its name and its share.

    The longest bar takes the full width. An earlier share is an outline around its bar. Growing
    bars are at `grown` 0..1 of their way from their earlier length, or from nothing.
    """
    now = theme.current()
    mono, label = now.font("mono", mono=True), now.font("label")
    if not tokens:
        return
    names = [chip(0, one.piece).text for one in tokens]
    metrics, told = now.metrics("mono", mono=True), now.metrics("label")
    gap = now.px(8)
    widest = max(metrics.horizontalAdvance(name) for name in names)
    left = min(widest, now.px(NAME)) + gap
    right = max(told.horizontalAdvance(one.told) for one in tokens) + gap
    room = max(area.width() - left - right, now.px(LEAST))
    most = max(max(one.share, one.before or 0.0) for one in tokens) or 1.0
    rows = likeliest_rows(area, len(tokens))
    pitch = rows[0].height()
    for place, (one, name, row) in enumerate(zip(tokens, names, rows, strict=True)):
        way = grown[place] if place < len(grown) else 1.0
        ink = now.color("accent" if one.came else "text")
        box = QRectF(row.left(), row.top(), left - gap, pitch)
        put_text(painter, box, elide(name, mono, box.width()), mono, ink, RIGHT)
        share = theme.lerp(one.before or 0.0, one.share, way)
        bar = QRectF(row.left() + left, row.top() + GHOST, room * share / most, pitch - 2 * GHOST)
        bar.setWidth(max(bar.width(), 1.0))
        painter.fillRect(bar, now.color("accent") if one.came else now.series(0))
        end = bar.right()
        if one.before is not None:
            ghost = QRectF(bar)
            ghost.setWidth(max(room * one.before / most, 1.0))
            painter.setPen(now.pen("muted", 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(ghost.adjusted(0, -1, 0, 1))
            end = max(end, ghost.right())
        ink = now.color("text" if one.came else "muted", way)
        put_text(painter, QRectF(end + 6, row.top(), right, pitch), one.told, label, ink, LEFT)


class LikeliestBars(Picture):
    """The longest bar takes the full width; shares are written. Emits `clicked(place)` on a click
    on a token or on Enter; `help` describes the effect, "" for none.
    """

    clicked = Signal(int)

    def __init__(self, help: str = "", parent: QWidget | None = None) -> None:
        super().__init__("The likeliest next tokens", parent)
        self._help = help
        self._tokens: tuple[NextToken, ...] = ()
        self._at = 0  # the row that Enter chooses
        if help:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_tokens(self, tokens: Sequence[NextToken]) -> None:
        if self.broken is not None or tuple(tokens) != self._tokens:
            self._tokens = tuple(tokens)
            self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        columns = {
            "token": np.array([chip(0, one.piece).text for one in self._tokens]),
            "probability": np.array([one.share for one in self._tokens]),
            "came": np.array([one.came for one in self._tokens]),
        }
        if any(one.before is not None for one in self._tokens):
            columns["before"] = np.array([one.before for one in self._tokens], float)
        return Columns(columns)

    def _area(self) -> QRectF:
        return QRectF(0, 0, self.width(), len(self._tokens) * theme.current().px(LINE))

    def draw(self, painter: QPainter) -> None:
        draw_likeliest(painter, self._area(), self._tokens)
        row = self.keyboard_rect()
        if self.shows_focus and row is not None:
            theme.current().focus_ring(painter, row, 2, -3)

    def keyboard_rect(self) -> QRectF | None:
        rows = likeliest_rows(self._area(), len(self._tokens))
        return rows[self._at] if self._at < len(rows) else None

    def _place_at(self, point: QPointF) -> int:
        rows = likeliest_rows(self._area(), len(self._tokens))
        return next((at for at, row in enumerate(rows) if row.contains(point)), -1)

    def said_at(self, point: QPointF) -> str | None:
        place = self._place_at(point)
        return f"{self._tokens[place].told}\n{self._help}".strip() if place >= 0 else ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if not self._help or move == (0, -1) or move == (0, 1):
            super().keyPressEvent(event)
        elif move is not None:
            self._at = min(max(self._at + move[0], 0), max(len(self._tokens) - 1, 0))
            self.setAccessibleDescription(self._tokens[self._at].told if self._tokens else "")
            self.update()
        elif is_enter(event) and self._at < len(self._tokens):
            self.clicked.emit(self._at)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position())
        if place >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(place)

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(480), ROWS * theme.current().px(LINE))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(220), ROWS * theme.current().px(LINE))
