"""Bars side by side, each cut into the parts of a sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import LEFT, Columns, Picture
from explorer.widgets.sketch import Sketch

LINE, GAP, HIGH = 18, 20, 16  # px: words above a bar; between two; a bar
DIM = 0.7  # how far a part that is not meant fades


@dataclass(frozen=True)
class Segment:
    """A part: what it is called, how much it is, and what its tooltip says. `series`: its color,
    or a role's name.
    """

    name: str
    number: float
    told: str
    series: int | str


@dataclass(frozen=True)
class Bar:
    words: str
    segments: tuple[Segment, ...]


class StackedBars(Picture):
    """Each bar has the same share of the width, whatever its sum is."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._bars: tuple[Bar, ...] = ()
        self._bright = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_bars(self, bars: Sequence[Bar]) -> None:
        self._bars = tuple(bars)
        self.data_changed()

    def set_bright(self, name: str) -> None:
        """The part that is meant, in all bars that have it; "": all."""
        if name != self._bright:
            self._bright = name
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        parts = [(bar.words, one.name, one.number) for bar in self._bars for one in bar.segments]
        names = ("bar", "part", "number")
        return Columns(
            {name: np.array([one[at] for one in parts]) for at, name in enumerate(names)}
        )

    def _placed(self) -> list[tuple[QRectF, Bar, list[tuple[QRectF, Segment]]]]:
        now, count = theme.current(), max(len(self._bars), 1)
        wide = (self.width() - (count - 1) * now.px(GAP)) / count
        found = []
        for at, bar in enumerate(self._bars):
            left = at * (wide + now.px(GAP))
            total, x = sum(one.number for one in bar.segments) or 1.0, left
            places = []
            for one in bar.segments:
                place = QRectF(x, now.px(LINE), wide * one.number / total, now.px(HIGH))
                places.append((place, one))
                x = place.right()
            found.append((QRectF(left, 0, wide, now.px(LINE)), bar, places))
        return found

    def draw(self, painter: QPainter) -> None:
        sketch = Sketch(painter)
        for line, bar, places in self._placed():
            sketch.text(line, bar.words, "text", LEFT, cut=True)
            dims = self._bright in {one.name for one in bar.segments}
            for place, one in places:
                color = self._color(sketch, one)
                if dims and one.name != self._bright:
                    color = theme.mix(color, sketch.now.color("window"), DIM)
                sketch.fill(place.adjusted(0, 0, -1 if place.width() > 3 else 0, 0), color)
                if sketch.now.metrics("label").horizontalAdvance(one.name) < place.width() - 6:
                    sketch.text(place, one.name, theme.ink_on(color))

    def _color(self, sketch: Sketch, one: Segment) -> QColor:
        role = one.series
        return sketch.now.series(role) if isinstance(role, int) else sketch.now.color(role)

    def said_at(self, point: QPointF) -> str:
        placed = (part for _, _, places in self._placed() for part in places)
        return next((one.told for place, one in placed if place.contains(point)), "")

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(480), theme.current().px(LINE + HIGH))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(360), theme.current().px(LINE + HIGH))
