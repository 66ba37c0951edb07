"""Paints an encoder-decoder: two stacks, and the arrows by which the second reads the first."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from core.transformer.config import EncoderDecoderConfig
from explorer import theme
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.draw_spine import WORDS, ink_of
from explorer.panes.transformer.map.scene import ModelScene
from explorer.widgets.base import LEFT
from explorer.widgets.sketch import FAINT, Sketch, around

SIDE, PART, HIGH, LINE = 92, 64, 104, 16  # px: ends of a stack; a part; a stack's height; a line
PARTS = {"encoder": ("attention", "mlp"), "decoder": ("attention", "cross", "mlp")}


class PairLayout:
    """The encoder above, the decoder below: from left to right as the text goes through."""

    def __init__(self, area: QRectF, scene: ModelScene) -> None:
        now, self.area, self.found, self.steps = theme.current(), area, scene.found, scene.steps
        assert isinstance(scene.found.config, EncoderDecoderConfig)
        self.config = scene.found.config
        self.ys = {"encoder": area.top() + area.height() * 0.27,
                   "decoder": area.top() + area.height() * 0.74}  # fmt: skip
        self.left, self.right = area.left() + now.px(SIDE + PART), area.right() - now.px(250)
        self.targets = [(self.place(at), index) for at, (index, _) in enumerate(self.steps)]

    def stack(self, step: int) -> str:
        return self.found.parts[self.steps[step][0]].stack

    def place(self, step: int) -> QRectF:
        """A block, or one of the parts before and after the blocks."""
        now, (index, kind), stack = theme.current(), self.steps[step], self.stack(step)
        part, config = self.found.parts[index], getattr(self.config, stack)
        pitch = (self.right - self.left) / config.n_layer
        y, high = self.ys[stack], now.px(HIGH)
        if kind == "block":
            x = self.left + ((part.layer or 0) + 0.5) * pitch
            return around(x, y, min(pitch - now.px(10), now.px(64)), high)
        if kind == "embed":
            return around(self.left - now.px(PART) / 2, y, now.px(PART - 22), now.px(56))
        past = [other for _, other in self.steps[-4:] if other not in ("block", "embed")].index(
            kind
        )
        x = self.right + (past + 0.5) * now.px(PART)
        return around(x, y, now.px(PART - 14), now.px(56 if kind == "unembed" else 32))

    def draw(self, painter: QPainter, position: float) -> None:
        sketch, now = Sketch(painter), theme.current()
        step = min(math.ceil(position - 1e-9), len(self.steps) - 1)
        names = {"encoder": text.ENCODER, "decoder": text.DECODER}
        for stack, y in self.ys.items():
            config = getattr(self.config, stack)
            end = self.right + now.px(14 if stack == "encoder" else 4 * PART - 20)
            start = QPointF(self.area.left() + now.px(SIDE - 10), y)
            sketch.line(start, QPointF(end, y), "accent", 3)
            tokens = QRectF(self.area.left() + 8, y - now.px(LINE) / 2, 0, now.px(LINE))
            sketch.text(tokens, text.shape("T", config.block_size), "text", LEFT)
            away = -HIGH / 2 - 6 - LINE if stack == "encoder" else HIGH / 2 + 6 + LINE
            name = QRectF(self.left, y + away * now.zoom, 0, now.px(LINE))
            sketch.text(name, names[stack], "text", LEFT, "body", 600)
            first = next(at for at in range(len(self.steps)) if self.stack(at) == stack)
            part = self.found.parts[self.steps[first][0]]
            below = QRectF(self.left, y + now.px(HIGH / 2 + 4), 0, now.px(LINE))
            sketch.text(below, text.blocks(self.found, part), align=LEFT)
        self._draw_crossing(sketch, position)
        for at, (_, kind) in enumerate(self.steps):
            with sketch.faint(at > position + 1e-9):
                self._draw_part(sketch, at, kind)
            if at == step:
                sketch.frame(self.place(at).adjusted(-3, -3, 3, 3), "accent", 2)
        ends = [self.place(at).center() for at in (int(position), step)]
        sketch.pulse(ends, position - int(position))

    def _draw_part(self, sketch: Sketch, at: int, kind: str) -> None:
        place = self.place(at)
        if kind != "block":
            sketch.box(place, ink_of(kind), WORDS.get(kind, text.node(kind)))
            return
        sketch.box(place, "outline")
        names = PARTS[self.stack(at)]
        inner = place.adjusted(7, 7, -7, -7)
        high = inner.height() / len(names)
        for row, name in enumerate(names):
            part = QRectF(inner.left(), inner.top() + row * high + 2, inner.width(), high - 4)
            sketch.fill(part, ink_of(name))

    def _draw_crossing(self, sketch: Sketch, position: float) -> None:
        """From the end of the encoder into the cross-attention of every block of the decoder."""
        now, ink = sketch.now, ink_of("cross")
        y = (self.ys["encoder"] + self.ys["decoder"]) / 2 + now.px(6)
        end = QPointF(self.right + now.px(14), self.ys["encoder"])
        blocks = [at for at, step in enumerate(self.steps)
                  if step[1] == "block" and self.stack(at) == "decoder"]  # fmt: skip
        with sketch.faint(position < blocks[0] - 1 - 1e-9, FAINT + 0.2):
            for at in blocks:
                place = self.place(at)
                x = place.center().x()
                ends = [end, QPointF(end.x(), y), QPointF(x, y), QPointF(x, place.top() - 2)]
                sketch.arrow(ends, ink)
            told = QRectF(end.x() + now.px(10), y - now.px(LINE) / 2, 0, now.px(LINE))
            sketch.text(told, text.node("cross"), ink, LEFT, weight=600)
