"""Ways, heads and names of the racers, at any position of the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from explorer import theme
from explorer.panes.backprop.optimizers.looks import color_of, trail_pen
from explorer.widgets.base import LEFT, put_text

HEAD = 5.0  # radius
NEAR = 0.75  # pixels: points of a way that lie nearer to one another are drawn as one
MOST_POINTS = 3000  # of a way


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


def thinned(points: np.ndarray, clip: QRectF) -> np.ndarray:
    """Without points that no eye tells apart, those far outside moved nearer to the edge."""
    room = 4 * max(clip.width(), clip.height(), 1.0)
    middle = np.array([clip.center().x(), clip.center().y()])
    points = np.clip(points, middle - room, middle + room)
    if len(points) < 3:
        return points
    far = np.abs(np.diff(np.round(points / NEAR), axis=0)).max(axis=1) > 0
    kept = points[np.concatenate(([True], far))]
    if (kept[-1] != points[-1]).any():
        kept = np.vstack((kept, points[-1]))
    return kept[-MOST_POINTS:]


def draw_way(painter: QPainter, way: Way, clip: QRectF) -> None:
    """The trail, on an edge in the map's own color so that it stands out from level lines."""
    points = thinned(way.points, clip)
    if len(points) < 2:
        return
    line = QPolygonF([QPointF(x, y) for x, y in points.tolist()])
    now = theme.current()
    width = 3.0 if way.chosen else 2.0
    painter.setBrush(Qt.BrushStyle.NoBrush)
    edge = now.pen(now.color("surface", 0.7), width + 2.4)
    edge.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(edge)
    painter.drawPolyline(line)
    painter.setPen(trail_pen(way.name, width))
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
    """Each name beside its head; those that would touch stand under one another."""
    now = theme.current()
    font, metrics = now.font("label", 600), now.metrics("label", 600)
    height = metrics.height() + 1
    shown = [way for way in ways if clip.adjusted(-20, -20, 20, 20).contains(way.head)]
    boxes = []
    for way in shown:
        wide = metrics.horizontalAdvance(way.title) + now.px(8)
        left = way.head.x() + now.px(10)
        if left + wide > clip.right():
            left = way.head.x() - now.px(10) - wide
        boxes.append(QRectF(left, way.head.y() - height / 2, wide, height))
    for way, box in zip(shown, apart(boxes, clip), strict=True):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("surface", 0.82))
        painter.drawRoundedRect(box, 3, 3)
        if abs(box.center().y() - way.head.y()) > height:
            painter.setPen(now.pen(color_of(way.name), 1, theme.RAW_OPACITY))
            painter.drawLine(way.head, QPointF(box.left(), box.center().y()))
        put_text(painter, box.adjusted(now.px(4), 0, 0, 0), way.title, font, ink(way.name), LEFT)


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
        for number, top in zip(group, _tops(group, boxes), strict=True):
            placed[number].moveTop(top)
    for box in placed:
        if clip.top() <= box.center().y() <= clip.bottom():
            box.moveTop(min(max(clip.top(), box.top()), clip.bottom() - box.height()))
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
