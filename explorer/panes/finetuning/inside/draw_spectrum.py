"""Paints the directions of a change: a bar each, and how they grew over a run's checkpoints."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPolygonF

from core.numbers import format_number
from explorer import theme
from explorer.panes.finetuning.inside import text
from explorer.panes.finetuning.inside.scene import Scene
from explorer.widgets.base import LEFT
from explorer.widgets.sketch import Sketch

LINE, WIDEST, APART, NUMBER = 16, 44, 16, 36  # px
GROWTH = 0.4  # of the width, where there are checkpoints


class SpectrumLayout:
    """Where the bars stand, each with its whole height, and beside them the run's steps."""

    def __init__(self, area: QRectF, scene: Scene) -> None:
        now, self.steps = theme.current(), scene.found.steps
        self.head = QRectF(area.left(), area.top(), area.width(), now.px(LINE))
        room = area.adjusted(0, now.px(LINE + 4), 0, -now.px(LINE))
        self.growth = QRectF()
        if len(self.steps) > 1:
            self.growth = room.adjusted(room.width() * (1 - GROWTH), 0, -4, 0)
            room.setRight(self.growth.left() - now.px(APART))
        count = max(len(scene.found.spectrum.values), 1)
        wide = min(room.width() / count, now.px(WIDEST))
        self.bars = [QRectF(room.left() + at * wide, room.top(), wide, room.height())
                     for at in range(count)]  # fmt: skip

    def x_of(self, step: float) -> float:
        """Where a step of the run stands."""
        share = (step - self.steps[0]) / (self.steps[-1] - self.steps[0])
        return self.growth.left() + share * self.growth.width()

    def step_at(self, point: QPointF) -> int | None:
        """The checkpoint nearest to a point beside the bars."""
        if point.x() < self.growth.left() or self.growth.isEmpty():
            return None
        return min(self.steps, key=lambda step: abs(self.x_of(step) - point.x()))


def draw_spectrum(painter: QPainter, layout: SpectrumLayout, scene: Scene, hovered: int) -> None:
    sketch, now, spectrum = Sketch(painter), theme.current(), scene.found.spectrum
    told = text.spectrum(scene.needed, len(spectrum.values), spectrum.effective_rank)
    sketch.text(layout.head, told, "text", LEFT, cut=True)
    most, bars = float(spectrum.values.max(initial=0)) or 1.0, layout.bars
    if scene.found.history.size:
        most = max(most, float(scene.found.history.max()))
    for at, (place, value) in enumerate(zip(bars, spectrum.values.tolist(), strict=True)):
        if at == hovered:
            sketch.fill(place, "raised")
        high = max(place.height() * value / most, 1.0)
        bar = QRectF(place.left(), place.bottom() - high, max(place.width() - 2, 1), high)
        sketch.fill(bar, now.series(0) if at < scene.needed else now.color("outline"))
        if place.width() >= now.px(NUMBER):
            below = QRectF(place.left(), place.bottom(), bar.width(), now.px(LINE))
            sketch.text(below, format_number(value, 2))
    if 0 < scene.needed < len(bars):
        x, top = bars[scene.needed].left() - 1, bars[0].top()
        sketch.line(QPointF(x, top), QPointF(x, bars[0].bottom()), "text", 1)
        sketch.text(QRectF(x + 4, top, 0, now.px(LINE)), "99 %", "text", LEFT)
    if layout.steps[1:]:
        _draw_growth(sketch, layout, scene, most)


def _draw_growth(sketch: Sketch, layout: SpectrumLayout, scene: Scene, most: float) -> None:
    """A line for each direction, over the steps of the run, as high as the bars."""
    now, room, history = sketch.now, layout.growth, scene.found.history
    sketch.line(room.bottomLeft(), room.bottomRight(), "outline")
    xs = [layout.x_of(step) for step in layout.steps]
    for at in reversed(range(history.shape[1])):
        heights = room.bottom() - history[:, at] / most * room.height()
        sketch.painter.setPen(now.pen(now.series(0) if at < scene.needed else "outline", 1.5))
        sketch.painter.drawPolyline(QPolygonF(list(map(QPointF, xs, heights.tolist()))))
    if scene.found.step is not None:
        x = layout.x_of(scene.found.step)
        sketch.line(QPointF(x, room.top()), QPointF(x, room.bottom()), "accent", 2)
    foot = QRectF(room.left(), room.bottom(), room.width(), now.px(LINE))
    first, last = layout.steps[0], layout.steps[-1]
    sketch.text(foot, text.growth(first, last, scene.found.step), cut=True)
