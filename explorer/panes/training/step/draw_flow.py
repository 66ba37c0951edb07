"""Paints what flows through the model: a row for each part, a bar for each token; backward also its
gradients' norms and, over the time of the phase, when they came and ranks added them up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from core.numbers import format_brief, format_number
from explorer import theme
from explorer.panes.training.step.scene import Exchange, Part, Scene
from explorer.widgets.base import LEFT, RIGHT, put_text

NAME, NUMBERS, NORMS, TALLEST, APART = 92, 236, 150, 52, 6  # px
HEAD, LANE, PITCH = 18, 16, 20  # px: titles, a lane of the times below, from lane to lane
FORWARD, BACKWARD, EXCHANGE = 0, 1, 3  # series


class FlowLayout:
    """Where the parts stand in an area."""

    def __init__(self, area: QRectF, scene: Scene, backward: bool) -> None:
        now, parts = theme.current(), scene.backward if backward else scene.forward
        lanes = (4 if scene.exchanges else 2) if backward else 0
        self.parts, self.backward = parts, backward
        self.times = QRectF(area)
        self.times.setTop(area.bottom() - lanes * now.px(PITCH))
        self.left = area.left() + now.px(NAME)
        self.right = area.right() - now.px(NUMBERS)
        self.norms = self.right - (now.px(NORMS) if backward else 0)
        self.top = area.top() + now.px(HEAD)
        room = self.times.top() - self.top - (now.px(APART) if backward else 0)
        self.pitch = min(room / max(len(parts), 1), now.px(TALLEST))

    def row(self, index: int) -> QRectF:
        gap = min(theme.current().px(APART), self.pitch / 4)
        return QRectF(
            self.left, self.top + index * self.pitch, self.right - self.left, self.pitch - gap
        )

    def part_at(self, point: QPointF) -> Part | None:
        index = int((point.y() - self.top) // self.pitch) if self.pitch > 0 else -1
        return self.parts[index] if 0 <= index < len(self.parts) else None


def draw_flow(painter: QPainter, layout: FlowLayout, scene: Scene, shown: float) -> None:
    """`shown`: how many parts it has come through; the last one grows."""
    now, parts = theme.current(), layout.parts
    sizes = _heights([part.sizes for part in parts])
    norms = _heights([np.array([norm for _, norm in part.norms]) for part in parts])
    head = QRectF(layout.left, layout.top - now.px(HEAD), layout.norms - layout.left, now.px(HEAD))
    what = "gradient of each token's vector" if layout.backward else "size of each token's vector"
    put_text(painter, head, f"{what} (rms, log scale)", now.font("label"), now.color("muted"), LEFT)
    if layout.backward:
        head = QRectF(layout.norms + now.px(8), head.top(), now.px(NORMS), head.height())
        words = "norms of its gradients"
        put_text(painter, head, words, now.font("label"), now.color("muted"), LEFT)
    label = now.px(13)
    every = max(1, int(np.ceil(label / max(layout.pitch, 1.0))))
    for index, part in enumerate(parts):
        rect, grown = layout.row(index), min(max(shown - index, 0.0), 1.0)
        if index % every == 0:
            high = max(rect.height(), now.px(LANE))
            top = rect.center().y() - high / 2
            name = QRectF(rect.left() - now.px(NAME), top, now.px(NAME - 8), high)
            role = "text" if grown else "muted"
            put_text(painter, name, part.label, now.font("body"), now.color(role), RIGHT)
        skyline = QRectF(rect.left(), rect.top(), layout.norms - rect.left(), rect.height())
        painter.fillRect(skyline, now.color("raised" if not grown else "surface"))
        if not grown:
            continue
        series = now.series(BACKWARD if layout.backward else FORWARD)
        _bars(painter, skyline, sizes[index] * grown, series)
        place = QRectF(layout.norms + now.px(8), rect.top(), now.px(NORMS - 8), rect.height())
        _bars(painter, place, norms[index] * grown, now.series(2), now.px(10))
        if 0 < shown - index <= 1:
            painter.setPen(now.pen("accent", 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(skyline)
        if index % every == 0:
            numbers = QRectF(layout.right + now.px(8), top, now.px(NUMBERS), high)
            put_text(painter, numbers, _told(part), now.font("label"), now.color("text"), LEFT)
    if layout.backward:
        _draw_times(painter, layout.times, scene, shown)


def _heights(values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """0..1 on one logarithmic scale, from half the smallest to the largest of all."""
    there = np.concatenate([one.reshape(-1) for one in values]) if values else np.zeros(0)
    there = there[np.isfinite(there) & (there > 0)]
    low, high = (there.min() / 2, there.max()) if len(there) else (0.5, 1.0)
    scale = np.log(high / low)
    with np.errstate(all="ignore"):
        return [np.clip(np.nan_to_num(np.log(one / low) / scale), 0, 1) for one in values]


def _told(part: Part) -> str:
    shape = " × ".join(map(str, part.shape))
    came = f"+{format_brief(max(part.came, 0.0))}"
    return f"{format_number(part.mean)}   {shape}  {part.dtype}   {came}"


def _bars(
    painter: QPainter, rect: QRectF, shares: np.ndarray, color: QColor, widest: float = 1e9
) -> None:
    """Bars 0..1 side by side, from the bottom."""
    if not len(shares):
        return
    wide = min(rect.width() / len(shares), widest)
    bars = []
    for index, share in enumerate(shares.tolist()):
        high = max(rect.height() * share, 1.0)
        left = rect.left() + index * wide
        bars.append(QRectF(left, rect.bottom() - high, max(wide - 1, 1.0), high))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # ten times as fast
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRects(bars)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def _draw_times(painter: QPainter, area: QRectF, scene: Scene, shown: float) -> None:
    """When each part's gradient was there, and the exchanges of this rank, over one axis."""
    now, parts = theme.current(), scene.backward
    begun, ended = scene.backward_span
    exchanges = scene.exchanges
    last = max([ended - begun, *(one.end for one in exchanges)], default=0.0)
    if last <= 0:
        return
    left, wide = area.left() + now.px(NAME), area.width() - now.px(NAME) - now.px(8)

    def x(seconds: float) -> float:
        return left + min(max(seconds / last, 0.0), 1.0) * wide

    lanes = ["arrives", *(["exchange", ""] if exchanges else [])]
    for lane, words in enumerate(lanes):
        name = QRectF(
            area.left(), area.top() + lane * now.px(PITCH), now.px(NAME - 8), now.px(LANE)
        )
        put_text(painter, name, words, now.font("label"), now.color("muted"), RIGHT)
        painter.fillRect(QRectF(left, name.top(), wide, name.height()), now.color("surface"))
    for index, part in enumerate(parts):
        if index < shown:
            tick = QRectF(x(part.came) - 1.5, area.top(), 3, now.px(LANE))
            painter.fillRect(tick, now.series(BACKWARD))
    for index, one in enumerate(exchanges):  # one begins while the one before moves its bytes
        _draw_exchange(painter, one, x, area.top() + now.px(PITCH) * (1 + index % 2))
    foot = QRectF(left, area.bottom() - now.px(LANE), wide, now.px(LANE))
    put_text(painter, foot, "backward begins", now.font("label"), now.color("muted"), LEFT)
    put_text(painter, foot, f"+{format_brief(last)}", now.font("label"), now.color("muted"), RIGHT)


def _draw_exchange(painter: QPainter, one: Exchange, x, top: float) -> None:  # type: ignore[no-untyped-def]
    """Hatched while it waits for the other ranks."""
    now = theme.current()
    start, ready, end = x(one.start), x(one.ready), x(one.end)
    painter.fillRect(QRectF(start, top, ready - start, now.px(LANE)), now.hatch())
    bar = QRectF(ready, top, max(end - ready, 2.0), now.px(LANE))
    painter.fillRect(bar, now.series(EXCHANGE))
    if now.metrics("label").horizontalAdvance(one.label) < bar.width() - 4:
        ink = theme.ink_on(now.series(EXCHANGE))
        put_text(painter, bar, one.label, now.font("label"), ink)
