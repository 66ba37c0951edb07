"""A model as a column: one row per part, with bars that grow as the signal passes through it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.widgets.bars import draw_skyline
from explorer.widgets.base import LEFT, RIGHT, put_text

NAME, WORDS, BESIDE, TALLEST, APART = 92, 236, 150, 52, 6  # px
HEAD, TITLE, LABEL, WIDEST, WIDE = 18, 280, 16, 10, 5  # px: titles, words, bars, spans
BARS, COLUMNS = 64, 3  # bars per row; columns of spans
BESIDES, SPAN = 2, 3  # series


@dataclass(frozen=True, eq=False)
class BlockRow:
    """A part of the model: `bars` holds one positive number per token, `beside` one per parameter,
    and `words` are drawn after them.
    """

    name: str
    bars: np.ndarray
    beside: np.ndarray
    words: str


class BlockColumn:
    """Lays out and draws the rows in an area. All `bars` share one logarithmic scale, all `beside`
    another.

    title, beside, spans_title   the three titles; an empty `beside`: no such bars
    spans                        (first, last): a span from one row to another
    """

    def __init__(
        self,
        area: QRectF,
        rows: Sequence[BlockRow],
        title: str,
        beside: str = "",
        spans_title: str = "",
        spans: Sequence[tuple[int, int]] = (),
    ) -> None:
        now = theme.current()
        self.rows, self.spans, self.titles = rows, spans, (title, beside, spans_title)
        self.top, self.left = area.top() + now.px(HEAD), area.left() + now.px(NAME)
        self.right = area.right() - now.px(WORDS)
        self.beside = self.right - (now.px(BESIDE) if beside else 0)
        self.pitch = min((area.bottom() - self.top) / max(len(rows), 1), now.px(TALLEST))

    def row(self, index: int) -> QRectF:
        gap = min(theme.current().px(APART), self.pitch / 4)
        top = self.top + index * self.pitch
        return QRectF(self.left, top, self.right - self.left, self.pitch - gap)

    def index_at(self, point: QPointF) -> int | None:
        index = int((point.y() - self.top) // self.pitch)
        return index if 0 <= index < len(self.rows) else None

    def draw(self, painter: QPainter, shown: float, series: int = 0) -> None:
        """Draws the column when the signal has passed through `shown` rows, the last one partly
        grown; `series` is the color of the bars.
        """
        self._draw_titles(painter)
        bars = _heights([_pooled(row.bars) for row in self.rows])
        beside = _heights([row.beside for row in self.rows])
        every = max(1, math.ceil(theme.current().px(LABEL - 3) / max(self.pitch, 1.0)))
        for index in range(len(self.rows)):
            grown = min(max(shown - index, 0.0), 1.0)
            if index % every == 0:
                self._draw_words(painter, index, grown > 0)
            heights = bars[index] * grown, beside[index] * grown
            self._draw_bars(painter, index, heights if grown else None, series)
            if 0 < shown - index <= 1:
                painter.setPen(theme.current().pen("accent", 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self._main(index))
        self._draw_spans(painter, min(shown, len(self.rows)))

    def _draw_titles(self, painter: QPainter) -> None:
        now = theme.current()
        lefts = (self.left, self.beside + now.px(8), self.right + now.px(8))
        inks = (now.color("muted"), now.color("muted"), now.series(SPAN))
        for left, title, ink in zip(lefts, self.titles, inks, strict=True):
            place = QRectF(left, self.top - now.px(HEAD), now.px(TITLE), now.px(HEAD))
            put_text(painter, place, title, now.font("label"), ink, LEFT)

    def _draw_words(self, painter: QPainter, index: int, there: bool) -> None:
        """Draws a row's name and, once the signal has passed through it, its words."""
        now, row, middle = theme.current(), self.rows[index], self.row(index).center().y()
        place = QRectF(0, middle - now.px(LABEL) / 2, now.px(NAME - 8), now.px(LABEL))
        place.moveLeft(self.left - now.px(NAME))
        ink = now.color("text" if there else "muted")
        put_text(painter, place, row.name, now.font("body"), ink, RIGHT)
        if there:
            place.setLeft(self.right + now.px(8))
            place.setWidth(now.px(WORDS))
            put_text(painter, place, row.words, now.font("label"), ink, LEFT)

    def _main(self, index: int) -> QRectF:
        rect = self.row(index)
        rect.setRight(self.beside)
        return rect

    def _draw_bars(
        self,
        painter: QPainter,
        index: int,
        heights: tuple[np.ndarray, np.ndarray] | None,
        series: int,
    ) -> None:
        """Draws a row's bars; `heights` is None before the signal has reached the row."""
        now, place = theme.current(), self._main(index)
        painter.fillRect(place, now.color("raised" if heights is None else "surface"))
        if heights is not None:
            draw_skyline(painter, place, heights[0], now.series(series))
            place.setLeft(self.beside + now.px(8))
            place.setRight(self.right - COLUMNS * now.px(WIDE + 3))
            draw_skyline(painter, place, heights[1], now.series(BESIDES), now.px(WIDEST))

    def _draw_spans(self, painter: QPainter, end: float) -> None:
        """Draws spans side by side, because they may overlap, up to the last row shown."""
        wide = theme.current().px(WIDE)
        for place, (first, last) in enumerate(self.spans):
            if first + 0.5 < end:
                top = self.top + (first + 0.5) * self.pitch
                bottom = self.top + min(last + 0.5, end) * self.pitch
                left = self.right - (COLUMNS - place % COLUMNS) * (wide + 3)
                bar = QRectF(left, top, wide, max(bottom - top, wide))
                painter.fillRect(bar, theme.current().series(SPAN))


def _pooled(bars: np.ndarray) -> np.ndarray:
    """Pools many bars to the largest of neighbors."""
    count = min(len(bars), BARS)
    return np.array([some.max() for some in np.array_split(bars, count)]) if count else bars


def _heights(values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Scales values to 0..1 logarithmically, from half the smallest to the largest of all."""
    there = np.concatenate([np.zeros(0), *values])
    there = there[np.isfinite(there) & (there > 0)]
    low, high = (there.min() / 2, there.max()) if len(there) else (0.5, 1.0)
    with np.errstate(all="ignore"):
        scaled = [np.log(one / low) / np.log(high / low) for one in values]
    return [np.clip(np.nan_to_num(one), 0, 1) for one in scaled]
