"""The gradient highway: how much the loss depends on each token's residual stream, by block."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number, format_significant
from explorer import theme
from explorer.panes.backprop.gpt.compute import Worked
from explorer.widgets.base import LEFT, RIGHT, elide, put_slanted, visible_text
from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.sketch import Sketch

LINE, ROOM, TOP, SIDE = 15, 84, 36, 96  # px: a row, its name, the tokens, the scale
LOSS = 20  # px for the row of the tokens' own losses and the gap below it
LEVEL, SLANTED = 46, 44  # px of a column wide enough for a level name; longest slanted name
LENGTHS, LOSSES = "length of dL/d(residual)", "-log p(next token)"
SPAN = 1000.0  # the largest length divided by the smallest on the color scale


class HighwayPicture(ChoicePicture[Worked]):
    """Rows are places of the residual stream, the last on top; columns are tokens.

    The row above them is each token's own loss. Signals: placeClicked(place, token), where place 0
    is the start of the stream and L its exit from the last block; lossClicked().
    """

    placeClicked = Signal(int, int)
    lossClicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Gradient highway", parent)
        self.setObjectName("backprop.gpt.highway")
        self._here: int | None = None  # the place of the current operation
        self._token: int | None = None
        self.reached = 0  # the lowest place that backward has reached
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.picked.connect(self._on_picked)

    def set_token(self, token: int | None) -> None:
        """Sets the token that is selected in all panes."""
        if token != self._token:
            self._token = token
            self.update()

    def set_reached(self, reached: int, here: int | None) -> None:
        """Sets the progress of backward: places from `reached` on have their gradient."""
        if (reached, here) != (self.reached, self._here):
            self.reached, self._here = reached, here
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        worked = self.scene
        return {} if worked is None else {LENGTHS: worked.highway, LOSSES: worked.losses[None]}

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        if self.scene is None:
            return {}
        rows, tokens = [*map(self._name, range(len(self.scene.highway)))], self._tokens()
        return {LENGTHS: (rows, tokens), LOSSES: (["loss"], tokens)}

    def limits(self) -> tuple[float, float]:
        """Returns the lengths at the ends of the logarithmic scale."""
        assert self.scene is not None
        high = float(self.scene.highway.max()) or 1.0
        return high / SPAN, high

    def sizeHint(self) -> QSize:
        now = theme.current()
        rows = 5 if self.scene is None else len(self.scene.highway)
        high = min(rows * now.px(LINE), now.px(120))
        return QSize(now.px(600), high + now.px(TOP + LOSS + 4))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(320), self.sizeHint().height())

    def _tokens(self) -> list[str]:
        worked = self.scene
        assert worked is not None
        return [visible_text(text) for text in worked.example.labels[: worked.n_tokens]]

    def _name(self, place: int) -> str:
        assert self.scene is not None
        last = len(self.scene.highway) - 1
        return f"after block {place - 1}" if place == last else f"into block {place}"

    # geometry: first the losses, then the rows from top to bottom

    def grid(self) -> QRectF:
        now = theme.current()
        left, top = now.px(ROOM), now.px(TOP + LOSS)
        return QRectF(left, top, self.width() - left - now.px(SIDE), self.height() - top - 4)

    def losses_rect(self) -> QRectF:
        grid, now = self.grid(), theme.current()
        return QRectF(grid.x(), grid.y() - now.px(LOSS), grid.width(), now.px(LINE))

    def row_rect(self, place: int) -> QRectF:
        """Returns the area of a row; place 0 is the lowest."""
        assert self.scene is not None
        grid, rows = self.grid(), len(self.scene.highway)
        high = grid.height() / rows
        return QRectF(grid.x(), grid.y() + (rows - 1 - place) * high, grid.width(), high)

    def rects(self, scene: Worked) -> list[QRectF]:
        rows = [self.losses_rect(), *map(self.row_rect, reversed(range(len(scene.highway))))]
        wide = self.grid().width() / scene.n_tokens
        return [
            QRectF(row.x() + token * wide, row.y(), wide, row.height())
            for row in rows
            for token in range(scene.n_tokens)
        ]

    def columns(self) -> int:
        return self.scene.n_tokens if self.scene is not None else 1

    def place_of(self, thing: int) -> tuple[int | None, int]:
        """Returns place and token of a cell; place is None for the token's own loss."""
        assert self.scene is not None
        row, token = divmod(thing, self.scene.n_tokens)
        return (len(self.scene.highway) - row if row else None), token

    def told(self, thing: int) -> str:
        place, token = self.place_of(thing)
        said = self.describe_loss(token) if place is None else self.describe(place, token)
        return f"{said}\nClick to go to its step"

    def _on_picked(self, thing: int) -> None:
        place, token = self.place_of(thing)
        if place is None:
            self.lossClicked.emit()
        else:
            self.placeClicked.emit(place, token)

    def describe(self, place: int, token: int) -> str:
        assert self.scene is not None
        value = float(self.scene.highway[place, token])
        moves, length = format_significant(0.01 * value), format_significant(value)
        text = self._tokens()[token]
        return (
            f"{self._name(place)}, token {token} \u201c{text}\u201d: moving the residual stream by "
            f"0.01 changes the loss by at most {moves} (gradient length {length})"
        )

    def describe_loss(self, token: int) -> str:
        assert self.scene is not None
        labels, loss = self.scene.example.labels, float(self.scene.losses[token])
        here, after = (visible_text(text) for text in labels[token : token + 2])
        return (
            f"after \u201c{here}\u201d, the next token \u201c{after}\u201d had a probability of "
            f"{format_significant(float(np.exp(-loss)))}, so the loss is {format_significant(loss)}"
        )

    # painting

    def draw_scene(self, painter: QPainter, scene: Worked) -> None:
        sketch, grid, row = Sketch(painter), self.grid(), self.losses_rect()
        low, high = self.limits()
        shares = np.log(np.maximum(scene.highway[::-1], low) / low) / np.log(high / low)
        sketch.matrix(grid, shares, limit=1.0)
        if self.reached > 0:
            unreached = grid.adjusted(0, self.row_rect(self.reached - 1).top() - grid.top(), 0, 0)
            sketch.fill(unreached, "window")
            painter.fillRect(unreached, sketch.now.hatch())
            sketch.frame(grid, "divider", 1, 0)
        most = float(scene.losses.max()) or 1.0
        sketch.matrix(row, scene.losses[None] / most, "attention")
        self._draw_rows(sketch, row, most)
        self._draw_tokens(sketch, grid)
        self._draw_scale(sketch, grid, low, high)
        self._draw_marks(sketch, grid)

    def _draw_rows(self, sketch: Sketch, losses: QRectF, most: float) -> None:
        assert self.scene is not None
        now, rows = sketch.now, len(self.scene.highway)
        line, left = now.metrics("label").height(), losses.x() - now.px(6)
        sketch.text(QRectF(0, losses.y(), left, losses.height()), "token loss", align=RIGHT)
        beside = QRectF(losses.right() + now.px(10), losses.y(), now.px(SIDE), losses.height())
        sketch.text(beside, f"0 to {format_number(most)}", align=LEFT)
        every = max(1, int(np.ceil(line * 0.9 / self.row_rect(0).height())))
        for place in range(0, rows, every):
            box = QRectF(0, self.row_rect(place).center().y() - line / 2, left, line)
            ink, weight = ("accent", 600) if place == self._here else ("muted", 400)
            sketch.text(box, self._name(place), ink, RIGHT, weight=weight)

    def _draw_tokens(self, sketch: Sketch, grid: QRectF) -> None:
        now, tokens = sketch.now, self._tokens()
        font, line, wide = now.font("label"), now.metrics("label").height(), grid.width()
        wide /= len(tokens)
        every = 1 if wide >= now.px(LEVEL) else max(1, int(np.ceil(line * 0.9 / wide)))
        for token in range(0, len(tokens), every):
            x = grid.x() + token * wide
            if wide >= now.px(LEVEL):
                box = QRectF(x, grid.y() - now.px(LOSS) - line - now.px(2), wide - 4, line)
                sketch.text(box, tokens[token], cut=True)
            else:
                foot = QPointF(x + wide / 2 - now.px(2), grid.y() - now.px(LOSS + 5))
                name = elide(tokens[token], font, now.px(SLANTED))
                put_slanted(sketch.painter, foot, name, font, now.color("muted"))

    def _draw_scale(self, sketch: Sketch, grid: QRectF, low: float, high: float) -> None:
        now = sketch.now
        strip = QRectF(grid.right() + now.px(10), grid.y(), now.px(8), grid.height())
        sketch.matrix(strip, np.linspace(1, 0, 128)[:, None], limit=1.0)
        line, left = now.metrics("label").height(), strip.right() + now.px(5)
        texts = {grid.y() - 2: format_number(high), grid.bottom() - line + 2: format_number(low, 2)}
        if grid.height() >= 3 * line:
            texts[grid.center().y() - line / 2] = "log"
        for top, words in texts.items():
            sketch.text(QRectF(left, top, self.width() - left, line), words, align=LEFT)

    def _draw_marks(self, sketch: Sketch, grid: QRectF) -> None:
        assert self.scene is not None
        if self._here is not None:
            sketch.frame(self.row_rect(self._here), "accent", 2, 2)
        if self._token is not None and 0 <= self._token < self.scene.n_tokens:
            wide, top = grid.width() / self.scene.n_tokens, self.losses_rect().top()
            column = QRectF(grid.x() + self._token * wide, top, wide, grid.bottom() - top)
            sketch.frame(column, sketch.now.color("text", 0.6), 1, 0)
        if (rect := self.keyboard_rect()) is not None:
            sketch.frame(rect, "text", 1.5, 0)
