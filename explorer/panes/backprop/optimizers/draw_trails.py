"""Ways, heads and names of the racers, at any position of the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from explorer import theme
from explorer.panes.backprop.optimizers.looks import color_of
from explorer.panes.backprop.optimizers.trail_layer import near, pens, thinned
from explorer.widgets.base import LEFT, put_text

HEAD = 5.0  # radius


@dataclass(frozen=True)
class Way:
    """An optimizer's way in pixels: points (n, 2) up to its head, and whether it is lost."""

    name: str
    title: str
    points: np.ndarray
    lost: bool = False
    chosen: bool = False

    @property
    def head(self) -> QPointF:
        return QPointF(float(self.points[-1, 0]), float(self.points[-1, 1]))


def draw_ways(painter: QPainter, ways: Sequence[Way], size: tuple[int, int], since: int) -> None:
    """The trails from step `since` on: the last of them, or all where no pixels are kept."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    lines = []
    for way in ways:
        points = thinned(near(way.points[since:], size))
        if len(points) > 1:
            lines.append((way, QPolygonF([QPointF(x, y) for x, y in points.tolist()])))
    for place in (0, 1):
        for way, line in lines:
            painter.setPen(pens(way.name, way.chosen)[place])
            painter.drawPolyline(line)


def draw_head(painter: QPainter, way: Way) -> None:
    """A dot; a cross for one that has run away; the chosen one has a ring."""
    now = theme.current()
    head, radius = way.head, now.px(HEAD)
    if way.lost:
        painter.setPen(now.pen("surface", 5))
        _cross(painter, head, radius)
        painter.setPen(now.pen(color_of(way.name), 2.5))
        _cross(painter, head, radius)
        return
    painter.setPen(now.pen("surface", 1.5))
    painter.setBrush(color_of(way.name))
    painter.drawEllipse(head, radius + 0.5, radius + 0.5)
    if way.chosen:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("text", 1.5))
        painter.drawEllipse(head, radius + 3, radius + 3)


def _cross(painter: QPainter, at: QPointF, size: float) -> None:
    painter.drawLine(at + QPointF(-size, -size), at + QPointF(size, size))
    painter.drawLine(at + QPointF(-size, size), at + QPointF(size, -size))


def draw_names(painter: QPainter, ways: Sequence[Way], clip: QRectF) -> None:
    """Each name beside its head; those that would touch stand under one another. Who is out of
    sight is named at the edge, with an arrow to where.
    """
    now = theme.current()
    font, metrics = now.font("label", 600), now.metrics("label", 600)
    height = metrics.height() + 1
    inner = clip.adjusted(8, 8, -8, -8)
    boxes, heads = [], []
    for way in ways:
        head = way.head
        if not clip.contains(head):
            head = _at_edge(head, inner)
            _draw_pointer(painter, way, head)
        wide = metrics.horizontalAdvance(way.title) + now.px(8)
        left = head.x() + now.px(10)
        if left + wide > clip.right():
            left = head.x() - now.px(10) - wide
        boxes.append(QRectF(left, head.y() - height / 2, wide, height))
        heads.append(head)
    for way, head, box in zip(ways, heads, apart(boxes, clip), strict=True):
        painter.fillRect(box, now.color("surface", 0.82))
        if abs(box.center().y() - head.y()) > height:
            painter.setPen(now.pen(color_of(way.name), 1, theme.RAW_OPACITY))
            painter.drawLine(head, QPointF(box.left(), box.center().y()))
        put_text(painter, box.adjusted(now.px(4), 0, 0, 0), way.title, font, ink(way.name), LEFT)


def _at_edge(head: QPointF, inner: QRectF) -> QPointF:
    """Where the line from the middle to a head leaves what is seen."""
    middle = inner.center()
    away = head - middle
    across = abs(away.x()) / max(1.0, inner.width() / 2)
    down = abs(away.y()) / max(1.0, inner.height() / 2)
    return middle + away / max(across, down, 1e-9)


def _draw_pointer(painter: QPainter, way: Way, at: QPointF) -> None:
    away = way.head - at
    size = float(np.hypot(away.x(), away.y())) or 1.0
    ahead = QPointF(away.x() / size, away.y() / size)
    aside = QPointF(-ahead.y(), ahead.x())
    corners = [at + ahead * 6, at - ahead * 4 + aside * 5, at - ahead * 4 - aside * 5]
    painter.setPen(theme.current().pen("surface", 1))
    painter.setBrush(color_of(way.name))
    painter.drawPolygon(QPolygonF(corners))


def ink(name: str) -> QColor:
    """A series' color for text: it reads at 4.5 : 1 on the map too."""
    return theme.mix(color_of(name), theme.current().color("text"), 0.25)


def apart(boxes: Sequence[QRectF], clip: QRectF) -> list[QRectF]:
    """Boxes moved up and down so that none lies over another, groups around where they belong."""
    order = sorted(range(len(boxes)), key=lambda i: (boxes[i].center().y(), i))
    groups: list[list[int]] = []
    for number in order:
        group = [number]
        for other in [g for g in groups if _touch(g, group, boxes)]:
            groups.remove(other)
            group = other + group
        groups.append(sorted(group, key=order.index))
        while _merge_one(groups, boxes):
            pass
    placed = [QRectF(box) for box in boxes]
    for group in groups:
        tops = _tops(group, boxes)
        last = clip.bottom() - len(group) * boxes[group[0]].height()
        shift = max(clip.top(), min(tops[0], last)) - tops[0]
        for number, top in zip(group, tops, strict=True):
            placed[number].moveTop(top + shift)
    return placed


def _tops(group: Sequence[int], boxes: Sequence[QRectF]) -> list[float]:
    height = boxes[group[0]].height()
    middle = sum(boxes[number].center().y() for number in group) / len(group)
    first = middle - height * len(group) / 2
    return [first + height * place for place in range(len(group))]


def _touch(one: Sequence[int], two: Sequence[int], boxes: Sequence[QRectF]) -> bool:
    """Whether two groups lie over one another once each is spread."""
    left = max(min(boxes[i].left() for i in g) for g in (one, two))
    right = min(max(boxes[i].right() for i in g) for g in (one, two))
    if left >= right:
        return False
    first, second = _tops(one, boxes), _tops(two, boxes)
    height = boxes[one[0]].height()
    return first[0] < second[-1] + height - 1e-6 and second[0] < first[-1] + height - 1e-6


def _merge_one(groups: list[list[int]], boxes: Sequence[QRectF]) -> bool:
    for place, one in enumerate(groups):
        for other in groups[place + 1 :]:
            if _touch(one, other, boxes):
                groups.remove(other)
                merged = sorted(one + other, key=lambda i: (boxes[i].center().y(), i))
                groups[place] = merged
                return True
    return False
