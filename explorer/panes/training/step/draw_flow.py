"""Paints what flows through the model: a row for each part, a bar for each token; backward also its
gradients' norms, and from which part to which ranks add gradients up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from core.numbers import format_brief, format_number
from core.training.recorded_step import RecordedStep
from explorer import theme
from explorer.widgets.bars import draw_skyline
from explorer.widgets.base import LEFT, RIGHT, put_text

NAME, NUMBERS, NORMS, TALLEST, APART = 92, 236, 150, 52, 6  # px
HEAD, TITLE, LABEL, MARK = 18, 280, 16, 5  # px: titles, a line of words, an exchange
BARS = 64  # of a part
FORWARD, BACKWARD, NORM, EXCHANGE = range(4)  # series


class FlowLayout:
    """Where the parts stand in an area."""

    def __init__(self, area: QRectF, recorded: RecordedStep, phase: str) -> None:
        now = theme.current()
        self.parts, self.backward = recorded.parts(phase), phase != "forward"
        self.exchanges = recorded.exchanges if self.backward else recorded.exchanges[:0]
        self.top, self.left = area.top() + now.px(HEAD), area.left() + now.px(NAME)
        self.right = area.right() - now.px(NUMBERS)
        self.norms = self.right - (now.px(NORMS) if self.backward else 0)
        self.pitch = min((area.bottom() - self.top) / len(self.parts), now.px(TALLEST))

    def row(self, index: int) -> QRectF:
        gap = min(theme.current().px(APART), self.pitch / 4)
        top = self.top + index * self.pitch
        return QRectF(self.left, top, self.right - self.left, self.pitch - gap)

    def index_at(self, point: QPointF) -> int | None:
        index = int((point.y() - self.top) // self.pitch)
        return index if 0 <= index < len(self.parts) else None

    def mark(self, start: float, end: float, lane: int) -> QRectF:
        """An exchange, from the part that had come when it began to the one when it ended."""
        came = [part.came for part in self.parts]
        top, bottom = (np.searchsorted(came, [start, end]) - 0.5) * self.pitch + self.top
        wide = theme.current().px(MARK)
        left = self.right - (3 - lane % 3) * (wide + 3)  # one begins before another has ended
        return QRectF(left, top, wide, max(bottom - top, wide))


def draw_flow(painter: QPainter, layout: FlowLayout, shown: float) -> None:
    """`shown`: how many parts it has come through; the last one grows."""
    now, parts = theme.current(), layout.parts
    sizes = _heights([_pooled(part.sizes) for part in parts])
    norms = _heights([np.array(list(part.norms.values())) for part in parts])
    _draw_titles(painter, layout)
    every = max(1, int(np.ceil(now.px(LABEL - 3) / max(layout.pitch, 1.0))))
    series = now.series(BACKWARD if layout.backward else FORWARD)
    for index, part in enumerate(parts):
        rect, grown = layout.row(index), min(max(shown - index, 0.0), 1.0)
        line = QRectF(rect.left(), rect.center().y() - now.px(LABEL) / 2, 0, now.px(LABEL))
        if index % every == 0:
            name = line.adjusted(-now.px(NAME), 0, -now.px(8), 0)
            ink = now.color("text" if grown else "muted")
            put_text(painter, name, part.label, now.font("body"), ink, RIGHT)
        skyline = QRectF(rect.left(), rect.top(), layout.norms - rect.left(), rect.height())
        painter.fillRect(skyline, now.color("surface" if grown else "raised"))
        if not grown:
            continue
        draw_skyline(painter, skyline, sizes[index] * grown, series)
        beside = QRectF(layout.norms + now.px(8), rect.top(), now.px(NORMS - 36), rect.height())
        draw_skyline(painter, beside, norms[index] * grown, now.series(NORM), now.px(10))
        if 0 < shown - index <= 1:
            painter.setPen(now.pen("accent", 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(skyline)
        if index % every == 0:
            numbers = line.translated(layout.right - layout.left + now.px(8), 0)
            numbers.setWidth(now.px(NUMBERS))
            shape, came = " × ".join(map(str, part.event.shape)), format_brief(max(part.came, 0.0))
            told = f"{format_number(part.size)}   {shape}  {part.event.dtype}   +{came}"
            put_text(painter, numbers, told, now.font("label"), now.color("text"), LEFT)
    for lane, one in enumerate(layout.exchanges):
        mark = layout.mark(one["start"], one["end"], lane)
        mark.setBottom(min(mark.bottom(), layout.top + min(shown, len(parts)) * layout.pitch))
        if mark.height() > 0:
            painter.fillRect(mark, now.series(EXCHANGE))


def _draw_titles(painter: QPainter, layout: FlowLayout) -> None:
    now = theme.current()
    what = "gradient of each token's vector" if layout.backward else "size of each token's vector"
    titles = [(layout.left, f"{what} (rms, log scale)", now.color("muted"))]
    if layout.backward:
        titles.append((layout.norms + now.px(8), "norms of its gradients", now.color("muted")))
    if len(layout.exchanges):
        titles.append((layout.right + now.px(8), "exchanges between ranks", now.series(EXCHANGE)))
    for left, words, ink in titles:
        place = QRectF(left, layout.top - now.px(HEAD), now.px(TITLE), now.px(HEAD))
        put_text(painter, place, words, now.font("label"), ink, LEFT)


def _pooled(sizes: np.ndarray) -> np.ndarray:
    """Of the first sequence; of a long one the largest of neighbors."""
    first = np.atleast_1d(sizes[0] if sizes.ndim > 1 else sizes)
    count = min(len(first), BARS)
    return np.array([some.max() for some in np.array_split(first, count)]) if count else first


def _heights(values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """0..1 on one logarithmic scale, from half the smallest to the largest of all."""
    there = np.concatenate(values)
    there = there[np.isfinite(there) & (there > 0)]
    low, high = (there.min() / 2, there.max()) if len(there) else (0.5, 1.0)
    with np.errstate(all="ignore"):
        scaled = [np.log(one / low) / np.log(high / low) for one in values]
    return [np.clip(np.nan_to_num(one), 0, 1) for one in scaled]
