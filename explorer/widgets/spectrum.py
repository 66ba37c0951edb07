"""Singular values as bars, and beside them their growth over the steps of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPolygonF

from core.numbers import format_number
from explorer import theme
from explorer.widgets.base import LEFT, Columns
from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.grid_keys import arrow
from explorer.widgets.sketch import Sketch

LINE, WIDEST, APART, NUMBER = 16, 44, 16, 36  # px
GROWTH = 0.4  # of the width, if there are steps


@dataclass(frozen=True, eq=False)
class SpectrumScene:
    """Values (K,), the largest first; the first `needed` of them hold most of the total.

    title, most  texts above the bars, and after the needed ones
    tips         tooltips of the values
    columns      further columns of the exported table
    steps        N steps of the run, with `step` the one shown; history (N, K); foot: below
    """

    values: np.ndarray
    needed: int
    title: str
    most: str
    tips: Sequence[str]
    columns: Mapping[str, np.ndarray]
    steps: Sequence[int]
    step: int | None
    history: np.ndarray
    foot: str


class SpectrumLayout:
    """Rectangles of the bars at full height, and of the run's steps beside them."""

    def __init__(self, area: QRectF, scene: SpectrumScene) -> None:
        now, self.steps = theme.current(), scene.steps
        self.head = QRectF(area.left(), area.top(), area.width(), now.px(LINE))
        room = area.adjusted(0, now.px(LINE + 4), 0, -now.px(LINE))
        self.growth = QRectF()
        if len(self.steps) > 1:
            self.growth = room.adjusted(room.width() * (1 - GROWTH), 0, -4, 0)
            room.setRight(self.growth.left() - now.px(APART))
        wide = min(room.width() / max(len(scene.values), 1), now.px(WIDEST))
        self.bars = [QRectF(room.left() + at * wide, room.top(), wide, room.height())
                     for at in range(len(scene.values))]  # fmt: skip

    def x_of(self, step: float) -> float:
        """Returns the x of a step of the run."""
        share = (step - self.steps[0]) / (self.steps[-1] - self.steps[0])
        return self.growth.left() + share * self.growth.width()

    def step_at(self, point: QPointF) -> int | None:
        """Returns the step nearest to a point beside the bars."""
        if point.x() < self.growth.left() or self.growth.isEmpty():
            return None
        return min(self.steps, key=lambda step: abs(self.x_of(step) - point.x()))


class SpectrumPicture(ChoicePicture[SpectrumScene]):
    """Emits `picked(value)`, counted from 0, and `stepChosen(step)` when the user clicks or drags
    beside the bars, or presses Left or Right.
    """

    LEAST = (240, 80)
    stepChosen = Signal(int)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        return Columns({"singular value": self.scene.values, **self.scene.columns})

    def layout_of(self, scene: SpectrumScene) -> SpectrumLayout:
        return SpectrumLayout(QRectF(self.rect()), scene)

    def rects(self, scene: SpectrumScene) -> list[QRectF]:
        return self.layout_of(scene).bars

    def told(self, thing: int) -> str:
        return self.scene.tips[thing] if self.scene is not None else ""

    def draw_scene(self, painter: QPainter, scene: SpectrumScene) -> None:
        sketch, now, layout = Sketch(painter), theme.current(), self.layout_of(scene)
        sketch.text(layout.head, scene.title, "text", LEFT, cut=True)
        most, bars = max(scene.values.max(initial=0), scene.history.max(initial=0)), layout.bars
        for at, (place, value) in enumerate(zip(bars, scene.values.tolist(), strict=True)):
            if at == self.hovered:
                sketch.fill(place, "raised")
            high = max(place.height() * value / (most or 1.0), 1.0)
            bar = QRectF(place.left(), place.bottom() - high, max(place.width() - 2, 1), high)
            sketch.fill(bar, now.series(0) if at < scene.needed else now.color("outline"))
            if place.width() >= now.px(NUMBER):
                below = QRectF(place.left(), place.bottom(), bar.width(), now.px(LINE))
                sketch.text(below, format_number(value, 2))
        if 0 < scene.needed < len(bars):
            x, top = bars[scene.needed].left() - 1, bars[0].top()
            sketch.line(QPointF(x, top), QPointF(x, bars[0].bottom()), "text", 1)
            sketch.text(QRectF(x + 4, top, 0, now.px(LINE)), scene.most, "text", LEFT)
        if not layout.growth.isEmpty():
            self._draw_growth(sketch, layout, scene, most or 1.0)

    def _draw_growth(
        self, sketch: Sketch, layout: SpectrumLayout, scene: SpectrumScene, most: float
    ) -> None:
        """Draws a line for each value over the steps of the run, to the scale of the bars."""
        now, room = sketch.now, layout.growth
        sketch.line(room.bottomLeft(), room.bottomRight(), "outline")
        xs = [layout.x_of(step) for step in scene.steps]
        for at in reversed(range(scene.history.shape[1])):
            heights = room.bottom() - scene.history[:, at] / most * room.height()
            sketch.painter.setPen(now.pen(now.series(0) if at < scene.needed else "outline", 1.5))
            sketch.painter.drawPolyline(QPolygonF(list(map(QPointF, xs, heights.tolist()))))
        if scene.step is not None:
            x = layout.x_of(scene.step)
            sketch.line(QPointF(x, room.top()), QPointF(x, room.bottom()), "accent", 2)
        foot = QRectF(room.left(), room.bottom(), room.width(), now.px(LINE))
        sketch.text(foot, scene.foot, cut=True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() & Qt.MouseButton.LeftButton and self.scene is not None:
            step = self.layout_of(self.scene).step_at(event.position())
            if step is not None and step != self.scene.step:
                self.stepChosen.emit(step)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move, scene = arrow(event), self.scene
        if move is None or not move[1] or scene is None or scene.step is None:
            super().keyPressEvent(event)
            return
        at = list(scene.steps).index(scene.step) + move[1]
        self.stepChosen.emit(scene.steps[min(max(at, 0), len(scene.steps) - 1)])
