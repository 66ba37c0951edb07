"""The gradient highway: how much the loss depends on each token's residual stream, by block."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number, format_significant
from explorer import theme
from explorer.panes.backprop.gpt.compute import Worked
from explorer.widgets.base import (
    LEFT,
    RIGHT,
    Picture,
    elide,
    packed_image,
    packed_table,
    put_slanted,
    put_text,
    visible_text,
)
from explorer.widgets.grid_keys import arrow, is_enter

LINE, ROOM, TOP, SIDE = 15, 84, 36, 96  # px: a row, its name, the tokens, the scale
LOSS = 20  # px for the row of the tokens' own losses, and the space below it


LENGTHS, LOSSES = "length of dL/d(residual)", "-log p(next token)"
SPAN = 1000.0  # the largest length divided by the smallest that has a color


class HighwayPicture(Picture):
    """Rows are places of the residual stream, the end on top; columns are tokens.

    The row above them is each token's own loss. `placeClicked(place, token)`: 0 is where the stream
    begins, L where it leaves the last block; `lossClicked`.
    """

    placeClicked = Signal(int, int)
    lossClicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Residual gradient highway", parent)
        self.setObjectName("backprop.gpt.highway")
        self._worked: Worked | None = None
        self._here: int | None = None  # the place of the operation that is shown
        self._token: int | None = None
        self._reached = 0  # the lowest place that backward has reached
        self._hover: tuple[int, int] | None = None
        self._current: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_worked(self, worked: Worked | None) -> None:
        if worked is not self._worked:
            self._worked = worked
            self._hover = self._current = None
            self.updateGeometry()
            self.data_changed()

    def set_token(self, token: int | None) -> None:
        """The token that is selected in all panes."""
        if token != self._token:
            self._token = token
            self.update()

    def set_reached(self, reached: int, here: int | None) -> None:
        """How far backward has come: places from `reached` on have their gradient."""
        if (reached, here) != (self._reached, self._here):
            self._reached, self._here = reached, here
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        if self._worked is None:
            return {}
        losses = self._worked.losses[None]
        return {LENGTHS: self._worked.highway, LOSSES: losses}

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        if self._worked is None:
            return {}
        rows = [self._name(place) for place in range(len(self._worked.highway))]
        return {LENGTHS: (rows, self._tokens()), LOSSES: (["loss"], self._tokens())}

    def limits(self) -> tuple[float, float]:
        """The lengths at the ends of the scale, which is logarithmic."""
        assert self._worked is not None
        high = float(self._worked.highway.max()) or 1.0
        return high / SPAN, high

    @property
    def reached(self) -> int:
        return self._reached

    def sizeHint(self) -> QSize:
        now = theme.current()
        rows = 5 if self._worked is None else len(self._worked.highway)
        high = min(rows * now.px(LINE), now.px(120))
        return QSize(now.px(600), high + now.px(TOP + LOSS + 4))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(320), self.sizeHint().height())

    def _tokens(self) -> list[str]:
        worked = self._worked
        assert worked is not None
        return [visible_text(text) for text in worked.example.labels[: worked.n_tokens]]

    def _name(self, place: int) -> str:
        assert self._worked is not None
        last = len(self._worked.highway) - 1
        return "at the end" if place == last else f"into block {place}"

    def grid(self) -> QRectF:
        now = theme.current()
        left, top = now.px(ROOM), now.px(TOP + LOSS)
        return QRectF(left, top, self.width() - left - now.px(SIDE), self.height() - top - 4)

    def cell_rect(self, place: int, token: int) -> QRectF:
        """Place 0 is the lowest row."""
        assert self._worked is not None
        rows, columns = self._worked.highway.shape
        grid = self.grid()
        wide, high = grid.width() / columns, grid.height() / rows
        return QRectF(grid.x() + token * wide, grid.y() + (rows - 1 - place) * high, wide, high)

    def losses_rect(self) -> QRectF:
        grid, now = self.grid(), theme.current()
        return QRectF(grid.x(), grid.y() - now.px(LOSS), grid.width(), now.px(LINE))

    def token_at(self, point: QPointF) -> int | None:
        """The token whose own loss is under a point."""
        row = self.losses_rect()
        if self._worked is None or not row.contains(point):
            return None
        count = self._worked.n_tokens
        return min(count - 1, int((point.x() - row.x()) / row.width() * count))

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        grid = self.grid()
        if self._worked is None or not grid.contains(point):
            return None
        rows, columns = self._worked.highway.shape
        row = min(rows - 1, int((point.y() - grid.y()) / grid.height() * rows))
        column = min(columns - 1, int((point.x() - grid.x()) / grid.width() * columns))
        return rows - 1 - row, column

    # painting

    def draw(self, painter: QPainter) -> None:
        worked = self._worked
        if worked is None:
            return
        now, grid = theme.current(), self.grid()
        rows, columns = worked.highway.shape
        low, limit = self.limits()
        share = np.log(np.maximum(worked.highway[::-1], low) / low) / np.log(limit / low)
        levels = np.rint(128 + 127 * np.minimum(share, 1.0)).astype(np.uint8)
        packed = packed_table(now.diverging_table)[levels]
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(grid, packed_image(packed))
        self._draw_unreached(painter, grid)
        self._draw_losses(painter)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("divider"))
        painter.drawRect(grid)
        self._draw_words(painter, grid, rows, columns)
        self._draw_scale(painter, grid, low, limit)
        self._draw_marks(painter, grid)

    def _draw_losses(self, painter: QPainter) -> None:
        assert self._worked is not None
        now, row, losses = theme.current(), self.losses_rect(), self._worked.losses
        levels = np.rint(255 * np.clip(losses / (losses.max() or 1.0), 0, 1)).astype(np.uint8)
        painter.drawImage(row, packed_image(packed_table(now.attention_table)[levels][None]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("divider"))
        painter.drawRect(row)
        font = now.font("label")
        box = QRectF(0, row.y(), row.x() - now.px(6), row.height())
        put_text(painter, box, "own loss", font, now.color("muted"), RIGHT)
        box = QRectF(row.right() + now.px(10), row.y(), now.px(SIDE), row.height())
        text = f"0 to {format_number(float(losses.max()))}"
        put_text(painter, box, text, font, now.color("muted"), LEFT)

    def _draw_unreached(self, painter: QPainter, grid: QRectF) -> None:
        assert self._worked is not None
        if self._reached <= 0:
            return
        low = QRectF(grid)
        high = grid.height() / len(self._worked.highway)
        low.setTop(grid.bottom() - high * self._reached)
        painter.fillRect(low, theme.current().color("window"))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().hatch())
        painter.drawRect(low)

    def _draw_words(self, painter: QPainter, grid: QRectF, rows: int, columns: int) -> None:
        now = theme.current()
        font, line = now.font("label"), now.metrics("label").height()
        every = max(1, int(np.ceil(line * 0.9 / (grid.height() / rows))))
        for place in range(0, rows, every):
            rect = self.cell_rect(place, 0)
            box = QRectF(0, rect.center().y() - line / 2, grid.x() - now.px(6), line)
            chosen = place == self._here
            ink = now.color("accent" if chosen else "muted")
            use = now.font("label", 600) if chosen else font
            put_text(painter, box, self._name(place), use, ink, RIGHT)
        wide = grid.width() / columns
        level = wide >= now.px(46)
        every = max(1, int(np.ceil(line * 0.9 / wide))) if not level else 1
        for token, text in enumerate(self._tokens()):
            if token % every:
                continue
            x = grid.x() + token * wide
            if level:
                box = QRectF(x, grid.y() - now.px(LOSS) - line - now.px(2), wide, line)
                put_text(painter, box, elide(text, font, wide - 4), font, now.color("muted"))
            else:
                foot = QPointF(x + wide / 2 - now.px(2), grid.y() - now.px(LOSS + 5))
                put_slanted(painter, foot, elide(text, font, now.px(44)), font, now.color("muted"))

    def _draw_scale(self, painter: QPainter, grid: QRectF, low: float, limit: float) -> None:
        now = theme.current()
        strip = QRectF(grid.right() + now.px(10), grid.y(), now.px(8), grid.height())
        ramp = packed_table(now.diverging_table)[255:127:-1][:, None]
        painter.drawImage(strip, packed_image(ramp))
        painter.setPen(now.pen("divider"))
        painter.drawRect(strip)
        font, line = now.font("label"), now.metrics("label").height()
        x, wide = strip.right() + now.px(5), self.width() - strip.right() - now.px(5)
        top = QRectF(x, grid.y() - 2, wide, line)
        put_text(painter, top, format_number(limit), font, now.color("muted"), LEFT)
        if grid.height() >= 3 * line:
            middle = QRectF(x, grid.center().y() - line / 2, wide, line)
            put_text(painter, middle, "log", font, now.color("muted"), LEFT)
        foot = QRectF(x, grid.bottom() - line + 2, wide, line)
        put_text(painter, foot, format_number(low, 2), font, now.color("muted"), LEFT)

    def _draw_marks(self, painter: QPainter, grid: QRectF) -> None:
        now = theme.current()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._here is not None:
            row = self.cell_rect(self._here, 0)
            row.setWidth(grid.width())
            painter.setPen(now.pen("accent", 2))
            painter.drawRoundedRect(row, 2, 2)
        assert self._worked is not None
        if self._token is not None and 0 <= self._token < self._worked.n_tokens:
            column = self.cell_rect(len(self._worked.highway) - 1, self._token)
            column.setTop(self.losses_rect().top())
            column.setBottom(grid.bottom())
            painter.setPen(now.pen("text", 1, 0.6))
            painter.drawRect(column)
        if self._hover is not None:
            painter.setPen(now.pen("text", 1.5))
            painter.drawRect(self.cell_rect(*self._hover))
        if self._current is not None and self.shows_focus:
            now.focus_ring(painter, self.cell_rect(*self._current), radius=3)

    # pointing

    def describe(self, place: int, token: int) -> str:
        assert self._worked is not None
        value = float(self._worked.highway[place, token])
        moves, length = format_significant(0.01 * value), format_significant(value)
        text = self._tokens()[token]
        return (
            f"{self._name(place)}, {token} {text}: moving the residual stream by 0.01 moves the "
            f"loss by at most {moves} (length {length})"
        )

    def describe_loss(self, token: int) -> str:
        assert self._worked is not None
        labels, loss = self._worked.example.labels, float(self._worked.losses[token])
        here, after = (visible_text(text) for text in labels[token : token + 2])
        return (
            f"after {here} came {after}: the model gave it a chance of "
            f"{format_significant(float(np.exp(-loss)))}, a loss of {format_significant(loss)} nats"
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover_at(self.cell_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_at(None)

    def _hover_at(self, cell: tuple[int, int] | None) -> None:
        if cell != self._hover:
            self._hover = cell
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self._current = cell
            self.placeClicked.emit(*cell)
        elif self.token_at(event.position()) is not None:
            self.lossClicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is not None and self._worked is not None:
            rows, columns = self._worked.highway.shape
            place, token = self._current or (rows - 1, 0)
            if self._current is not None:
                place, token = place - move[0], token + move[1]
            self._current = min(max(place, 0), rows - 1), min(max(token, 0), columns - 1)
            self.setAccessibleDescription(self.describe(*self._current))
            self.update()
        elif is_enter(event) and self._current is not None:
            self.placeClicked.emit(*self._current)
        else:
            super().keyPressEvent(event)

    def said_at(self, point: QPointF) -> str:
        cell, token = self.cell_at(point), self.token_at(point)
        if token is not None:
            return self.describe_loss(token)
        return self.describe(*cell) if cell else ""

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.update()
