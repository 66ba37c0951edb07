"""Paints the whole model: the residual stream as a spine, and what hangs on it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
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
from explorer.panes.transformer.map.scene import ModelScene
from explorer.widgets.base import LEFT, RIGHT, elide, put_text
from explorer.widgets.matrix_drawing import SIZE, draw_arrow, draw_matrix, draw_pulse
from explorer.widgets.token_strip import draw_chip

TOKENS, EMBED, PART, BARS = 96, 54, 52, 196  # px of width: tokens, what is round the blocks, bars
ROW, ROWS = (17, 24), 10  # px of an earlier token's line; so many at most
BAND, BAR = (64, 150), (34, 84)  # px of height: the stream; what hangs on it
FOOT, HEAD, LINE = 38, 22, 15
WORDS = {"embed": "E", "unembed": "W\u1d64", "softmax": "e\u1dbb/\u03a3", "norm": "norm"}
EMBEDDED = 12  # px: the stream before the first block


class Earlier(NamedTuple):
    """A line for one earlier token, or for several."""

    words: str
    tokens: slice
    is_one: bool


class SpineLayout:
    """Where all of it stands in an area."""

    def __init__(self, area: QRectF, scene: ModelScene) -> None:
        now = theme.current()
        self.area, self.scene = area, scene
        parts = sum(kind not in ("embed", "block", "next") for _, kind, _ in scene.steps)
        self.left = area.left() + now.px(TOKENS) + now.px(EMBED)
        self.right = area.right() - now.px(BARS) - parts * now.px(PART)
        self.pitch = (self.right - self.left) / scene.n_layer
        earlier, fixed = scene.chosen if scene.tokens else 0, now.px(FOOT) + now.px(HEAD)
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
        above = top + rows * pitch + self.bar
        self.band = QRectF(self.left, above, self.right - self.left, band)
        self.middle = self.band.center().y()
        self.targets = [
            Target(self.column(at), step[0], step[2]) for at, step in enumerate(scene.steps)
        ]

    def _lines(self, earlier: int, rows: int) -> list[Earlier]:
        """The first token, which many heads look at, and the last ones; between them all others."""
        one = [Earlier(words, slice(at, at + 1), True)
               for at, words in enumerate(self.scene.tokens[:earlier])]  # fmt: skip
        if earlier <= rows:
            return one
        folded = earlier - rows + 1
        middle = Earlier(text.folded(folded), slice(1, 1 + folded), False)
        return [one[0], middle, *one[1 + folded :]][:rows] if rows > 2 else one[earlier - rows :]

    def column(self, step: int) -> QRectF:
        """A step's place, from what hangs above the spine to what hangs below."""
        now, kind = theme.current(), self.scene.steps[step][1]
        top, high = self.band.top() - self.bar, self.band.height() + 2 * self.bar
        if kind == "embed":
            return QRectF(self.left - now.px(EMBED), top, now.px(EMBED - EMBEDDED - 4), high)
        if kind == "block":
            return QRectF(self.left + (step - 1) * self.pitch, top, self.pitch, high)
        if kind == "next":
            return QRectF(self.area.right() - now.px(BARS), top, now.px(BARS), high)
        past = step - 1 - self.scene.n_layer
        return QRectF(self.right + past * now.px(PART), top, now.px(PART), high)

    def x(self, position: float) -> float:
        """Of the cursor: a settled step's far edge, or where the next token's bars begin."""
        step, last = int(position), len(self.scene.steps) - 1
        ends = [self.column(min(at, last)) for at in (step, step + 1)]
        edges = [end.left() if step + at >= last else end.right() for at, end in enumerate(ends)]
        return theme.lerp(edges[0], edges[1], position - step)

    def draw(self, painter: QPainter, position: float, hovered: int) -> None:
        reach = self.x(position) + 0.5
        self._draw_tokens(painter, reach)
        self._draw_blocks(painter, reach)
        self._draw_stream(painter, reach)
        self._draw_ends(painter, position)
        self._draw_words(painter)
        frame_hovered(painter, self.targets, hovered)
        step = min(math.ceil(position - 1e-9), len(self.scene.steps) - 1)
        if self.scene.steps[step][1] != "next":
            frame(painter, self.column(step).adjusted(-2, -4, 2, 4), "accent", 2)
        if position != int(position):
            ends = [QPointF(self.x(float(at)), self.middle) for at in (int(position), step)]
            draw_pulse(painter, ends, position - int(position))

    def _draw_tokens(self, painter: QPainter, reach: float) -> None:
        """Earlier tokens, each with its own line, and dots where the chosen one reads from them."""
        now, scene = theme.current(), self.scene
        wide, half = now.px(TOKENS - 10), now.px(9)
        for line, y in zip(self.earlier, self.ys, strict=True):
            place = QRectF(self.area.left(), y - half, wide, 2 * half - 2)
            if line.is_one:
                self._draw_chip(painter, place, line.words, False)
            else:
                label(painter, place, line.words, align=RIGHT)
            painter.setPen(now.pen("divider"))
            painter.drawLine(QPointF(place.right() + 4, y), QPointF(self.right, y))
            if scene.reads is not None:
                self._draw_dots(painter, y, scene.reads[:, line.tokens].sum(axis=1), reach)
        place = QRectF(self.area.left(), self.middle - half - 2, wide, 2 * half + 4)
        painter.setPen(now.pen("accent" if scene.tokens else "outline", 2))
        end = self.area.right() - now.px(BARS)
        painter.drawLine(QPointF(place.right(), self.middle), QPointF(end, self.middle))
        if scene.tokens:
            self._draw_chip(painter, place, scene.tokens[scene.chosen], True)
            painter.setPen(now.pen("attention", 1, 0.3))
            for layer in range(scene.n_layer) if self.ys and self.pitch >= now.px(10) else ():
                x = self.left + (layer + 0.5) * self.pitch
                if x <= reach:
                    painter.drawLine(QPointF(x, self.ys[0]), QPointF(x, self.band.top()))
        else:
            label(painter, place.adjusted(0, 0, -8, 0), scene.shapes[0], "text", RIGHT)

    def _draw_chip(self, painter: QPainter, place: QRectF, words: str, chosen: bool) -> None:
        now = theme.current()
        wide = now.metrics("mono", mono=True).horizontalAdvance(words) + now.px(12)
        small = QRectF(place)
        small.setLeft(max(place.left(), place.right() - wide))
        edge, back = ("accent", "selected") if chosen else ("divider", "surface")
        draw_chip(painter, small, words, now.color(back), now.color(edge), now.color("text"))

    def _draw_dots(self, painter: QPainter, y: float, shares: np.ndarray, reach: float) -> None:
        now = theme.current()
        most = min(now.px(7), max(self.pitch * 0.45, now.px(1.5)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("attention"))
        for layer, share in enumerate(shares.tolist()):
            x, size = self.left + (layer + 0.5) * self.pitch, most * math.sqrt(share)
            if share > 0.004 and x <= reach:
                painter.drawEllipse(QPointF(x, y), size, size)

    def _draw_blocks(self, painter: QPainter, reach: float) -> None:
        """Above the stream what attention adds in each block, below it what the MLP adds."""
        now, scene, writes = theme.current(), self.scene, self.scene.writes
        longest = 1.0 if writes is None else float(writes.max()) or 1.0
        gap = 1.0 if self.pitch < now.px(8) else min(self.pitch * 0.18, now.px(10))
        for layer in range(scene.n_layer):
            x = self.left + layer * self.pitch
            banded = scene.windows[layer] is not None
            for side, name in enumerate(("attention", "mlp")):
                share = float(writes[layer, side]) / longest if writes is not None else 0.8
                share *= 0.5 if banded and name == "attention" and writes is None else 1.0
                high = max(self.bar * 0.94 * share, 2.0)
                top = self.band.bottom() if side else self.band.top() - high
                color = ink(name)
                color.setAlphaF(1.0 if x + self.pitch / 2 <= reach else FAINT / 2)
                painter.fillRect(QRectF(x + gap / 2, top, max(self.pitch - gap, 1.0), high), color)

    def _draw_stream(self, painter: QPainter, reach: float) -> None:
        """The chosen token's vector as colors: embedded, and after each attention and MLP."""
        now, band, stripes = theme.current(), self.band, self.scene.stripes
        first = QRectF(band.left() - now.px(EMBEDDED), band.top(), now.px(EMBEDDED), band.height())
        painter.fillRect(band.united(first), now.color("raised"))
        if stripes is not None:
            painter.save()
            painter.setClipRect(
                QRectF(first.left(), band.top(), reach - first.left(), band.height())
            )
            draw_matrix(painter, first, stripes[:, :1], limit=SIZE, framed=False)
            draw_matrix(painter, band, stripes[:, 1:], limit=SIZE, framed=False)
            painter.restore()
        painter.setPen(now.pen("surface", 1 if self.pitch < now.px(20) else 2))
        for layer in range(self.scene.n_layer) if self.pitch >= now.px(5) else ():
            x = self.left + layer * self.pitch
            painter.drawLine(QPointF(x, band.top()), QPointF(x, band.bottom()))

    def _draw_ends(self, painter: QPainter, position: float) -> None:
        """Embedding before the blocks; norm, unembedding and softmax after them; the next token."""
        now, last = theme.current(), len(self.scene.steps) - 1
        for step, (_, kind, _) in enumerate(self.scene.steps):
            if kind not in WORDS:
                continue
            column, high = self.column(step), now.px(56 if "embed" in kind else 32)
            part = {"embed": "tokens", "unembed": "head"}.get(kind, "norms")
            place = QRectF(column.left() + 5, self.middle - high / 2, column.width() - 10, high)
            painter.setOpacity(1.0 if position >= step - 1e-9 else FAINT + 0.2)
            box(painter, place, ink(part), WORDS[kind])
            painter.setOpacity(1.0)
        column = self.column(last)
        ends = [
            QPointF(column.left() - 4, self.middle),
            QPointF(column.left() + now.px(8), self.middle),
        ]
        draw_arrow(painter, ends, now.color("accent" if self.scene.tokens else "outline"), 2)
        self._draw_likely(painter, column, min(max(position - (last - 1), 0.0), 1.0))

    def _draw_likely(self, painter: QPainter, column: QRectF, progress: float) -> None:
        now, likely, grown = theme.current(), self.scene.likely, theme.ease_out(progress)
        if not likely:
            place = QRectF(column.left() + now.px(14), self.middle - 10, column.width(), 20)
            label(painter, place, self.scene.shapes[2], "text", LEFT)
            return
        row, font, name, number = now.px(21), now.font("mono", mono=True), now.px(68), now.px(40)
        foot = self.band.bottom() + self.bar
        likely = likely[: max(int((foot - self.area.top()) // row), 1)]
        high = row * len(likely)
        top = min(max(self.area.center().y(), self.middle) - high / 2, foot - high)
        for at, (words, share, told) in enumerate(likely):
            line = QRectF(column.left() + now.px(12), top + at * row, name, row)
            color = now.color("accent" if at == 0 and progress >= 1 else "text")
            color.setAlphaF(max(grown, 0.15))
            put_text(painter, line, elide(words, font, name), font, color, RIGHT)
            room = column.right() - line.right() - 6 - number
            bar = QRectF(line.right() + 6, line.top() + 4, max(room * share * grown, 1), row - 8)
            painter.fillRect(bar, color if at == 0 and progress >= 1 else now.series(0))
            if progress >= 1:
                label(painter, QRectF(bar.right() + 4, line.top(), number, row), told, align=LEFT)

    def _draw_words(self, painter: QPainter) -> None:
        """Names of what hangs, numbers of blocks, shapes."""
        now, scene, band = theme.current(), self.scene, self.band
        line, foot = now.px(LINE), band.bottom() + self.bar + now.px(6)
        room = self.left - self.area.left() - now.px(EMBEDDED + 6)
        tops = band.top() - line - 2, band.bottom() + 2
        for name, y, words in zip(("attention", "mlp"), tops, text.HANGING, strict=True):
            place = QRectF(self.area.left(), y, room, line)
            put_text(painter, place, words, now.font("label", 600), ink(name), RIGHT)
        every = max(1, math.ceil(now.px(20) / self.pitch))
        for layer in range(scene.n_layer):
            if layer % every == every - 1 or layer == 0 or every == 1:
                x = self.left + (layer + 0.5) * self.pitch
                label(painter, QRectF(x - 20, foot, 40, line), f"{layer + 1}")
        blocks = QRectF(band.center().x() - 240, foot + line, 480, line)
        label(painter, blocks, text.blocks(scene.n_layer, scene.windows, scene.shapes[1]))
        for step, (_, kind, _) in enumerate(scene.steps):
            column = self.column(step)
            if kind in WORDS:
                label(painter, QRectF(column.center().x() - 40, foot, 80, line), text.node(kind))
            elif kind == "next":
                place = QRectF(column.left() + now.px(12), foot, column.width(), line)
                label(painter, place, text.NEXT, align=LEFT)
                label(painter, place.translated(0, line), scene.shapes[2], align=LEFT)
        if self.earlier and scene.reads is not None:
            top = QRectF(self.left, self.ys[0] - now.px(ROW[1]) - 2, self.area.width(), line)
            label(painter, top, text.DOTS, align=LEFT)
