"""Paints an encoder-decoder: two stacks, and the arrows by which the second reads the first."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.widgets.base import LEFT
from explorer.widgets.diagrams.inks import WORDS, ink_of
from explorer.widgets.diagrams.scenes import PairScene, StackScene, name_of, shape_of
from explorer.widgets.sketch import FAINT, Sketch, around

SIDE, PART, HIGH, LINE = 92, 64, 104, 16  # px: ends of a stack; a part; a stack's height; a line
TITLES = "encoder: reads the source", "decoder: writes the target"
HEIGHTS = 0.27, 0.74  # of the area, from the top: where the two stand


class PairLayout:
    """The encoder above, the decoder below: from left to right as the text goes through."""

    def __init__(self, area: QRectF, scene: PairScene) -> None:
        now, self.area, self.stacks = theme.current(), area, (scene.encoder, scene.decoder)
        self.ys = [area.top() + area.height() * share for share in HEIGHTS]
        self.left, self.right = area.left() + now.px(SIDE + PART), area.right() - now.px(250)
        self.steps = [(which, kind, index) for which, stack in enumerate(self.stacks)
                      for index, kind in stack.steps]  # fmt: skip
        self.places = [place for which in (0, 1) for place in self._placed(which)]
        self.targets = [(place, step[2]) for place, step in
                        zip(self.places, self.steps, strict=True)]  # fmt: skip

    def _placed(self, which: int) -> list[QRectF]:
        """A block, or one of the parts before and after the blocks."""
        now, stack, y = theme.current(), self.stacks[which], self.ys[which]
        pitch, places = (self.right - self.left) / len(stack.windows), []
        for at, (_, kind) in enumerate(stack.steps):
            if kind == "block":
                x = self.left + (at - 0.5) * pitch
                wide = min(pitch - now.px(10), now.px(64))
                places.append(around(x, y, wide, now.px(HIGH)))
                continue
            past = at - 1 - len(stack.windows) if at else 0
            x = self.right + (past + 0.5) * now.px(PART) if at else self.left - now.px(PART) / 2
            high = now.px(56 if "embed" in kind else 32)
            places.append(around(x, y, now.px(PART - 14), high))
        return places

    def draw(self, painter: QPainter, position: float) -> None:
        sketch, step = Sketch(painter), min(math.ceil(position - 1e-9), len(self.steps) - 1)
        for which, stack in enumerate(self.stacks):
            self._draw_line(sketch, which, stack)
        for at, (which, kind, _) in enumerate(self.steps):
            with sketch.faint(at > position + 1e-9):
                if kind == "block":
                    self._draw_block(sketch, self.places[at], self.stacks[which].crosses)
                else:
                    sketch.box(self.places[at], ink_of(kind), WORDS.get(kind, name_of(kind)))
        self._draw_crossing(sketch, position)
        sketch.frame(self.places[step].adjusted(-3, -3, 3, 3), "accent", 2)
        ends = [self.places[at].center() for at in (min(int(position), step), step)]
        sketch.pulse(ends, position - int(position))

    def _draw_line(self, sketch: Sketch, which: int, stack: StackScene) -> None:
        """The stream, and words round it."""
        now, y, line = sketch.now, self.ys[which], sketch.now.px(LINE)
        last = next(at for at, step in reversed(list(enumerate(self.steps))) if step[0] == which)
        end = self.places[last].right() + now.px(14)
        sketch.line(QPointF(self.area.left() + now.px(SIDE - 10), y), QPointF(end, y), "accent", 3)
        tokens = QRectF(self.area.left() + 8, y - line / 2, 0, line)
        sketch.text(tokens, shape_of("T", stack.size[0]), "text", LEFT)
        below = QRectF(self.left, y + now.px(HIGH / 2 + 4), 0, line)
        sketch.text(below, stack.words, align=LEFT)
        top = below.top() + line + 2 if which else y - now.px(HIGH / 2 + 6) - line
        name = QRectF(self.left, top, 0, line)
        sketch.text(name, TITLES[which], "text", LEFT, "body", 600)

    def _draw_block(self, sketch: Sketch, place: QRectF, crosses: bool) -> None:
        sketch.box(place, "outline")
        names = ("attention", "cross", "mlp") if crosses else ("attention", "mlp")
        inner, high = place.adjusted(7, 7, -7, -7), (place.height() - 14) / len(names)
        for row, name in enumerate(names):
            part = QRectF(inner.left(), inner.top() + row * high + 2, inner.width(), high - 4)
            sketch.fill(part, ink_of(name))

    def _draw_crossing(self, sketch: Sketch, position: float) -> None:
        """From the end of the encoder into the cross-attention of every block of the decoder."""
        now, ink = sketch.now, ink_of("cross")
        y = sum(self.ys) / 2 + now.px(6)
        blocks = [at for at, step in enumerate(self.steps) if step[:2] == (1, "block")]
        before = len(self.stacks[0].steps) - 1
        end = QPointF(self.places[before].right() + now.px(14), self.ys[0])
        with sketch.faint(position < before - 1e-9, FAINT + 0.2):
            for at in blocks:
                left, into = self.places[at].left(), self.places[at].center().y()
                x = left - now.px(5)
                ends = [end, QPointF(end.x(), y), QPointF(x, y), QPointF(x, into)]
                sketch.arrow([*ends, QPointF(left + now.px(8), into)], ink)
            told = QRectF(end.x() + now.px(10), y - now.px(LINE) / 2, 0, now.px(LINE))
            sketch.text(told, name_of("cross"), ink, LEFT, weight=600)
