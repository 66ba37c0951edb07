"""Draws the steps inside a part as a chain, and the one at the cursor as an equation."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.widgets.diagrams.lookup import LookupLayout
from explorer.widgets.diagrams.scenes import StepsScene, flat, name_of
from explorer.widgets.matrix_equation import MatrixEquation, dimensions, extent, kind_of
from explorer.widgets.sketch import Sketch, around

CHAIN, THUMB, WIDEST, LEAST = 106, 54, 140, 8  # px: the chain; its matrices; a node; a side
LINE, CIRCLE = 17, 84  # px: a line; a rotation


class StepsLayout:
    """Positions of the nodes of the chain and, below them, of the equation or the lookup."""

    def __init__(self, area: QRectF, scene: StepsScene) -> None:
        now, self.area, self.scene = theme.current(), area, scene
        self.nodes = scene.nodes if len(scene.nodes) > 1 else ()  # one alone is in the equation
        count = max(len(self.nodes), 1)
        high = now.px(CHAIN) if self.nodes else 0
        self.chain = QRectF(area.left(), area.top() + 2, area.width(), high)
        self.pitch = min(area.width() / count, now.px(WIDEST))
        self.first = area.center().x() - self.pitch * count / 2
        sides = np.array([[extent(size) for size in flat(node.shape)] for node in scene.nodes])
        room = self.pitch - now.px(30)
        self.scale = min(now.px(THUMB) / sides[:, 0].max(), room / sides[:, 1].max())
        below = area.adjusted(0, high + now.px(12), 0, -now.px(8))
        self.equation = (
            MatrixEquation(below, scene)
            if scene.lookup is None
            else LookupLayout(below, scene, scene.lookup)
        )
        self.targets = [(self.node(at), node.index) for at, node in enumerate(self.nodes)]

    def node(self, at: int) -> QRectF:
        left = self.first + at * self.pitch
        return QRectF(left + 4, self.chain.top(), self.pitch - 8, self.chain.height())

    def thumb(self, at: int) -> QRectF:
        """Returns the rectangle of a small matrix, drawn to the same scale as the others."""
        now, node = theme.current(), self.node(at)
        rows, columns = flat(self.nodes[at].shape)
        wide, high = (max(extent(size) * self.scale, now.px(LEAST)) for size in (columns, rows))
        return around(node.center().x(), node.top() + now.px(6 + THUMB / 2), wide, high)

    def draw(self, painter: QPainter, position: float) -> None:
        sketch = Sketch(painter)
        for at in range(len(self.nodes)):
            with sketch.faint(at > position + 1e-9):
                self._draw_node(sketch, at)
        self.equation.draw(painter)
        if self.nodes:
            step = min(math.ceil(position - 1e-9), len(self.nodes) - 1)
            ends = [self.thumb(at).center() for at in (min(int(position), step), step)]
            sketch.pulse(ends, position - int(position))
        if self.scene.pair is not None:
            self._draw_pair(sketch, self.scene.pair)

    def _draw_node(self, sketch: Sketch, at: int) -> None:
        now, node = sketch.now, self.nodes[at]
        place, thumb, chosen = self.node(at), self.thumb(at), node.index == self.scene.at
        if chosen:
            sketch.box(place, "accent", back="selected")
        if at:
            y, before = thumb.center().y(), self.thumb(at - 1)
            sketch.arrow([QPointF(before.right() + 4, y), QPointF(thumb.left() - 4, y)])
        image = None if node.matrix is None else node.matrix.thumb
        sketch.matrix(thumb, image, kind_of(node.made))
        line = place.adjusted(0, place.height() - now.px(2 * LINE + 6), 0, -now.px(LINE + 6))
        opens = " \u203a" if node.opens else ""
        weight = 600 if chosen else 400
        words = name_of(node.kind) + opens
        sketch.text(line, words, "text", size="body", weight=weight, cut=True)
        sketch.text(line.translated(0, now.px(LINE)), dimensions(node.shape), cut=True)

    def _draw_pair(self, sketch: Sketch, pair: np.ndarray) -> None:
        """Draws a pair of dimensions of the chosen query before and after its rotation."""
        now, side = sketch.now, sketch.now.px(CIRCLE)
        words = "the framed pair, turned"
        wide = max(side, now.metrics("label").horizontalAdvance(words))
        center = QPointF(self.area.right() - wide / 2 - 6, self.chain.top() + side / 2 + 4)
        sketch.frame(around(center.x(), center.y(), side, side), "divider", 1, CIRCLE / 2)
        longest = float(np.linalg.norm(pair, axis=1).max()) or 1.0
        for (x, y), ink in zip((pair / longest * side / 2).tolist(), ("muted", "q"), strict=True):
            sketch.arrow([center, center + QPointF(x, -y)], ink, 2)
        told = QRectF(center.x(), center.y() + side / 2 + 2, 0, now.px(LINE))
        sketch.text(told, words)
