"""Paints one block: the stream below, attention and MLP on branches that leave it and come back."""

from __future__ import annotations

import itertools
import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.draw_parts import (
    FAINT,
    Target,
    box,
    frame,
    frame_hovered,
    ink,
    label,
)
from explorer.panes.transformer.map.scene import BlockScene
from explorer.widgets.base import put_text
from explorer.widgets.matrix_drawing import draw_arrow, draw_matrix, draw_pulse, draw_stripe
from explorer.widgets.matrix_equation import dimensions

SHARES = {"ln": 1.15, "attention": 3.4, "mlp": 3.0, "add": 1.1}  # of the width
STRIPE, CARD, SIDE, LINE = (
    (12, 64),
    214,
    52,
    16,
)  # px: a vector; the cards' height; the stream's ends
NORM, SUM, BELOW = (54, 30), 26, 116  # px: the boxes; from the cards to the bottom
COLUMNS = 12  # of the hidden layer's picture


class BlockLayout:
    """Where the parts of a block stand."""

    def __init__(self, area: QRectF, scene: BlockScene) -> None:
        now = theme.current()
        self.area, self.scene = area, scene
        self.kinds = [kind for _, kind, _ in scene.parts]
        side, below = now.px(SIDE), now.px(BELOW)
        high = min(area.height() - below - now.px(8), now.px(CARD))
        top = area.top() + max(area.height() - below - high, 0) / 2
        self.branch = QRectF(area.left(), top, area.width(), high)
        self.y = self.branch.bottom() + now.px(58)  # of the stream
        shares = [SHARES[kind.partition("_")[0]] for kind in self.kinds]
        unit = (area.width() - 2 * side) / sum(shares)
        edges = area.left() + side + unit * np.cumsum([0.0, *shares])
        self.spans = dict(zip(self.kinds, itertools.pairwise(edges), strict=True))
        self.targets = [Target(self.place(kind), at, words) for at, kind, words in scene.parts]

    def x(self, kind: str) -> float:
        return float(sum(self.spans[kind])) / 2

    def place(self, kind: str) -> QRectF:
        """Of a part: a card on the branch, a norm there or on the stream, a sum on the stream."""
        now, (left, right) = theme.current(), self.spans[kind]
        if kind in SHARES:
            gap = now.px(8)
            return QRectF(
                left + gap, self.branch.top(), right - left - 2 * gap, self.branch.height()
            )
        is_norm = kind.startswith("ln")
        y = self.branch.center().y() if is_norm and self.scene.pre else self.y
        wide, high = map(now.px, NORM if is_norm else (SUM, SUM))
        return QRectF(self.x(kind) - wide / 2, y - high / 2, wide, high)

    def path(self, kind: str) -> list[QPointF]:
        """The way into a part."""
        place, y = self.place(kind), self.branch.center().y()
        first = kind in ("ln_1", "attention", "add_read")
        if kind.startswith("add"):
            card = self.place("attention" if first else "mlp")
            x = self.x(kind)
            return [QPointF(card.right(), y), QPointF(x, y), QPointF(x, place.top())]
        if kind in SHARES and self.scene.pre:
            norm = self.place("ln_1" if first else "ln_2")
            return [QPointF(norm.right(), y), QPointF(place.left(), y)]
        if kind in SHARES or self.scene.pre:
            x = place.left() + place.width() / (4 if kind in SHARES else 2)
            return [QPointF(x, self.y), QPointF(x, place.bottom())]
        return [QPointF(place.left() - place.width() / 2, self.y), QPointF(place.left(), self.y)]

    def draw(self, painter: QPainter, position: float, hovered: int) -> None:
        now, step = theme.current(), min(math.ceil(position - 1e-9), len(self.kinds) - 1)
        ends = [QPointF(self.area.left() + 4, self.y), QPointF(self.area.right() - 4, self.y)]
        draw_arrow(painter, ends, now.color("accent"), 3)
        for number, kind in enumerate(self.kinds):
            painter.setOpacity(1.0 if number <= position + 1e-9 else FAINT)
            draw_arrow(painter, self.path(kind), now.color("outline"), 1.5)
            self._draw_part(painter, kind)
            if number == step:
                frame(painter, self.place(kind).adjusted(-2, -2, 2, 2), "accent", 2)
        painter.setOpacity(1.0)
        self._draw_stripes(painter, position)
        self._draw_shapes(painter)
        frame_hovered(painter, self.targets, hovered)
        if position != int(position):
            draw_pulse(painter, self.path(self.kinds[step]), position - int(position))

    def _draw_part(self, painter: QPainter, kind: str) -> None:
        now, place = theme.current(), self.place(kind)
        if kind.startswith("add"):
            painter.setPen(now.pen("accent", 1.5))
            painter.setBrush(now.color("surface"))
            painter.drawEllipse(place)
            put_text(painter, place, "+", now.font("title", 600), now.color("accent"))
        elif kind.startswith("ln"):
            box(painter, place, "outline", text.node(kind))
        else:
            box(painter, place, ink(kind))
            self._draw_card(painter, place.adjusted(8, 8, -8, -8), kind)

    def _draw_card(self, painter: QPainter, place: QRectF, kind: str) -> None:
        now, line = theme.current(), theme.current().px(LINE)
        title = QRectF(place.left(), place.top(), place.width(), line)
        put_text(painter, title, text.node(kind), now.font("body", 600), ink(kind))
        above, below = self.scene.inside[kind]
        label(painter, title.translated(0, line), above)
        label(painter, QRectF(place.left(), place.bottom() - line, place.width(), line), below)
        inner = place.adjusted(0, 2.5 * line, 0, -1.5 * line)
        if kind == "attention":
            self._draw_heads(painter, inner)
        else:
            self._draw_hidden(painter, inner)

    def _draw_heads(self, painter: QPainter, place: QRectF) -> None:
        """Each head's pattern, in as many columns as make them largest."""
        heads = self.scene.heads

        def side_of(columns: int) -> float:
            return min(place.width() / columns, place.height() / math.ceil(heads / columns))

        columns = max(range(1, heads + 1), key=side_of)
        rows, side = math.ceil(heads / columns), side_of(columns)
        left, top = place.center().x() - side * columns / 2, place.center().y() - side * rows / 2
        gap = min(4.0, side / 8)
        for head in range(heads):
            row, column = divmod(head, columns)
            cell = QRectF(
                left + column * side + gap / 2, top + row * side + gap / 2, side - gap, side - gap
            )
            pattern = None if self.scene.patterns is None else self.scene.patterns[head]
            draw_matrix(painter, cell, pattern, "attention", framed=side > 12)

    def _draw_hidden(self, painter: QPainter, place: QRectF) -> None:
        """The stream's width grows to that of the hidden layer, and shrinks again."""
        now, hidden = theme.current(), self.scene.hidden
        wide = place.width() * 0.5
        block = QRectF(place.center().x() - wide / 2, place.top(), wide, place.height())
        low, middle = place.height() / max(self.scene.widening, 1.0), place.center().y()
        painter.setPen(now.pen(ink("mlp"), 1, 0.7))
        for far, edge in ((place.left(), block.left()), (place.right(), block.right())):
            painter.drawLine(QPointF(far, middle - low / 2), QPointF(edge, block.top()))
            painter.drawLine(QPointF(far, middle + low / 2), QPointF(edge, block.bottom()))
        grid = None
        if hidden is not None:
            padded = np.full(-(-hidden.size // COLUMNS) * COLUMNS, np.nan, np.float32)
            padded[: hidden.size] = hidden
            grid = padded.reshape(-1, COLUMNS)
        draw_matrix(painter, block, grid)

    def _draw_stripes(self, painter: QPainter, position: float) -> None:
        """The chosen token's vector: as it comes, after attention, and as it goes."""
        now, scene = theme.current(), self.scene
        wide, high = map(now.px, STRIPE)
        first, last = [kind for kind in self.kinds if kind.startswith("add" if scene.pre else "ln")]
        places = {
            "in": self.area.left() + now.px(26),
            first: float(self.spans[first][1]) + now.px(0 if scene.pre else 6),
            last: self.area.right() - now.px(30),
        }
        for kind, x in places.items():
            place = QRectF(x - wide / 2, self.y - high / 2, wide, high)
            done = kind == "in" or position + 1e-9 >= self.kinds.index(kind)
            draw_stripe(painter, place, scene.stripes.get(kind) if done else None)
            words = QRectF(x - 40, place.bottom() + 2, 80, now.px(LINE))
            label(painter, words, dimensions(scene.size))

    def _draw_shapes(self, painter: QPainter) -> None:
        """On the edges of the branches, and the stream's name."""
        now, words = theme.current(), dimensions(self.scene.size)
        line = now.px(LINE)
        for kind in ("add_read", "add_thought"):
            corner = self.path(kind)[1]
            label(painter, QRectF(corner.x() - 40, corner.y() - line - 2, 80, line), words)
        foot = QRectF(
            self.area.left(), self.y + now.px(STRIPE[1]) / 2 + line + 2, self.area.width(), line
        )
        label(painter, foot, text.STREAM)
