"""Draws a translation: the source above, the target below, and what is read between them."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath

from explorer import theme
from explorer.panes.transformer.translate import text
from explorer.panes.transformer.translate.scene import TranslationScene
from explorer.widgets.base import LEFT, put_text
from explorer.widgets.token_strip import chip, draw_chip

WIDEST, GAP, HIGH = 30, 2, 26  # px: a chip, between chips; its height
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
    now, scene = theme.current(), layout.scene
    last = len(layout.target) - 1
    position = min(max(position, 0.0), float(last))
    place, way = int(position), position - int(position)
    current = place + 1 if way > 0 else place
    for earlier in range(current):
        _lines(painter, layout, earlier, PAST)
    if way > 0:
        _lines(painter, layout, place, 1 - way)
    _lines(painter, layout, current, min(2 * way, 1.0) if way > 0 else 1.0)
    row = scene.weights[current]
    for token, rect in enumerate(layout.source):
        fill = now.color("attention", float(row[token]) ** 0.6)
        ink = now.color("surface" if row[token] > 0.35 else "text")
        draw_chip(painter, rect, chip(0, scene.source[token]).text, fill, now.color("divider"), ink)
    for token, rect in enumerate(layout.target):
        arrived = 1.0 if token < current or way == 0 else max(2 * way - 1, 0.0)
        if token > current or arrived <= 0:
            painter.setPen(now.pen("divider"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect, 3, 3)
            continue
        edge = now.color("accent" if token == current else "divider", arrived)
        fill = now.color("selected" if token == current else "surface", arrived)
        words = chip(0, scene.target[token]).text
        draw_chip(painter, rect, words, fill, edge, now.color("text", arrived))
    _title(painter, layout.area.left(), layout.source[0].top() - now.px(TITLE), text.SOURCE)
    _title(painter, layout.area.left(), layout.target[0].bottom() + 2, text.TARGET)


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


def _title(painter: QPainter, left: float, top: float, words: str) -> None:
    now = theme.current()
    box = QRectF(left, top, now.px(240), now.px(TITLE - 2))
    put_text(painter, box, words, now.font("label"), now.color("muted"), LEFT)
