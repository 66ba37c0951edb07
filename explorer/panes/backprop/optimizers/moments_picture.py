"""Bars of the selected optimizer's gradient, memory and last step, in x and y."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number
from explorer import theme
from explorer.panes.backprop.optimizers.line_style import color_of
from explorer.panes.backprop.optimizers.scene import DECADES, Quantity, bar_share
from explorer.panes.backprop.optimizers.text import short
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture, elide, put_text, put_words
from explorer.widgets.still_layer import StillLayer

LINE = 15  # px: height of a bar's row
LETTER, WORDS, AXIS, BARS, NUMBER = 24, 88, 14, 26, 56  # px from left to right; BARS is a minimum
NOTE, APART = 14, 5  # px: height of the note on the scale, gap between two quantities


class MomentsPicture(Picture):
    """Draws two bars for each quantity of an optimizer, at the cursor's position."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("What the chosen optimizer remembers", parent)
        self._name, self._title = "", ""
        self.empty_text = ""
        self._quantities: tuple[Quantity, ...] = ()
        self._position = 0.0
        self._places: dict[str, float] = {}
        self._words = StillLayer()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_lane(self, name: str, title: str, quantities: tuple[Quantity, ...]) -> None:
        self._name, self._title, self._quantities = name, title, quantities
        self.setAccessibleDescription(self.described())
        self.data_changed()

    def set_empty_text(self, text: str) -> None:
        """Sets the text that is shown if there are no bars."""
        self.empty_text = text
        self.update()

    def set_position(self, position: float, places: Mapping[str, float] | None = None) -> None:
        """Sets the cursor's position; `places` has that of each kind of quantity inside a step."""
        kept = dict(places or {})
        if (position, kept) != (self._position, self._places):
            self._position, self._places = position, kept
            self.update()

    def shown(self, one: Quantity) -> np.ndarray:
        """Returns a quantity at the cursor, (2,)."""
        return one.at(self._places.get(one.kind, self._position))

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns all quantities, with one row for each step."""
        count = max((len(one.values) for one in self._quantities), default=0)
        columns = {"step": np.arange(count)} if count else {}
        for one in self._quantities:
            for place, axis in enumerate("xy"):
                columns[f"{one.title} {axis}"] = one.values[:, place]
        return Columns(columns)

    def describe(self) -> None:
        """Updates the text for screen readers; called no more often than one can hear it."""
        self.setAccessibleDescription(self.described())

    def described(self) -> str:
        parts = []
        for one in self._quantities:
            pair = self.shown(one)
            numbers = ", ".join(format_number(value) for value in pair)
            parts.append(one.missing if np.isnan(pair).all() else f"{one.title} ({numbers})")
        return f"{self._title}: {'; '.join(parts)}" if parts else ""

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(280), theme.current().px(150))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(WORDS + AXIS + BARS + NUMBER), theme.current().px(100))

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        if not self._quantities:
            box, font = QRectF(self.rect()), now.font("body")
            put_words(painter, box, self.empty_text, font, now.color("muted"))
            return
        areas = self.bar_areas()
        size = (float(self.width()), float(self.height()))
        key = [(one.letter, one.title) for one in self._quantities]
        self._words.draw(painter, QPointF(0, 0), size, key, lambda to: self._write(to, areas))
        for one, area in zip(self._quantities, areas, strict=True):
            self._draw_bars(painter, one, area)

    def bar_areas(self) -> list[QRectF]:
        """Returns the area of each quantity's two bars."""
        now, count = theme.current(), len(self._quantities)
        gap = now.px(APART)
        room = self.height() - gap * (count - 1) - now.px(NOTE)
        high = 2 * min(now.px(LINE), room / (2 * count))
        left = now.px(WORDS + AXIS)
        wide = max(10.0, self.width() - left - now.px(NUMBER))
        return [QRectF(left, place * (high + gap), wide, high) for place in range(count)]

    def _write(self, painter: QPainter, areas: Sequence[QRectF]) -> None:
        now = theme.current()
        bold, font, muted = now.font("label", 600), now.font("label"), now.color("muted")
        begin, words = now.px(LETTER), now.px(WORDS)
        for one, area in zip(self._quantities, areas, strict=True):
            top, line = area.top(), area.height() / 2
            name = elide(one.title, font, words - begin - 2)
            put_text(
                painter, QRectF(0, top, begin, line), one.letter, bold, now.color("text"), LEFT
            )
            put_text(painter, QRectF(begin, top, words, line), name, font, muted, LEFT)
            for place, axis in enumerate("xy"):
                box = QRectF(words, top + place * line, now.px(12), line)
                put_text(painter, box, axis, font, muted, LEFT)
        note = f"log scale over {DECADES:.0f} powers of ten"
        box = QRectF(0, self.height() - now.px(NOTE), self.width(), now.px(NOTE))
        put_text(painter, box, elide(note, font, box.width()), font, muted, LEFT)

    def _draw_bars(self, painter: QPainter, one: Quantity, area: QRectF) -> None:
        now, line = theme.current(), area.height() / 2
        mono = now.font("label", mono=True)
        middle = area.left() if one.kind == "second" else area.center().x()
        reach = area.width() if one.kind == "second" else area.width() / 2
        for place, value in enumerate(self.shown(one).tolist()):
            top, long = area.top() + place * line, reach * bar_share(value, one.largest)
            bar = QRectF(middle, top + 3, long, line - 5).normalized()
            painter.fillRect(bar, self._color(one, value))
            box = QRectF(area.right(), top, now.px(NUMBER), line)
            put_text(painter, box, _told(value), mono, now.color("text"), RIGHT)
        painter.setPen(now.pen("divider"))
        painter.drawLine(round(middle), round(area.top()), round(middle), round(area.bottom()))

    def _color(self, one: Quantity, value: float) -> QColor:
        """Returns the heat map's color for the sign; gray for sizes; the optimizer's for steps."""
        now = theme.current()
        if one.kind == "step":
            return color_of(self._name)
        if one.kind == "second":
            return now.color("outline")
        return QColor(now.palette.diverging_stops[0 if value < 0 else 2])


def _told(value: float) -> str:
    """Formats a number; nan is the missing last step of a diverged optimizer."""
    return "none" if math.isnan(value) else short(value)
