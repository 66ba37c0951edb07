"""Paints the whole model: the residual stream as a spine, and what hangs on it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from core.numbers import format_share
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, elide
from explorer.widgets.diagrams.inks import WORDS, ink_of
from explorer.widgets.diagrams.scenes import SpineScene, name_of, shape_of
from explorer.widgets.sketch import FAINT, SIZE, Sketch, around
from explorer.widgets.token_strip import draw_chip

HANGING = {"attention": "attention adds", "mlp": "MLP adds"}
DOTS = ("how much the last token reads from each, the mean over all heads",
        "how much it reads from each")  # fmt: skip
TOKENS, EMBED, PART = 96, 54, 52  # px of width: tokens; what is round the blocks
BARS, NAMED = 196, 112  # px of width: the next token; where it is not known
MOST = 0.26  # of the width, for either
ROW, ROWS = (17, 24), 10  # px of an earlier token's line; so many at most
BAND, BAR = (64, 150), (34, 84)  # px of height: the stream; what hangs on it
FOOT, HEAD, LINE, LIKELY = 38, 22, 15, 12
EMBEDDED = 12  # px: the stream before the first block


class Earlier(NamedTuple):
    """A line for one earlier token, or for several."""

    words: str
    tokens: slice


class SpineLayout:
    """Where all of it stands in an area."""

    def __init__(self, area: QRectF, scene: SpineScene) -> None:
        now, self.area, self.scene = theme.current(), area, scene
        self.steps, self.layers = scene.stack.steps, len(scene.stack.windows)
        parts = sum(kind not in ("embed", "block", "next") for _, kind in self.steps)
        self.left = area.left() + now.px(TOKENS) + now.px(EMBED)
        wide = now.px(BARS if scene.likely else NAMED)
        self.wide = min(wide, area.width() * MOST)
        self.right = area.right() - self.wide - parts * now.px(PART)
        self.pitch = (self.right - self.left) / self.layers
        earlier, fixed = scene.chosen, now.px(FOOT) + now.px(HEAD)
        room = area.height() - fixed
        least = now.px(BAND[0]) + 2 * now.px(BAR[0])
        rows = min(earlier, ROWS, max(int((room - least) // now.px(ROW[0])), 0))
        self.earlier = self._lines(earlier, rows)
        pitch = min((room - least) / rows, now.px(ROW[1])) if rows else 0.0
        spare = max(room - least - rows * pitch, 0.0)
        band = min(now.px(BAND[0]) + spare / 2, now.px(BAND[1]))
        self.bar = min(now.px(BAR[0]) + spare / 4, now.px(BAR[1]))
        used = fixed + rows * pitch + band + 2 * self.bar
        top = area.top() + max(area.height() - used, 0) / 2 + now.px(HEAD)
        self.ys = [top + (at + 0.5) * pitch for at in range(rows)]
        self.band = QRectF(self.left, top + rows * pitch + self.bar, self.right - self.left, band)
        self.middle = self.band.center().y()
        self.targets = [(self.column(at), step[0]) for at, step in enumerate(self.steps)]

    def _lines(self, earlier: int, rows: int) -> list[Earlier]:
        """The first token, which many heads look at, and the last ones; between them all others."""
        words = self.scene.tokens[:earlier]
        one = [Earlier(word, slice(at, at + 1)) for at, word in enumerate(words)]
        if earlier <= rows or rows < 3:
            return one[earlier - rows :]
        many = earlier - rows + 1
        return [one[0], Earlier(f"{many} more", slice(1, 1 + many)), *one[1 + many :]]

    def column(self, step: int) -> QRectF:
        """A step's place, from what hangs above the spine to what hangs below."""
        now, kind = theme.current(), self.steps[step][1]
        top, high = self.band.top() - self.bar, self.band.height() + 2 * self.bar
        if kind == "embed":
            return QRectF(self.left - now.px(EMBED), top, now.px(EMBED - EMBEDDED - 4), high)
        if kind == "block":
            return QRectF(self.left + (step - 1) * self.pitch, top, self.pitch, high)
        if kind == "next":
            return QRectF(self.area.right() - self.wide, top, self.wide, high)
        past = step - 1 - self.layers
        return QRectF(self.right + past * now.px(PART), top, now.px(PART), high)

    def x(self, position: float) -> float:
        """Of the cursor: a settled step's far edge, or where the next token's bars begin."""
        step, last = int(position), len(self.steps) - 1
        ends = [self.column(min(at, last)) for at in (step, step + 1)]
        edges = [end.left() if step + at >= last else end.right() for at, end in enumerate(ends)]
        return theme.lerp(edges[0], edges[1], position - step)

    def draw(self, painter: QPainter, position: float) -> None:
        sketch, reach = Sketch(painter), self.x(position) + 0.5
        self._draw_tokens(sketch, reach)
        self._draw_blocks(sketch, reach)
        self._draw_stream(sketch, reach)
        self._draw_ends(sketch, position)
        self._draw_words(sketch)
        step = min(math.ceil(position - 1e-9), len(self.steps) - 1)
        if self.steps[step][1] != "next":
            sketch.frame(self.column(step).adjusted(-2, -4, 2, 4), "accent", 2)
        ends = [QPointF(self.x(float(at)), self.middle) for at in (min(int(position), step), step)]
        sketch.pulse(ends, position - int(position))

    def _draw_tokens(self, sketch: Sketch, reach: float) -> None:
        """Earlier tokens, each with its own line, and dots where the chosen one reads from them."""
        now, scene, wide = sketch.now, self.scene, sketch.now.px(TOKENS - 10)
        high = now.px(18)
        for line, y in zip(self.earlier, self.ys, strict=True):
            place = QRectF(self.area.left(), y - high / 2, wide, high - 2)
            if line.tokens.stop - line.tokens.start == 1:
                self._draw_chip(sketch, place, line.words, False)
            else:
                sketch.text(place, line.words, align=RIGHT)
            sketch.line(QPointF(place.right() + 4, y), QPointF(self.right, y), "divider")
            if scene.reads is not None:
                self._draw_dots(sketch, y, scene.reads[:, line.tokens].sum(axis=1), reach)
        place = QRectF(self.area.left(), self.middle - high / 2 - 2, wide, high + 4)
        end = QPointF(self.area.right() - self.wide, self.middle)
        ink = "accent" if self.scene.tokens else "outline"
        sketch.line(QPointF(place.right(), self.middle), end, ink, 2)
        if self.scene.tokens:
            self._draw_chip(sketch, place, scene.tokens[scene.chosen], True)
        else:
            words = shape_of("T", scene.stack.size[0])
            sketch.text(place.adjusted(0, 0, -8, 0), words, "text", RIGHT)
        for layer in range(self.layers) if self.ys and self.pitch >= now.px(10) else ():
            x = self.left + (layer + 0.5) * self.pitch
            if x <= reach:
                ends = QPointF(x, self.ys[0]), QPointF(x, self.band.top())
                sketch.line(*ends, "attention", alpha=0.3)

    def _draw_chip(self, sketch: Sketch, place: QRectF, words: str, chosen: bool) -> None:
        now = sketch.now
        wide = now.metrics("mono", mono=True).horizontalAdvance(words) + now.px(12)
        small = place.adjusted(max(place.width() - wide, 0), 0, 0, 0)
        edge, back = ("accent", "selected") if chosen else ("divider", "surface")
        colors = (now.color(back), now.color(edge), now.color("text"))
        draw_chip(sketch.painter, small, words, *colors)

    def _draw_dots(self, sketch: Sketch, y: float, shares: np.ndarray, reach: float) -> None:
        now = sketch.now
        most = min(now.px(7), max(self.pitch * 0.45, now.px(1.5)))
        for layer, share in enumerate(shares.tolist()):
            x = self.left + (layer + 0.5) * self.pitch
            if share > 0.004 and x <= reach:
                sketch.dot(QPointF(x, y), most * math.sqrt(share), "attention")

    def _draw_blocks(self, sketch: Sketch, reach: float) -> None:
        """Above the stream what attention adds in each block, below it what the MLP adds."""
        writes = self.scene.writes
        longest = 1.0 if writes is None else float(writes.max()) or 1.0
        gap = 1.0 if self.pitch < sketch.now.px(8) else min(self.pitch * 0.18, sketch.now.px(10))
        for layer in range(self.layers):
            x = self.left + layer * self.pitch
            banded = self.scene.stack.windows[layer] is not None
            for side, name in enumerate(("attention", "mlp")):
                share = 0.45 if banded and not side else 0.8
                share = float(writes[layer, side]) / longest if writes is not None else share
                high = max(self.bar * 0.94 * share, 2.0)
                top = self.band.bottom() if side else self.band.top() - high
                bar = QRectF(x + gap / 2, top, max(self.pitch - gap, 1.0), high)
                sketch.fill(bar, ink_of(name), 1.0 if x + self.pitch / 2 <= reach else FAINT / 2)

    def _draw_stream(self, sketch: Sketch, reach: float) -> None:
        """The chosen token's vector as colors: embedded, and after each attention and MLP."""
        now, band, stripes = sketch.now, self.band, self.scene.stripes
        first = band.adjusted(-now.px(EMBEDDED), 0, -band.width(), 0)
        sketch.fill(band.united(first), "raised")
        if stripes is not None:
            sketch.painter.save()
            sketch.painter.setClipRect(first.adjusted(0, 0, reach - first.right(), 0))
            sketch.matrix(first, stripes[:, :1], limit=SIZE, framed=False)
            sketch.matrix(band, stripes[:, 1:], limit=SIZE, framed=False)
            sketch.painter.restore()
        else:
            sketch.frame(band, "divider", 1, 0)
        wide = 1 if self.pitch < now.px(20) else 2
        for layer in range(self.layers) if self.pitch >= now.px(5) else ():
            x = self.left + layer * self.pitch
            sketch.line(QPointF(x, band.top()), QPointF(x, band.bottom()), "surface", wide)

    def _draw_ends(self, sketch: Sketch, position: float) -> None:
        """Embedding before the blocks; norm, unembedding and softmax after them; the next token."""
        now, last = sketch.now, len(self.steps) - 1
        for step, (_, kind) in enumerate(self.steps):
            if kind in WORDS:
                column, high = self.column(step), now.px(56 if "embed" in kind else 32)
                place = around(column.center().x(), self.middle, column.width() - 10, high)
                with sketch.faint(position < step - 1e-9, FAINT + 0.2):
                    sketch.box(place, ink_of(kind), WORDS[kind])
        column = self.column(last)
        ends = [QPointF(column.left() + now.px(at), self.middle) for at in (-4, 8)]
        sketch.arrow(ends, "accent" if self.scene.tokens else "outline", 2)
        if self.scene.likely:
            self._draw_likely(sketch, column, min(max(position - (last - 1), 0.0), 1.0))

    def _draw_likely(self, sketch: Sketch, column: QRectF, progress: float) -> None:
        now, foot = sketch.now, self.band.bottom() + self.bar
        row, name, number = now.px(21), now.px(68), now.px(40)
        count = min(int((foot - self.area.top()) // row), len(self.scene.likely), LIKELY)
        high = row * count
        top = min(max(self.area.center().y(), self.middle) - high / 2, foot - high)
        largest = self.scene.likely[0][1]
        for at, (words, probability) in enumerate(self.scene.likely[:count]):
            ink = "accent" if at == 0 and progress >= 1 else "text"
            line = QRectF(column.left() + now.px(12), top + at * row, name, row)
            font = now.font("mono", mono=True)
            with sketch.faint(progress < 1, progress):
                sketch.text(line, elide(words, font, name), ink, RIGHT, "mono", mono=True)
                room = (column.right() - line.right() - 6 - number) * theme.ease_out(progress)
                long = max(room * probability / largest, 1)
                bar = QRectF(line.right() + 6, line.top() + 4, long, row - 8)
                sketch.fill(bar, "accent" if ink == "accent" else now.series(0))
                told = QRectF(bar.right() + 4, line.top(), number, row)
                sketch.text(told, format_share(probability), align=LEFT)

    def _draw_words(self, sketch: Sketch) -> None:
        """Names of what hangs, numbers of blocks, shapes."""
        now, band = sketch.now, self.band
        line, foot = now.px(LINE), band.bottom() + self.bar + now.px(6)
        room = self.left - self.area.left() - now.px(EMBEDDED + 6)
        for name, y in (("attention", band.top() - line - 2), ("mlp", band.bottom() + 2)):
            place = QRectF(self.area.left(), y, room, line)
            sketch.text(place, HANGING[name], ink_of(name), RIGHT, weight=600)
        every = max(1, math.ceil(now.px(20) / self.pitch))
        for layer in range(self.layers):
            if layer % every == every - 1 or layer == 0:
                x = self.left + (layer + 0.5) * self.pitch
                sketch.text(QRectF(x, foot, 0, line), f"{layer + 1}")
        below = QRectF(band.center().x(), foot + line, 0, line)
        sketch.text(below, self.scene.stack.words)
        for step, (_, kind) in enumerate(self.steps):
            column = self.column(step)
            if kind in WORDS:
                sketch.text(QRectF(column.center().x(), foot, 0, line), name_of(kind))
            elif kind == "next":
                place = QRectF(column.left() + now.px(12), foot, column.width(), line)
                sketch.text(place, "next token", align=LEFT)
                size = shape_of("V", self.scene.vocabulary)
                sketch.text(place.translated(0, line), size, align=LEFT)
        if self.ys:
            wide = self.area.right() - self.wide - self.left
            above = QRectF(self.left, self.ys[0] - now.px(ROW[1] + 2), wide, line)
            fits = [one for one in DOTS if now.metrics("label").horizontalAdvance(one) < wide]
            sketch.text(above, (fits or DOTS[1:])[0], align=LEFT, cut=True)
