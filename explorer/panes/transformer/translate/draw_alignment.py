"""A translation: the source above, the target below, and the attention weights between them."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath

from explorer import theme
from explorer.panes.transformer.translate import text
from explorer.panes.transformer.translate.scene import TranslationScene
from explorer.widgets.base import LEFT
from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.sketch import Sketch
from explorer.widgets.token_strip import chip, draw_chip

WIDEST, GAP, HIGH = 40, 2, 26  # px: width of a chip, gap between chips, height
TITLE, MARGIN = 18, 6  # px: height of a title; margins at the sides
THICK, PAST = 8.0, 0.12  # px at weight 1; opacity of earlier lines
SEEN = 0.02  # smaller weights have no line


class Alignment:
    """The positions of a scene's chips in an area."""

    def __init__(self, area: QRectF, scene: TranslationScene) -> None:
        now = theme.current()
        self.scene, self.area = scene, area.adjusted(now.px(MARGIN), 0, -now.px(MARGIN), 0)
        high, title = now.px(HIGH), now.px(TITLE)
        self.source = self._row(area.top() + title, len(scene.source), high)
        self.target = self._row(area.bottom() - high - title, len(scene.target), high)

    def _row(self, top: float, count: int, high: float) -> list[QRectF]:
        pitch = min(self.area.width() / max(count, 1), theme.current().px(WIDEST))
        left = self.area.left() + (self.area.width() - pitch * count) / 2
        wide = max(pitch - GAP, 1.0)
        return [QRectF(left + place * pitch, top, wide, high) for place in range(count)]


class TranslationPicture(ChoicePicture[TranslationScene]):
    """Emits `picked(thing)`: the index of a target token; source tokens follow the target's."""

    NAME, WANTED, LEAST = "The translation, token by token", (640, 230), (360, 170)

    @property
    def place(self) -> int:
        """The index of the current target token."""
        last = len(self.scene.target) - 1 if self.scene is not None else 0
        return min(math.ceil(self.position), last)

    def _layout(self, scene: TranslationScene) -> Alignment:
        return Alignment(QRectF(self.rect()), scene)

    def rects(self, scene: TranslationScene) -> list[QRectF]:
        layout = self._layout(scene)
        return [*layout.target, *layout.source]

    def told(self, thing: int) -> str:
        assert self.scene is not None
        if thing < len(self.scene.target):
            return text.target_tip(self.scene, thing)
        return text.source_tip(self.scene, self.place, thing - len(self.scene.target))

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        rows = {"source": self.scene.source, "target": self.scene.target}
        texts = {name: np.array([chip(0, one).text for one in row]) for name, row in rows.items()}
        return texts | {"weights": self.scene.weights}

    def draw_scene(self, painter: QPainter, scene: TranslationScene) -> None:
        """Draws the tokens up to the position; between two positions the next token fades in."""
        sketch, now, layout = Sketch(painter), theme.current(), self._layout(scene)
        current = self.place
        come = 1 + min(self.position, current) - current
        for earlier in range(current):
            _lines(painter, layout, earlier, PAST)
        _lines(painter, layout, current, come)
        weights = scene.weights[current].tolist()
        for rect, piece, weight in zip(layout.source, scene.source, weights, strict=True):
            fill, ink = now.color("attention", weight**0.6), "surface" if weight > 0.35 else "text"
            colors = fill, now.color("divider"), now.color(ink)
            draw_chip(painter, rect, chip(0, piece).text, *colors)
        for token, (rect, piece) in enumerate(zip(layout.target, scene.target, strict=True)):
            if token > current:
                sketch.frame(rect, "divider", 1, 3)
            else:
                is_new = token == current
                roles = ("selected", "accent", "text") if is_new else ("surface", "divider", "text")
                fill, edge, ink = (now.color(role, come if is_new else 1.0) for role in roles)
                draw_chip(painter, rect, chip(0, piece).text, fill, edge, ink)
        above, below = layout.source[0].top() - now.px(TITLE), layout.target[0].bottom() + 2
        for words, top in ((text.SOURCE, above), (text.TARGET, below)):
            box = QRectF(layout.area.left(), top, layout.area.width(), now.px(TITLE - 2))
            sketch.text(box, words, align=LEFT)


def _lines(painter: QPainter, layout: Alignment, place: int, alpha: float) -> None:
    """Draws lines from the source to a target token, as thick as the attention weights."""
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
