"""Where the arithmetic of a step stands: near its node, between the rows of the graph."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSizeF

from explorer.panes.backprop.expression.draw_nodes import node_box
from explorer.panes.backprop.expression.scene import GraphScene, Instant, subject_at
from explorer.panes.backprop.expression.ways import Ways
from explorer.widgets.word_places import shared, touched

MOST_AVOIDED = 120  # parts of nodes that the bubble tries not to hide
AWAY = 200.0  # so far above or below its node the bubble may stand, in the picture's units
NODES = 400.0  # what a place costs that hides a part of a node, times the area
AIR = 0.01  # what beside a node costs, as a share of that
OTHERS = 0.03  # what an edge that the bubble lies on costs, as a share of its area
MOST_PASSING = 500  # pieces of edges near by: from far away there are thousands, and some tell
TRIED, FEW, POINTS = 100, 4, 6  # heights that it tries; edges of the node, and points of each
AT_ONCE = 64  # places, the nearest first, until no other can be better


def bubble_place(
    scene: GraphScene, ways: Ways, instant: Instant, size: QSizeF, room: QRectF, gap: float
) -> QRectF:
    """Near what the step is about, where it hides no node if there is such a place in sight."""
    place = instant.place
    assert place is not None
    subject = subject_at(scene.computed, instant.moment)
    node = about = node_box(scene, subject)
    edges = list(scene.uses[subject])
    if place.input is not None:
        about = about.united(ways.paths[place.node, place.input].boundingRect())
        edges.append((place.node, place.input))
    shares = [step / POINTS for step in range(POINTS + 1)]
    points = [ways.paths[edge].pointAtPercent(at) for edge in edges[:FEW] for at in shares]
    wide, high = 2 * size.width(), max(AWAY, 6 * size.height())
    near = node.adjusted(-wide, -high, wide, high)
    nodes = _nearest(ways.parts, near, node)
    tops = [box.top() - gap - size.height() for box in (node, about)]
    tops += [box.bottom() + gap for box in (node, about)]
    tops += [top - gap - size.height() for top in nodes[:, 1]]
    tops += [bottom + gap for bottom in nodes[:, 3]]
    tops = list(dict.fromkeys(round(float(top), 1) for top in tops))
    tops = [top for top in tops if near.top() <= top <= near.bottom() - size.height()]
    tops.sort(key=lambda top: abs(top + size.height() / 2 - node.center().y()))
    inside = room.adjusted(gap / 2, gap / 2, -gap / 2, -gap / 2)
    reach = gap + size.width() / 2
    middles = [node.right() + reach, node.left() - reach]
    for one in {subject, place.node}:  # the other is the operation that hands the gradient on
        beside = node_box(scene, one)
        middles += [beside.center().x(), beside.left() + size.width() / 2]
    lefts = [
        max(inside.left(), min(middle - size.width() / 2, inside.right() - size.width()))
        for middle in middles
    ]
    x = np.repeat(lefts, len(tops[:TRIED]))  # (P,): every place that is tried
    y = np.tile(tops[:TRIED], len(lefts))
    places = np.stack([x, y, x + size.width(), y + size.height()], axis=1)  # (P, 4)
    whole = size.width() * size.height()
    outside = whole - shared(places, np.array([_corners(inside)]))[:, 0]
    air = np.array([-gap, -gap, gap, gap]) / 2  # a node has a ring, and words need air
    px, py = np.array([(point.x(), point.y()) for point in points]).reshape(-1, 2).T
    away = abs(x + size.width() / 2 - node.center().x())
    away += abs(y + size.height() / 2 - node.center().y())
    away /= size.width() + size.height()
    passing = ways.near(near)
    every = 1 + len(passing) // MOST_PASSING
    least = NODES * outside + whole * 0.02 * away  # what a place costs at least
    nearest = least.argsort(kind="stable")
    best, lowest = int(nearest[0]), np.inf
    for some in np.split(nearest, range(AT_ONCE, len(nearest), AT_ONCE)):
        if least[some[0]] >= lowest:
            break  # so do all that are left
        tried = places[some]
        parts = shared(tried, nodes).sum(axis=1) + AIR * shared(tried, nodes + air).sum(axis=1)
        crossed = (tried[:, :1] <= px) & (px <= tried[:, 2:3])
        crossed &= (tried[:, 1:2] <= py) & (py <= tried[:, 3:])
        costs = least[some] + NODES * parts + whole * 0.04 * crossed.sum(axis=1)
        few = costs < lowest
        others = every * touched(tried[few], passing[::every]).sum(axis=1)
        costs[few] += whole * OTHERS * others
        if costs.min() < lowest:
            best, lowest = int(some[costs.argmin()]), costs.min()
    return QRectF(float(x[best]), float(y[best]), size.width(), size.height())


def _nearest(parts: np.ndarray, near: QRectF, node: QRectF) -> np.ndarray:
    """Of parts (N, 4) those that come near, the nearest to a node first: at most MOST_AVOIDED."""
    left, top, right, bottom = parts.T
    found = (left < near.right()) & (right > near.left())
    found &= (top < near.bottom()) & (bottom > near.top())
    parts = parts[found]
    left, top, right, bottom = parts.T
    away = abs((left + right) / 2 - node.center().x()) + abs((top + bottom) / 2 - node.center().y())
    nearest: np.ndarray = parts[np.argsort(away, kind="stable")[:MOST_AVOIDED]]
    return nearest


def _corners(box: QRectF) -> tuple[float, float, float, float]:
    return box.left(), box.top(), box.right(), box.bottom()
