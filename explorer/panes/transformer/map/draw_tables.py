"""Paints what a model costs as bars, and the presets side by side."""

from __future__ import annotations

import itertools
import math

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from core.transformer.parameters import parameter_count
from core.transformer.presets import NOTES, PRESETS
from explorer import theme
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.compute import Found
from explorer.panes.transformer.map.draw_parts import ink, label
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

ROW, GAP, LINE = 24, 20, 16  # px
SHARES = (0.2, 0.36, 0.1, 0.1, 0.12, 0.12)  # of the width, of each column
STARTS = (0.0, 0.31, 0.62)  # of the width, of each bar
MEMORY = {"weights": 0, "cache": 3, "activations": 5}  # series


class CostsLayout:
    """Three bars side by side, each with its words above it."""

    def __init__(self, area: QRectF, found: Found) -> None:
        self.bars = text.costs(found.costs, found.tokens)
        wide = area.width() - 2 * GAP
        starts = [area.left() + wide * share + at * GAP for at, share in enumerate(STARTS)]
        self.places = [
            QRectF(left, area.top(), wide * (end - share), area.height())
            for left, share, end in zip(starts, STARTS, (*STARTS[1:], 1.0), strict=True)
        ]
        self.segments: list[tuple[QRectF, int, str, int, int]] = []
        now = theme.current()
        for at, (_, numbers) in enumerate(self.bars):
            place, total = self.places[at], sum(numbers.values())
            x = place.left()
            for name, number in numbers.items():
                length = place.width() * number / (total or 1)
                bar = QRectF(x, place.top() + now.px(18), length, now.px(16))
                self.segments.append((bar, at, name, number, total))
                x += length

    def draw(self, painter: QPainter, bright: str) -> None:
        """`bright`: the component that one is inside of; "": all of them."""
        now = theme.current()
        for (words, _), place in zip(self.bars, self.places, strict=True):
            line = QRectF(place.left(), place.top(), place.width(), now.px(16))
            put_text(
                painter,
                line,
                elide(words, now.font("label"), line.width()),
                now.font("label"),
                now.color("text"),
                LEFT,
            )
        for bar, at, name, _, _ in self.segments:
            color = now.series(MEMORY[name]) if at == 2 else ink(name)
            if bright and at < 2 and name != bright:
                color = theme.mix(color, now.color("surface"), 0.7)
            painter.fillRect(bar.adjusted(0, 0, -1 if bar.width() > 3 else 0, 0), color)
            words = text.MEMORY.get(name) or text.COMPONENTS[name]
            if now.metrics("label").horizontalAdvance(words) < bar.width() - 6:
                put_text(painter, bar, words, now.font("label"), theme.ink_on(color))

    def said(self, x: float, y: float) -> str:
        for bar, at, name, number, total in self.segments:
            if bar.adjusted(0, -3, 0, 3).contains(x, y):
                return text.cost_tip(at, name, number, total)
        return ""


class PresetsLayout:
    """A row for each preset."""

    def __init__(self, area: QRectF) -> None:
        now = theme.current()
        self.area, self.names = area, tuple(PRESETS)
        self.counts = np.array([parameter_count(config) for config in PRESETS.values()])
        self.notes = [text.note(name) for name in self.names if name in NOTES]
        notes = now.px(LINE) * len(self.notes) + now.px(8)
        high = (area.height() - now.px(ROW) - notes) / len(self.names)
        self.row_high = min(high, now.px(ROW + 4))
        self.top = area.top() + now.px(ROW)
        edges = [area.left() + area.width() * sum(SHARES[:at]) for at in range(len(SHARES) + 1)]
        self.columns = list(itertools.pairwise(edges))

    def row(self, at: int) -> QRectF:
        return QRectF(
            self.area.left(), self.top + at * self.row_high, self.area.width(), self.row_high
        )

    def name_at(self, y: float) -> str:
        at = int((y - self.top) // self.row_high)
        return self.names[at] if 0 <= at < len(self.names) and y >= self.top else ""

    def draw(self, painter: QPainter, shown: str, hovered: str) -> None:
        now, font = theme.current(), theme.current().font("label")
        for (left, right), words in zip(self.columns, text.COLUMNS, strict=True):
            place = QRectF(left, self.area.top(), right - left, now.px(ROW))
            put_text(
                painter,
                place,
                words,
                font,
                now.color("muted"),
                LEFT if words == "parameters" else RIGHT,
            )
        low, high = math.log(self.counts.min() / 2), math.log(self.counts.max())
        for at, (name, config) in enumerate(PRESETS.items()):
            row = self.row(at)
            if name in (shown, hovered):
                painter.fillRect(row, now.color("selected" if name == shown else "raised"))
            cells = text.preset_row(name, config, int(self.counts[at]))
            for column, ((left, right), words) in enumerate(zip(self.columns, cells, strict=True)):
                place = QRectF(left, row.top(), right - left, row.height())
                if column == 1:
                    share = (math.log(self.counts[at]) - low) / (high - low)
                    bar = QRectF(
                        left + now.px(12),
                        row.top() + 4,
                        (place.width() - now.px(90)) * share,
                        row.height() - 8,
                    )
                    painter.fillRect(bar, now.series(0))
                    place.setLeft(bar.right() + now.px(6))
                    put_text(painter, place, words, now.font("body"), now.color("text"), LEFT)
                    continue
                noted = f"{words} *" if column == 0 and name in NOTES else words
                font = now.font("body", 600 if column == 0 else 400)
                put_text(painter, place, noted, font, now.color("text"), RIGHT)
        foot = self.row(len(self.names) - 1).bottom() + now.px(8)
        for at, note in enumerate(self.notes):
            place = QRectF(
                self.area.left() + 4, foot + at * now.px(LINE), self.area.width(), now.px(LINE)
            )
            label(painter, place, note, align=LEFT)
        painter.setPen(now.pen("divider"))
        line = self.top - 1
        painter.drawLine(int(self.area.left()), int(line), int(self.area.right()), int(line))
