"""Draws a translation: the source above, the target below, and what is read between them."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath

from explorer import theme
from explorer.panes.transformer.translate import text
from explorer.panes.transformer.translate.scene import TranslationScene
from explorer.widgets.base import LEFT
from explorer.widgets.sketch import Sketch
from explorer.widgets.token_strip import chip, draw_chip

WIDEST, GAP, HIGH = 40, 2, 26  # px: a chip, between chips; its height
TITLE, MARGIN = 18, 6  # px: of a row; at the sides
THICK, PAST = 8.0, 0.12  # px of a whole weight; how strongly earlier lines are seen
SEEN = 0.02  # weights: smaller ones have no line


class Alignment:
    """Where the chips of a scene stand in an area."""

    def __init__(self, area: QRectF, scene: TranslationScene) -> None:
        now = theme.current()
        self.scene, self.area = scene, area.adjusted(now.px(MARGIN), 0, -now.px(MARGIN), 0)
        high, title = now.px(HIGH), now.px(TITLE)
        self.source = self._row(area.top() + title, len(scene.source), high)
        self.target = self._row(area.bottom() - high - title, len(scene.target), high)

    def _row(self, top: float, count: int, high: float) -> list[QRectF]:
        pitch = min(self.area.width() / max(count, 1), theme.current().px(WIDEST))
        left = self.area.left() + (self.area.width() - pitch * count) / 2
        return [
            QRectF(left + place * pitch, top, max(pitch - GAP, 1.0), high) for place in range(count)
        ]


def draw_alignment(painter: QPainter, layout: Alignment, position: float) -> None:
    """At an integer position that token is written; between two the next one comes."""
    sketch, now, scene = Sketch(painter), theme.current(), layout.scene
    position = min(position, len(layout.target) - 1)
    current = math.ceil(position)
    come = 1 + position - current
    for earlier in range(current):
        _lines(painter, layout, earlier, PAST)
    _lines(painter, layout, current, come)
    weights = scene.weights[current].tolist()
    for rect, piece, weight in zip(layout.source, scene.source, weights, strict=True):
        fill, ink = now.color("attention", weight**0.6), "surface" if weight > 0.35 else "text"
        draw_chip(painter, rect, chip(0, piece).text, fill, now.color("divider"), now.color(ink))
    for token, rect in enumerate(layout.target):
        if token > current:
            sketch.frame(rect, "divider", 1, 3)
            continue
        words, (edge, fill, way) = chip(0, scene.target[token]).text, ("divider", "surface", 1.0)
        if token == current:
            edge, fill, way = "accent", "selected", come
        colors = (now.color(role, way) for role in (fill, edge, "text"))
        draw_chip(painter, rect, words, *colors)
    above, below = layout.source[0].top() - now.px(TITLE), layout.target[0].bottom() + 2
    for words, top in ((text.SOURCE, above), (text.TARGET, below)):
        box = QRectF(layout.area.left(), top, layout.area.width(), now.px(TITLE - 2))
        sketch.text(box, words, align=LEFT)


def _lines(painter: QPainter, layout: Alignment, place: int, alpha: float) -> None:
    """From what a token read to the token; the more, the thicker."""
    now, end = theme.current(), layout.target[place]
    middle = (layout.source[0].bottom() + end.top()) / 2
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for begin, weight in zip(layout.source, layout.scene.weights[place].tolist(), strict=True):
        if weight >= SEEN:
            left, right = begin.center().x(), end.center().x()
            path = QPainterPath(QPointF(left, begin.bottom()))
            path.cubicTo(left, middle, right, middle, right, end.top())
            color = now.color("attention", alpha * (0.25 + 0.75 * weight))
            painter.setPen(now.pen(color, THICK * weight + 0.5))
            painter.drawPath(path)
