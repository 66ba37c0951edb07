"""Bars side by side, each cut into the parts of a sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import LEFT, Columns
from explorer.widgets.diagrams.inks import ink_of
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.sketch import Sketch

LINE, GAP, HIGH = 18, 20, 16  # px: words above a bar; between two; a bar
DIM = 0.7  # how far a part that is not meant fades


@dataclass(frozen=True)
class Segment:
    """A part: what it is called, how much it is, what its tooltip says, and the kind that gives it
    its color.
    """

    name: str
    number: float
    told: str
    kind: str


@dataclass(frozen=True)
class Bar:
    words: str
    segments: tuple[Segment, ...]


class StackedBars(ScenePicture[Sequence[Bar]]):
    """Each bar has the same share of the width, whatever its sum is."""

    WANTED, LEAST = (480, LINE + HIGH), (360, LINE + HIGH)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._bright = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_bright(self, name: str) -> None:
        """The part that is meant, in all bars that have it; "": all."""
        if name != self._bright:
            self._bright = name
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        parts = [(bar.words, one.name, one.number) for bar in self.scene or ()
                 for one in bar.segments]  # fmt: skip
        names = ("bar", "part", "number")
        return Columns(
            {name: np.array([one[at] for one in parts]) for at, name in enumerate(names)}
        )

    def _bars(self) -> Iterator[tuple[QRectF, Bar]]:
        """Each with the place of its words."""
        bars, now = self.scene or (), theme.current()
        pitch = (self.width() + now.px(GAP)) / max(len(bars), 1)
        for at, bar in enumerate(bars):
            yield QRectF(at * pitch, 0, pitch - now.px(GAP), now.px(LINE)), bar

    def _segments(self, words: QRectF, bar: Bar) -> Iterator[tuple[QRectF, Segment]]:
        total, x = sum(one.number for one in bar.segments) or 1.0, words.left()
        for one in bar.segments:
            wide = words.width() * one.number / total
            yield QRectF(x, words.bottom(), wide, theme.current().px(HIGH)), one
            x += wide

    def draw(self, painter: QPainter) -> None:
        sketch = Sketch(painter)
        for line, bar in self._bars():
            sketch.text(line, bar.words, "text", LEFT, cut=True)
            dims = self._bright in {one.name for one in bar.segments}
            for place, one in self._segments(line, bar):
                color = ink_of(one.kind)
                if dims and one.name != self._bright:
                    color = theme.mix(color, sketch.now.color("window"), DIM)
                sketch.fill(place.adjusted(0, 0, -1 if place.width() > 3 else 0, 0), color)
                if sketch.now.metrics("label").horizontalAdvance(one.name) < place.width() - 6:
                    sketch.text(place, one.name, theme.ink_on(color))

    def said_at(self, point: QPointF) -> str:
        placed = (part for bar in self._bars() for part in self._segments(*bar))
        return next((one.told for place, one in placed if place.contains(point)), "")
