"""Paints the directions of a change: a bar each, and how they grew over a run's checkpoints."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPolygonF

from core.numbers import format_number
from explorer import theme
from explorer.panes.finetuning.inside import text
from explorer.panes.finetuning.inside.scene import Scene
from explorer.widgets.base import LEFT, RIGHT
from explorer.widgets.sketch import Sketch

LINE, WIDEST, APART, NUMBER = 16, 44, 2, 36  # px
GROWTH = 0.4  # of the width, where there are checkpoints


def bars_of(area: QRectF, scene: Scene) -> list[QRectF]:
    """Where the bar of each direction stands, in its whole height."""
    now, count = theme.current(), max(len(scene.found.spectrum.values), 1)
    room = area.adjusted(0, now.px(LINE + 4), 0, -now.px(LINE))
    if len(scene.found.steps) > 1:
        room.setWidth(room.width() * (1 - GROWTH))
    wide = min(room.width() / count, now.px(WIDEST))
    return [QRectF(room.left() + at * wide, room.top(), wide, room.height()) for at in range(count)]


def draw_spectrum(painter: QPainter, area: QRectF, scene: Scene, hovered: int) -> None:
    sketch, now, spectrum = Sketch(painter), theme.current(), scene.found.spectrum
    told = text.spectrum(scene.needed, len(spectrum.values), spectrum.effective_rank)
    sketch.text(QRectF(area.left(), area.top(), 0, now.px(LINE)), told, "text", LEFT)
    most, apart = float(spectrum.values.max(initial=0)) or 1.0, now.px(APART)
    bars = bars_of(area, scene)
    for at, (place, value) in enumerate(zip(bars, spectrum.values.tolist(), strict=True)):
        if at == hovered:
            sketch.fill(place, "raised")
        high = max(place.height() * value / most, 1.0)
        bar = QRectF(place.left(), place.bottom() - high, place.width() - apart, high)
        sketch.fill(bar, now.series(0) if at < scene.needed else now.color("outline"))
        if place.width() >= now.px(NUMBER):
            below = QRectF(place.left(), place.bottom(), place.width() - apart, now.px(LINE))
            sketch.text(below, format_number(value, 2))
    if bars and 0 < scene.needed < len(bars):
        x = bars[scene.needed].left() - apart / 2
        sketch.line(QPointF(x, bars[0].top()), QPointF(x, bars[0].bottom()), "text", 1)
        sketch.text(QRectF(x + 4, bars[0].top(), 0, now.px(LINE)), "99 %", "text", LEFT)
    if len(scene.found.steps) > 1:
        _draw_growth(sketch, area, bars[0], scene)


def _draw_growth(sketch: Sketch, area: QRectF, bar: QRectF, scene: Scene) -> None:
    """A line for each direction, over the steps of the run."""
    now, steps, history = sketch.now, scene.found.steps, scene.found.history
    left = area.right() - area.width() * GROWTH + now.px(24)
    room = QRectF(left, bar.top(), area.right() - left - 4, bar.height())
    most, span = float(history.max(initial=0)) or 1.0, max(steps[-1] - steps[0], 1)

    def x(at: int) -> float:
        return room.left() + (at - steps[0]) / span * room.width()

    sketch.line(room.bottomLeft(), room.bottomRight(), "outline")
    for at in reversed(range(history.shape[1])):
        heights = room.bottom() - history[:, at] / most * room.height()
        points = QPolygonF([QPointF(x(one), y) for one, y in zip(steps, heights, strict=True)])
        sketch.painter.setPen(now.pen(now.series(0) if at < scene.needed else "outline", 1.5))
        sketch.painter.drawPolyline(points)
    if scene.found.step is not None:
        at = x(scene.found.step)
        sketch.line(QPointF(at, room.top()), QPointF(at, room.bottom()), "accent", 2)
    foot = QRectF(room.left(), room.bottom(), room.width(), now.px(LINE))
    sketch.text(foot, f"step {steps[0]:,}", align=LEFT)
    sketch.text(foot, f"{steps[-1]:,}", align=RIGHT)
