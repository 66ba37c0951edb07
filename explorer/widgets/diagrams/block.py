"""Draws one block: the stream below, attention and MLP on branches that leave it and rejoin it."""

from __future__ import annotations

import itertools
import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from core.tokenization.telling import count
from explorer import theme
from explorer.widgets.diagrams.inks import ink_of
from explorer.widgets.diagrams.scenes import BlockScene, name_of
from explorer.widgets.matrix_equation import dimensions
from explorer.widgets.sketch import SIZE, Sketch, around

NORMS = {"attention": "ln_1", "cross": "ln_cross", "mlp": "ln_2"}  # by part
SHARES = {"ln": 1.15, "attention": 3.4, "cross": 3.0, "mlp": 3.0, "add": 1.0}  # of the width
STRIPE, CARD, SIDE, LINE = (12, 64), 214, 60, 16  # px: a vector; a card's height; the stream's ends
NORM, SUM, BELOW = (54, 30), 26, 116  # px: the boxes; from the cards to the bottom
COLUMNS = 12  # of the hidden layer's picture


class BlockLayout:
    """Positions of the parts of a block: `places` and the `paths` into them, by kind."""

    def __init__(self, area: QRectF, scene: BlockScene) -> None:
        now, self.area, self.scene = theme.current(), area, scene
        self.kinds = [kind for _, kind in scene.parts]
        self.narrow = len(self.kinds) > 6  # too many for every shape to fit
        side = now.px(SIDE / (2 if self.narrow else 1))
        high = min(area.height() - now.px(BELOW + 8), now.px(CARD))
        self.top = area.top() + max(area.height() - now.px(BELOW) - high, 0) / 2
        self.y = self.top + high + now.px(58)  # of the stream
        shares = [SHARES[kind.partition("_")[0]] for kind in self.kinds]
        unit = (area.width() - 2 * side) / sum(shares)
        edges = (area.left() + side + unit * np.cumsum([0.0, *shares])).tolist()
        self.spans = dict(zip(self.kinds, itertools.pairwise(edges), strict=True))
        self.places: dict[str, QRectF] = {}
        self.paths: dict[str, list[QPointF]] = {}
        for part, norm in NORMS.items():
            if part in self.spans:
                self._place(part, norm, f"add_{part}", high)
        self.targets = [(self.places[kind], at) for at, kind in scene.parts]

    def _place(self, part: str, norm: str, add: str, high: float) -> None:
        """Places a card on the branch, its norm there or on the stream, its sum on the stream."""
        now, y = theme.current(), self.top + high / 2
        (left, right), (x, end) = self.spans[part], self.spans[norm]
        card = QRectF(left + 8, self.top, right - left - 16, high)
        wide, tall = map(now.px, NORM)
        middle = y if self.scene.pre else self.y
        box = around((x + end) / 2, middle, min(wide, end - x - 6), tall)
        dot = around(sum(self.spans[add]) / 2, self.y, now.px(SUM), now.px(SUM))
        x = dot.center().x()
        self.places |= {part: card, norm: box, add: dot}
        self.paths[add] = [QPointF(card.right(), y), QPointF(x, y), QPointF(x, dot.top())]
        if self.scene.pre:
            x = box.center().x()
            self.paths[norm] = [QPointF(x, self.y), QPointF(x, box.bottom())]
            self.paths[part] = [QPointF(box.right(), y), QPointF(card.left(), y)]
        else:
            x = card.left() + card.width() / 4
            self.paths[part] = [QPointF(x, self.y), QPointF(x, card.bottom())]
            self.paths[norm] = [QPointF(dot.right(), self.y), QPointF(box.left(), self.y)]

    def draw(self, painter: QPainter, position: float) -> None:
        sketch, step = Sketch(painter), min(math.ceil(position - 1e-9), len(self.kinds) - 1)
        ends = [QPointF(self.area.left() + 4, self.y), QPointF(self.area.right() - 4, self.y)]
        sketch.arrow(ends, "accent", 3)
        for number, kind in enumerate(self.kinds):
            place = self.places[kind]
            with sketch.faint(number > position + 1e-9):
                sketch.arrow(self.paths[kind])
                if kind.startswith("add"):
                    sketch.dot(place.center(), place.width() / 2, "accent")
                    sketch.text(place, "+", "on_accent", size="title", weight=600)
                elif kind.startswith("ln"):
                    sketch.box(place, "outline", name_of(kind))
                else:
                    sketch.box(place, ink_of(kind))
                    self._draw_card(sketch, place.adjusted(8, 8, -8, -8), kind)
            if number == step:
                sketch.frame(place.adjusted(-3, -3, 3, 3), "accent", 2, 8)
        self._draw_stripes(sketch, position)
        sketch.pulse(self.paths[self.kinds[step]], position - int(position))

    def _draw_card(self, sketch: Sketch, place: QRectF, kind: str) -> None:
        line = sketch.now.px(LINE)
        title = QRectF(place.left() - 6, place.top(), place.width() + 12, line)
        sketch.text(title, name_of(kind), ink_of(kind), size="body", weight=600, cut=True)
        above, below = self.scene.lines[kind]
        sketch.text(title.translated(0, line), above, cut=True)
        sketch.text(title.translated(0, place.height() - line), below, cut=True)
        inner = place.adjusted(0, 2.5 * line, 0, -1.5 * line)
        if kind == "mlp":
            self._draw_hidden(sketch, inner)
        else:
            self._draw_heads(sketch, inner)

    def _draw_heads(self, sketch: Sketch, place: QRectF) -> None:
        """Draws each head's pattern, in the number of columns that makes patterns largest."""
        heads, patterns = self.scene.heads, self.scene.patterns

        def side_of(columns: int) -> float:
            return min(place.width() / columns, place.height() / math.ceil(heads / columns))

        columns = max(range(1, heads + 1), key=side_of)
        rows, side = math.ceil(heads / columns), side_of(columns)
        left, top = place.center().x() - side * columns / 2, place.center().y() - side * rows / 2
        for head in range(heads):
            row, column = divmod(head, columns)
            middle = left + (column + 0.5) * side, top + (row + 0.5) * side
            cell = around(*middle, *[side - min(4.0, side / 8)] * 2)
            pattern = None if patterns is None else patterns[head]
            sketch.matrix(cell, pattern, "attention", framed=side > 12)

    def _draw_hidden(self, sketch: Sketch, place: QRectF) -> None:
        """Draws the width growing from the stream's to the hidden layer's, and shrinking again."""
        block = around(place.center().x(), place.center().y(), place.width() / 2, place.height())
        low = place.height() / max(self.scene.widening, 1.0)
        for far, edge in ((place.left(), block.left()), (place.right(), block.right())):
            for sign, end in ((-1, block.top()), (1, block.bottom())):
                start = QPointF(far, place.center().y() + sign * low / 2)
                sketch.line(start, QPointF(edge, end), ink_of("mlp"), alpha=0.7)
        hidden, grid = self.scene.hidden, None
        if hidden is not None:
            grid = np.full(-(-hidden.size // COLUMNS) * COLUMNS, np.nan, np.float32)
            grid[: hidden.size] = hidden
            grid = grid.reshape(-1, COLUMNS)
        sketch.matrix(block, grid)

    def _draw_stripes(self, sketch: Sketch, position: float) -> None:
        """Draws the chosen token's vector at the input and after each part, with shapes."""
        now, pre, size = sketch.now, self.scene.pre, dimensions(self.scene.size)
        wide, high, line = now.px(STRIPE[0]), now.px(STRIPE[1]), now.px(LINE)
        *inner, last = (kind for kind in self.kinds if kind.startswith("add" if pre else "ln"))
        side = now.px(16 if self.narrow else 40)
        places = {"in": self.area.left() + side, last: self.area.right() - side}
        places |= {kind: self.spans[kind][1] + (0 if pre else 6) for kind in inner}
        for kind, x in places.items():
            place = around(x, self.y, wide, high)
            done = kind == "in" or position + 1e-9 >= self.kinds.index(kind)
            sketch.matrix(place, self.scene.stripes.get(kind) if done else None, limit=SIZE)
            if not self.narrow:
                sketch.text(QRectF(x, place.bottom() + 2, 0, line), size)
        for kind in () if self.narrow else self.kinds:
            if kind.startswith("add"):
                corner = self.paths[kind][1]
                sketch.text(QRectF(corner.x(), corner.y() - line - 2, 0, line), size)
        foot = QRectF(self.area.center().x(), self.y + high / 2 + line + 2, 0, line)
        T, C = self.scene.size
        words = f"residual stream: {count(T, 'vector')} of {C:,} numbers, one for each token"
        sketch.text(foot, words)
