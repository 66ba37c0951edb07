"""Placement of a step's arithmetic: close to its node, hiding as little as possible."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QRectF, QSizeF

from explorer.panes.backprop.expression.draw_nodes import node_box
from explorer.panes.backprop.expression.edge_routing import Routes
from explorer.panes.backprop.expression.node_geometry import Box
from explorer.panes.backprop.expression.scene import GraphScene, Instant, subject_at

HEIGHTS = 6  # candidate places above a node and as many below it, half a height apart
HIDDEN, AWAY = 20.0, 0.02  # cost of hiding an area of nodes, of a distance equal to the size


def arithmetic_place(
    scene: GraphScene, routes: Routes, instant: Instant, size: QSizeF, room: QRectF, gap: float
) -> QRectF:
    """Returns the cheapest place above, below or beside the subject of the step."""
    assert instant.place is not None
    node = node_box(scene, subject_at(scene.computed, instant.moment))
    other = node_box(scene, instant.place.node)  # passes the gradient on
    boxes = (node.getRect(), other.getRect(), room.getRect())
    return _best(routes, boxes, size.width(), size.height(), gap)


@lru_cache(maxsize=64)  # called at every repaint of a step
def _best(
    routes: Routes, boxes: tuple[Box, Box, Box], wide: float, high: float, gap: float
) -> QRectF:
    node, other, room = (QRectF(*box) for box in boxes)
    inside = room.adjusted(gap / 2, gap / 2, -gap / 2, -gap / 2)
    lefts = [at for box in (node, other) for at in (box.center().x() - wide / 2, box.left())]
    lefts += [node.right() + gap, node.left() - gap - wide]
    lefts = [max(inside.left(), min(left, inside.right() - wide)) for left in lefts]
    rows = np.arange(HEIGHTS) * high / 2
    tops = [
        heights
        for box in (node, node.united(other))
        for heights in (box.top() - gap - high - rows, box.bottom() + gap + rows)
    ]
    heights = np.concatenate([*tops, [node.center().y() - high / 2]])
    heights = heights.clip(inside.top(), max(inside.top(), inside.bottom() - high))
    x, y = np.repeat(lefts, len(heights)), np.tile(heights, len(lefts))
    places = np.stack([x, y, x + wide, y + high], axis=1)  # (P, 4)
    parts = routes.parts + np.array([-gap, -gap, gap, gap]) / 4
    begin, end = np.split(places[:, None], 2, axis=2)
    common = np.minimum(end, parts[:, 2:]) - np.maximum(begin, parts[:, :2])  # (P, N, 2)
    hidden = common.clip(0).prod(axis=2).sum(axis=1)
    away = abs(x + wide / 2 - node.center().x()) + abs(y + high / 2 - node.center().y())
    best = int((HIDDEN * hidden + wide * high * AWAY * away / (wide + high)).argmin())
    return QRectF(float(x[best]), float(y[best]), wide, high)
