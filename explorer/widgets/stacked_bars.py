"""Bars side by side, each divided into the parts of a sum."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_percent
from explorer import theme
from explorer.widgets.base import LEFT, Columns
from explorer.widgets.diagrams.inks import ink_of
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.sketch import Sketch

LINE, GAP, HIGH = 18, 20, 16  # px: text above a bar; between two; a bar
DIM = 0.7  # how far parts other than the highlighted one fade


class Bar(NamedTuple):
    """`words` are above the bar; its parts are (kind, name, number), of which the kind sets the
    color; `written` formats a number; `note` ends the tooltip of every part.
    """

    words: str
    parts: Sequence[tuple[str, str, float]]
    written: Callable[[float], str]
    note: str = ""


class StackedBars(ScenePicture[Sequence[Bar]]):
    """Bars of equal width, whatever their sums."""

    WANTED, LEAST = (480, LINE + HIGH), (360, LINE + HIGH)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._bright = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_bright(self, name: str) -> None:
        """Highlights the part of this name in all bars that have it; "": all parts."""
        if name != self._bright:
            self._bright = name
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        parts = [(bar.words, name, number) for bar in self.scene or ()
                 for _, name, number in bar.parts]  # fmt: skip
        columns = map(np.array, zip(*parts, strict=True))
        return Columns(zip(("bar", "part", "number"), columns, strict=False))

    def _placed(self) -> Iterator[tuple[QRectF, Bar, list[QRectF]]]:
        """Yields each bar with the rectangles of its text and its parts."""
        bars, now = self.scene or (), theme.current()
        pitch = (self.width() + now.px(GAP)) / max(len(bars), 1)
        for at, bar in enumerate(bars):
            line = QRectF(at * pitch, 0, pitch - now.px(GAP), now.px(LINE))
            shares = np.array([0.0, *(number for _, _, number in bar.parts)]).cumsum()
            edges = (line.left() + line.width() * shares / (shares[-1] or 1.0)).tolist()
            places = [QRectF(left, line.bottom(), right - left, now.px(HIGH))
                      for left, right in itertools.pairwise(edges)]  # fmt: skip
            yield line, bar, places

    def draw(self, painter: QPainter) -> None:
        sketch = Sketch(painter)
        for line, bar, places in self._placed():
            sketch.text(line, bar.words, "text", LEFT, cut=True)
            dims = self._bright in {name for _, name, _ in bar.parts}
            for place, (kind, name, _) in zip(places, bar.parts, strict=True):
                color = ink_of(kind)
                if dims and name != self._bright:
                    color = theme.mix(color, sketch.now.color("window"), DIM)
                sketch.fill(place.adjusted(0, 0, -1 if place.width() > 3 else 0, 0), color)
                if sketch.now.metrics("label").horizontalAdvance(name) < place.width() - 6:
                    sketch.text(place, name, theme.ink_on(color))

    def said_at(self, point: QPointF) -> str:
        for _, bar, places in self._placed():
            for place, (_, name, number) in zip(places, bar.parts, strict=True):
                if place.contains(point):
                    share = number / sum(one for _, _, one in bar.parts)
                    told = f"{name}: {bar.written(number)}, {format_percent(share)}"
                    return f"{told}\n{bar.note}".strip()
        return ""
