"""The edges of a graph as curves, laid once for a layout, and what is in sight of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from explorer.panes.backprop.expression.draw_nodes import anchor, badge_box, node_box
from explorer.panes.backprop.expression.faces import FAN
from explorer.panes.backprop.expression.scene import Edge, Scene

BESIDE = 16.0  # of the room: what an edge and its halo may reach into it from there
BEND = 18.0  # how far a curve goes on level, at least
INTO = 10.0  # between two edges that enter a node
JOINT = 8.0  # radius of the sign where contributions are added
LABEL = 6.2  # width of a letter beside it

Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Ways:
    """The edges as curves, from an input's right side to the badge of what reads it.

    stops    for each edge the points where a curve ends and a line begins, or the other way round
    middles  where a factor stands
    parts    (N, 4): left, top, right and bottom of all that no words may hide
    boxes    (S, 4): the same of each curve and line of all edges, one after the other
    owners   (S,): which edge each of these belongs to
    words    where the arithmetic of a step has been put, by what that depends on
    """

    paths: dict[Edge, QPainterPath]
    stops: dict[Edge, Sequence[Point]]
    middles: dict[Edge, QPointF]
    parts: np.ndarray
    boxes: np.ndarray
    owners: np.ndarray
    words: dict[object, QRectF] = field(default_factory=dict)
    _sight: dict[object, dict[Edge, QPainterPath]] = field(default_factory=dict)

    def in_sight(self, room: QRectF) -> dict[Edge, QPainterPath]:
        """What is seen of each edge in a part of the picture; those without are left out. To draw
        one costs as much as it is long, and an edge may pass a hundred layers.
        """
        key = room.getRect()
        if key not in self._sight:  # the view has been moved
            self._sight.clear()
            self._sight[key] = self._within(room.adjusted(-BESIDE, -BESIDE, BESIDE, BESIDE))
        return self._sight[key]

    def _within(self, near: QRectF) -> dict[Edge, QPainterPath]:
        left, top, right, bottom = self.boxes.T
        seen = (left <= near.right()) & (right >= near.left())
        seen &= (top <= near.bottom()) & (bottom >= near.top())
        edges, found = list(self.paths), {}
        firsts = np.searchsorted(self.owners, np.arange(len(edges)))
        for owner in np.unique(self.owners[seen]).tolist():
            edge, first = edges[owner], int(firsts[owner])
            stops = self.stops[edge]
            shown = np.flatnonzero(seen[first : first + len(stops) - 1]).tolist()
            whole = len(shown) == len(stops) - 1
            found[edge] = self.paths[edge] if whole else _pieces(stops, shown)
        return found


NOWHERE = Ways({}, {}, {}, np.empty((0, 4)), np.empty((0, 4)), np.empty(0, int))


def ways_of(scene: Scene) -> Ways:
    stops: dict[Edge, Sequence[Point]] = {}
    for number, node in enumerate(scene.computed.graph.nodes):
        entry = badge_box(scene, number)
        count = len(node.inputs)
        for index, before in enumerate(node.inputs):
            fan = scene.uses[before]
            room = max(6.0, scene.layout.places[before][3] / 2 - 6)
            shift = (fan.index((number, index)) - (len(fan) - 1) / 2) * _fan(len(fan), room)
            into = (index - (count - 1) / 2) * INTO
            start = anchor(scene, before)
            end = (entry.left(), entry.center().y() + into)
            passing = scene.layout.ways[number][index][1:-1]
            stops[number, index] = ((start.x(), start.y() + shift), *passing, end)
    paths = {edge: _pieces(points, range(len(points) - 1)) for edge, points in stops.items()}
    middles = {edge: _middle(scene, edge, path) for edge, path in paths.items()}
    boxes = [_boxes(points) for points in stops.values()]
    owners = np.repeat(np.arange(len(boxes)), [len(one) for one in boxes])
    return Ways(paths, stops, middles, _parts(scene), np.concatenate(boxes), owners)


def _pieces(stops: Sequence[Point], shown: Sequence[int]) -> QPainterPath:
    """Of an edge those between stop `one` and the next: curves, and every other one a line."""
    path = QPainterPath()
    before = -2
    for one in shown:
        (x, y), (to_x, to_y) = stops[one], stops[one + 1]
        if one != before + 1:
            path.moveTo(x, y)
        if one % 2:
            path.lineTo(to_x, to_y)
        else:
            bend = max(BEND, (to_x - x) * 0.5)
            path.cubicTo(x + bend, y, to_x - bend, to_y, to_x, to_y)
        before = one
    return path


def _boxes(stops: Sequence[Point]) -> np.ndarray:
    """(S, 4): left, top, right and bottom of each of its curves and lines, or a little more."""
    x, y = np.array(stops).T
    bend = np.maximum(BEND, np.diff(x) * 0.5)
    left, right = np.minimum(x[:-1], x[1:] - bend), np.maximum(x[1:], x[:-1] + bend)
    return np.stack([left, np.minimum(y[:-1], y[1:]), right, np.maximum(y[:-1], y[1:])], axis=1)


def _parts(scene: Scene) -> np.ndarray:
    """Nodes, their badges, and where the contributions of several uses meet."""
    count = range(len(scene.faces))
    boxes = [node_box(scene, number) for number in count]
    boxes += [badge_box(scene, number) for number in count if scene.faces[number].badge]
    boxes += [box for number in count if not (box := joint_box(scene, number)).isEmpty()]
    return np.array([(box.left(), box.top(), box.right(), box.bottom()) for box in boxes])


def joint_box(scene: Scene, number: int) -> QRectF:
    """What the sign of addition and the contributions beside it need; empty where there is none."""
    uses = scene.uses[number]
    if len(uses) < 2:
        return QRectF()
    _, _, _, height = scene.layout.places[number]
    at = anchor(scene, number)
    return QRectF(at.x(), at.y() - height / 2, 2 * JOINT + 6 + 7 * LABEL, height)


def _fan(count: int, room: float) -> float:
    """Between two of so many edges that leave a node, `room` above and below its middle."""
    return min(FAN, 2 * room / max(1, count - 1))


def _middle(scene: Scene, edge: Edge, path: QPainterPath) -> QPointF:
    """Where a factor stands: of a node that is used more than once the contributions come first."""
    fan = scene.uses[scene.computed.graph.nodes[edge[0]].inputs[edge[1]]]
    if len(fan) < 2:
        return path.pointAtPercent(0.56)
    return path.currentPosition() - QPointF(22, 0)  # an edge comes in flat
