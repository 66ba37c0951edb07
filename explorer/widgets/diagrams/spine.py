"""Draws the whole model: the residual stream as a spine, and the parts attached to it."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from core.tokenization.telling import count
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, elide
from explorer.widgets.diagrams.inks import WORDS, ink_of
from explorer.widgets.diagrams.scenes import SpineScene, name_of, shape_of
from explorer.widgets.likeliest_bars import NextToken, draw_likeliest, likeliest_rows
from explorer.widgets.sketch import FAINT, SIZE, Sketch, around
from explorer.widgets.token_strip import draw_chip

HANGING = {"attention": "attention adds", "mlp": "MLP adds"}
DOTS = ("how much the last token reads from each token, averaged over all heads",
        "how much the last token reads from each")  # fmt: skip
TOKENS, ID, EMBED, PART = 96, 40, 54, 52  # px of width: tokens; ids; a part around the blocks
BARS, NAMED, WORD = 196, 112, 68  # px of width: the next token; if unknown; its name
MOST = 0.26  # of the width, for the next token
ROW, ROWS = (17, 24), 10  # px of an earlier token's line; the most lines
BAND, BAR = (64, 150), (34, 84)  # px of height: the stream; a part attached to it
FOOT, HEAD, LINE, LIKELY = 38, 22, 15, (12, 21)  # px; rows of likely tokens, and px of one
EMBEDDED, END = 12, 14  # px: the stream before the first block; after an encoder's last


class SpineLayout:
    """Positions of all parts in an area; `right` is the end of the blocks for a spine without an
    output of its own.
    """

    def __init__(self, area: QRectF, scene: SpineScene, right: float | None = None) -> None:
        now, self.area, self.scene = theme.current(), area, scene
        self.steps, self.layers = scene.steps, len(scene.windows)
        parts = now.px(PART) * sum(kind not in ("embed", "block", "next") for _, kind in self.steps)
        self.id = now.px(ID) if scene.ids else 0
        self.left = area.left() + now.px(TOKENS) + self.id + now.px(EMBED)
        self.wide = min(now.px(BARS if scene.likely else NAMED), area.width() * MOST)
        self.right = area.right() - self.wide - parts if right is None else right
        self.end = self.right + parts + (0 if right is None else now.px(END))
        self.pitch = (self.right - self.left) / self.layers
        self.xs = [self.left + (at + 0.5) * self.pitch for at in range(self.layers)]  # of blocks
        fixed, earlier = now.px(FOOT) + now.px(HEAD), scene.chosen
        room, least = area.height() - fixed, now.px(BAND[0]) + 2 * now.px(BAR[0])
        rows = min(earlier, ROWS, max(int((room - least) // now.px(ROW[0])), 0))
        self.earlier = self._lines(earlier, rows)  # words, and the tokens they represent
        pitch = min((room - least) / rows, now.px(ROW[1])) if rows else 0.0
        spare = room - least - rows * pitch  # if negative, everything shrinks
        band = min(now.px(BAND[0]) + spare / 2, now.px(BAND[1]))
        self.bar = min(now.px(BAR[0]) + spare / 4, now.px(BAR[1]))
        used = fixed + rows * pitch + band + 2 * self.bar
        top = area.top() + (area.height() - used) / 2 + now.px(HEAD)
        self.ys = [top + (at + 0.5) * pitch for at in range(rows)]
        self.band = QRectF(self.left, top + rows * pitch + self.bar, self.right - self.left, band)
        self.middle = self.band.center().y()
        # The place of each step spans the height of the attached parts.
        above, high = self.band.top() - self.bar, band + 2 * self.bar
        wide, x = now.px(EMBED - EMBEDDED - 4), self.left
        self.columns = [QRectF(x - now.px(EMBED), above, wide, high)]
        for _, kind in self.steps[1:]:
            wide = {"block": self.pitch, "next": self.wide}.get(kind, now.px(PART))
            self.columns.append(QRectF(x, above, wide, high))
            x += wide
        self.targets = [(place, at) for place, (at, _) in
                        zip(self.columns, self.steps, strict=True)]  # fmt: skip

    def _lines(self, earlier: int, rows: int) -> list[tuple[str, slice]]:
        """Returns lines for the first token, a sink of attention, all in between, and the last."""
        words = self.scene.tokens[:earlier]
        one = [(word, slice(at, at + 1)) for at, word in enumerate(words)]
        if earlier <= rows or rows < 3:
            return one[earlier - rows :]
        many = earlier - rows + 1
        return [one[0], (f"{many} more", slice(1, 1 + many)), *one[1 + many :]]

    def bar_of(self, layer: int, part: str) -> QRectF:
        """Returns the bar of a part's contribution: the MLP's below the stream, others above."""
        scene, below = self.scene, part == "mlp"
        if scene.writes is None:
            share = 0.45 if part == "attention" and scene.windows[layer] is not None else 0.8
        else:
            share = float(scene.writes[layer, int(below)] / (scene.writes.max() or 1.0))
        px = theme.current().px
        gap = 1.0 if self.pitch < px(8) else min(self.pitch * 0.18, px(10))
        left, wide = self.left + layer * self.pitch + gap / 2, max(self.pitch - gap, 1.0)
        high = max(self.bar * 0.94 * share, 2.0)
        if scene.source is not None and not below:
            wide /= 2
            left += wide * (part == "cross")
        return QRectF(left, self.band.bottom() if below else self.band.top() - high, wide, high)

    def x(self, position: float) -> float:
        """Returns the cursor's x: a completed step's right edge, or the left of the last bars."""
        edges = [one.left() if kind == "next" else one.right()
                 for one, (_, kind) in zip(self.columns, self.steps, strict=True)]  # fmt: skip
        far = float(np.interp(position, range(len(edges)), edges))
        return far if position >= 0 else self.area.left()

    def draw(self, painter: QPainter, position: float) -> None:
        """Draws the spine; `position` may be before the first step or after the last one."""
        sketch, reach = Sketch(painter), self.x(position) + 0.5
        self._draw_tokens(sketch, reach)
        self._draw_blocks(sketch, reach)
        self._draw_stream(sketch, reach)
        self._draw_ends(sketch, position)
        self._draw_words(sketch)
        step = math.ceil(position - 1e-9)
        if not 0 <= step < len(self.steps):
            return
        if self.steps[step][1] != "next":
            sketch.frame(self.columns[step].adjusted(-2, -4, 2, 4), "accent", 2)
        if position > 0:
            ends = [QPointF(self.x(float(at)), self.middle) for at in (int(position), step)]
            sketch.pulse(ends, position - int(position))

    def _draw_tokens(self, sketch: Sketch, reach: float) -> None:
        """Draws earlier tokens with a line each, and dots where the chosen one reads from them."""
        now, scene, high = sketch.now, self.scene, sketch.now.px(18)
        wide, most = now.px(TOKENS - 10), min(now.px(7), max(self.pitch * 0.45, now.px(1.5)))
        reached = [x for x in self.xs if x <= reach]
        for (words, tokens), y in zip(self.earlier, self.ys, strict=True):
            place, start = QRectF(self.area.left(), y - high / 2, wide, high - 2), 4 + self.id
            if tokens.stop - tokens.start == 1:
                self._draw_chip(sketch, place, words, "divider", "surface")
                self._draw_id(sketch, place, tokens.start)
            else:
                sketch.text(place, words, align=RIGHT)
            sketch.line(QPointF(place.right() + start, y), QPointF(self.right, y), "divider")
            shares = scene.reads[:, tokens].sum(axis=1).tolist() if scene.reads is not None else ()
            for x, share in zip(reached, shares, strict=False):
                if share > 0.004:
                    sketch.dot(QPointF(x, y), most * math.sqrt(share), "attention")
        for x in reached if self.ys and self.pitch >= now.px(10) else ():
            ends = QPointF(x, self.ys[0]), QPointF(x, self.band.top())
            sketch.line(*ends, "attention", alpha=0.3)
        place = QRectF(self.area.left(), self.middle - high / 2 - 2, wide, high + 4)
        ends = QPointF(place.right(), self.middle), QPointF(self.end, self.middle)
        sketch.line(*ends, "accent" if scene.tokens else "outline", 2)
        if scene.tokens:
            self._draw_chip(sketch, place, scene.tokens[scene.chosen], "accent", "selected")
            self._draw_id(sketch, place, scene.chosen)
        else:
            words = shape_of("T", scene.size[0])
            sketch.text(place.adjusted(0, 0, -8, 0), words, "text", RIGHT)

    def _draw_chip(self, sketch: Sketch, place: QRectF, words: str, edge: str, back: str) -> None:
        now = sketch.now
        wide = now.metrics("mono", mono=True).horizontalAdvance(words) + now.px(12)
        small = place.adjusted(max(place.width() - wide, 0), 0, 0, 0)
        draw_chip(sketch.painter, small, words, *map(now.color, (back, edge, "text")))

    def _draw_id(self, sketch: Sketch, chip: QRectF, token: int) -> None:
        """Writes a token's id right of its chip."""
        if self.scene.ids:
            place = QRectF(chip.right() + 4, chip.top() + 1, self.id, chip.height() - 2)
            sketch.fill(place, "surface")
            ink = "accent" if token == self.scene.chosen else "muted"
            sketch.text(place, f"{self.scene.ids[token]}", ink)

    def _draw_blocks(self, sketch: Sketch, reach: float) -> None:
        parts = ("attention", "mlp") if self.scene.source is None else ("attention", "cross", "mlp")
        for layer, x in enumerate(self.xs):
            for part in parts:
                alpha = 1.0 if x <= reach else FAINT / 2
                sketch.fill(self.bar_of(layer, part), ink_of(part), alpha)

    def _draw_stream(self, sketch: Sketch, reach: float) -> None:
        """Draws the chosen token's vector as colors: embedded, and after each attention and MLP."""
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
        for x in self.xs if self.pitch >= now.px(5) else ():
            edge = QPointF(x - self.pitch / 2, band.top())
            sketch.line(edge, QPointF(edge.x(), band.bottom()), "surface", wide)

    def _draw_ends(self, sketch: Sketch, position: float) -> None:
        """Draws the embedding, norm, unembedding and softmax, and the next token."""
        now, scene = sketch.now, self.scene
        for step, (_, kind) in enumerate(self.steps):
            column = self.columns[step]
            if kind in WORDS:
                high = min(now.px(56 if "embed" in kind else 32), self.band.height())
                place = around(column.center().x(), self.middle, column.width() - 10, high)
                with sketch.faint(position < step - 1e-9, FAINT + 0.2):
                    sketch.box(place, ink_of(kind), WORDS[kind])
            elif kind == "next":
                ends = [QPointF(self.end + now.px(at), self.middle) for at in (-4, 8)]
                sketch.arrow(ends, "accent" if scene.tokens else "outline", 2)
                self._draw_likely(sketch, column, self.grown(position))
                if position >= step and (rows := self.likely_rows(column)):
                    sketch.frame(rows[0], "accent", 2)

    def grown(self, position: float) -> float:
        """Returns the progress, 0 to 1, of the bars of the likeliest tokens: softmax, the step
        before the last, makes them.
        """
        return min(max(position - len(self.steps) + 3, 0.0), 1.0)

    def likely_rows(self, column: QRectF) -> list[QRectF]:
        """Returns the rectangles of the bars of the likeliest tokens in their column."""
        now, foot = theme.current(), self.band.bottom() + self.bar
        row = now.px(LIKELY[1])
        count = min(int((foot - self.area.top()) // row), LIKELY[0], len(self.scene.likely))
        top = min(max(self.area.center().y(), self.middle) - row * count / 2, foot - row * count)
        left, wide = column.left() + now.px(12), column.width() - now.px(12)
        return likeliest_rows(QRectF(left, top, wide, row * count), count)

    def _draw_likely(self, sketch: Sketch, column: QRectF, progress: float) -> None:
        """Draws the growing bars of the likeliest tokens."""
        now, rows = sketch.now, self.likely_rows(column)
        if not rows or not progress:
            return
        font, name = now.font("mono", mono=True), min(now.px(WORD), column.width() * 0.36)
        shown = [NextToken(elide(words, font, name).encode(), probability)
                 for words, probability in self.scene.likely[: len(rows)]]  # fmt: skip
        place = rows[0].united(rows[-1])
        with sketch.faint(progress < 1, progress):
            draw_likeliest(sketch.painter, place, shown, [theme.ease_out(progress)] * len(shown))

    def _draw_words(self, sketch: Sketch) -> None:
        """Draws names of the attached parts, numbers of blocks, and shapes."""
        now, band, scene = sketch.now, self.band, self.scene
        line, foot = now.px(LINE), band.bottom() + self.bar + now.px(6)
        room = self.left - self.area.left() - now.px(EMBEDDED + 6)
        for name, y in (("attention", band.top() - line - 2), ("mlp", band.bottom() + 2)):
            place = QRectF(self.area.left(), y, room, line)
            sketch.text(place, HANGING[name], ink_of(name), RIGHT, weight=600)
        every = max(1, math.ceil(now.px(20) / self.pitch))
        for number, x in enumerate(self.xs):
            if number % every == 0:
                sketch.text(QRectF(x, foot, 0, line), f"{number}")
        banded = sum(one is not None for one in scene.windows)
        note = f"{banded} read only nearby tokens" if banded else "layers"
        told = f"{count(self.layers, 'block')} ({note})"
        T, C = scene.size
        told += f"; residual stream: {count(T, 'token')} \u00d7 {C:,} numbers"
        x = min(band.center().x(), self.right - now.metrics("label").horizontalAdvance(told) / 2)
        sketch.text(QRectF(x, foot + line, 0, line), told)
        for step, (_, kind) in enumerate(self.steps):
            column = self.columns[step]
            if kind in WORDS:
                sketch.text(QRectF(column.center().x(), foot, 0, line), name_of(kind))
            elif kind == "next":
                place = QRectF(column.left() + now.px(12), foot, column.width(), line)
                sketch.text(place, "next token", align=LEFT)
                size = shape_of("V", scene.vocabulary)
                sketch.text(place.translated(0, line), size, align=LEFT)
        if self.ys:
            wide = self.end - self.left
            above = QRectF(self.left, self.ys[0] - now.px(ROW[1] + 2), wide, line)
            fits = [one for one in DOTS if now.metrics("label").horizontalAdvance(one) < wide]
            sketch.text(above, (fits or DOTS[1:])[0], align=LEFT, cut=True)
            if scene.ids:
                right = self.area.left() + now.px(TOKENS - 10)
                above = QRectF(self.area.left(), above.top(), right - self.area.left(), line)
                sketch.text(above, "token", align=RIGHT)
                sketch.text(QRectF(right + 4, above.top(), self.id, line), "id")
