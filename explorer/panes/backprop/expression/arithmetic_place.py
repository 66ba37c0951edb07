"""Where the arithmetic of a step stands: near its node, over as little as can be."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSizeF

from explorer.panes.backprop.expression.draw_nodes import node_box
from explorer.panes.backprop.expression.edge_routing import Routes
from explorer.panes.backprop.expression.scene import GraphScene, Instant, subject_at
from explorer.widgets.word_places import shared, touched

HEIGHTS = 8  # places above a node and as many below it, half a height apart
BEST = 16  # of which it is looked at how many edges they hide
MOST_EDGES = 500  # pieces of edges that are looked at: of more, some tell
HIDDEN, CROSSED = 20.0, 0.03  # cost of an area that hides a part of a node, of an edge
AWAY = 0.02  # cost of a place as far away as the arithmetic is large


def arithmetic_place(
    scene: GraphScene, routes: Routes, instant: Instant, size: QSizeF, room: QRectF, gap: float
) -> QRectF:
    """Of places above, below and beside what the step is about, that which costs least."""
    assert instant.place is not None
    wide, high = size.width(), size.height()
    node = node_box(scene, subject_at(scene.computed, instant.moment))
    boxes = [node, node_box(scene, instant.place.node)]  # the other hands the gradient on
    if instant.place.input is not None:
        edge = instant.place.node, instant.place.input
        boxes.append(node.united(routes.paths[edge].boundingRect()))
    inside = room.adjusted(gap / 2, gap / 2, -gap / 2, -gap / 2)
    lefts = [box.center().x() - wide / 2 for box in boxes] + [box.left() for box in boxes]
    lefts += [node.right() + gap, node.left() - gap - wide]
    lefts = [max(inside.left(), min(left, inside.right() - wide)) for left in lefts]
    rows = np.arange(HEIGHTS) * high / 2
    tops = [box.top() - gap - high - rows for box in boxes]
    tops += [box.bottom() + gap + rows for box in boxes]
    heights = np.concatenate([*tops, [node.center().y() - high / 2]])
    x, y = np.repeat(lefts, len(heights)), np.tile(heights, len(lefts))
    places = np.stack([x, y, x + wide, y + high], axis=1)  # (P, 4)
    around = QRectF(x.min(), y.min(), x.max() + wide - x.min(), y.max() + high - y.min())
    corners = np.array([[inside.left(), inside.top(), inside.right(), inside.bottom()]])
    outside = wide * high - shared(places, corners)[:, 0]
    near = around.adjusted(-gap, -gap, gap, gap)
    seen = np.array([near.left(), near.top(), near.right(), near.bottom()])
    parts = routes.parts + np.array([-gap, -gap, gap, gap]) / 2
    parts = parts[((parts[:, :2] < seen[2:]) & (parts[:, 2:] > seen[:2])).all(axis=1)]
    away = abs(x + wide / 2 - node.center().x()) + abs(y + high / 2 - node.center().y())
    costs = HIDDEN * (outside + shared(places, parts).sum(axis=1))
    costs += wide * high * AWAY * away / (wide + high)
    best = costs.argsort(kind="stable")[:BEST]
    edges = routes.boxes[routes.seen(around)]
    every = 1 + len(edges) // MOST_EDGES
    crossed = every * touched(places[best], edges[::every]).sum(axis=1)
    chosen = best[(costs[best] + wide * high * CROSSED * crossed).argmin()]
    return QRectF(float(x[chosen]), float(y[chosen]), wide, high)
