"""The paths of edges as curves, and the parts of them visible in an area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from explorer.panes.backprop.expression.draw_nodes import anchor, badge_box, node_box
from explorer.panes.backprop.expression.layout import Fold, Point
from explorer.panes.backprop.expression.scene import Edge, GraphScene

BESIDE = 16.0  # px beyond an area: an edge and its halo may reach into it from there
INTO = 10.0  # px between two edges that enter a node
JOINT = 8.0  # px, radius of the plus sign where contributions are added
LABEL = 6.7  # px, width of a character beside it
SHORT, FLAT = 80.0, 30.0  # px, length and height of an edge that a factor would hide
CLEAR = 11.5  # px from a factor's center to such an edge
LEVEL = 0.02  # px; smaller differences in height are ignored
CHAIN = 25  # points of a curve, for the distance to the pointer


Piece = tuple[float, ...]  # x and y of four Bézier points; a line has its start three times


@dataclass(frozen=True)
class Route:
    """The path of an edge: from `begin` through all points of `passing`.

    turns   by the number of the point, from 1, before which it turns into another row
    shares  True if another edge from the same node extends farther: that one is drawn where both
            pass the same columns
    """

    begin: Point
    passing: Sequence[Point]
    turns: Mapping[int, Fold]
    shares: bool = False

    @property
    def whole(self) -> list[Piece]:
        return _traced(self.begin, self.passing, self.turns)

    @property
    def own(self) -> list[Piece]:
        """All of it or, if it shares its middle with another edge, its start and its end."""
        last = len(self.passing)
        if not self.shares or last < 3:
            return self.whole
        begin = _traced(self.begin, self.passing[:1], self.turns)
        return begin + _traced(self.passing[-2], self.passing[-1:], self.turns, last)


def _traced(
    begin: Point, passing: Sequence[Point], turns: Mapping[int, Fold], first: int = 1
) -> list[Piece]:
    """Returns curves between columns, lines through them, and turns into the next row. Points at
    one height become one line: an edge may pass a hundred columns.
    """
    pieces: list[Piece] = []
    x0, y0 = begin

    def line(x: float, y: float) -> None:
        nonlocal x0, y0
        if (x, y) != (x0, y0):
            pieces.append((x0, y0, x0, y0, x0, y0, x, y))
            x0, y0 = x, y

    ahead = x0  # end of the pending horizontal line
    for number, (x, y) in enumerate(passing, first):
        fold = turns.get(number)
        if fold is None and abs(y - y0) < LEVEL:
            ahead = x
            continue
        line(ahead, y0)
        if fold is None:
            bend = max(18.0, (x - ahead) * 0.5)
            pieces.append((ahead, y0, ahead + bend, y0, x - bend, y, x, y))
            x0, y0 = x, y
        else:  # down at the end of a row, back below it, and down into the next
            for corner in ((fold.right, y0), (fold.right, fold.lane), (fold.left, fold.lane)):
                line(*corner)
            line(fold.left, y)
            line(x, y)
        ahead = x
    line(ahead, y0)
    return pieces


def _path(pieces: Sequence[Piece]) -> QPainterPath:
    path = QPainterPath()
    for x0, y0, x1, y1, x2, y2, x, y in pieces:
        if path.currentPosition() != QPointF(x0, y0) or path.isEmpty():
            path.moveTo(x0, y0)
        if (x1, y1, x2, y2) == (x0, y0, x0, y0):
            path.lineTo(x, y)
        else:
            path.cubicTo(x1, y1, x2, y2, x, y)
    return path


@dataclass(frozen=True, eq=False)
class Routes:
    """The edges as curves, from an input's right side to the badge of the operation that reads it.

    by_edge  the path of each
    fans     for each node the edges that leave it, longest first
    middles  the positions of factors
    parts    (N, 4): left, top, right and bottom of everything that text must not hide
    pieces   (P, 8): the drawn curves of all edges in order
    boxes    (P, 4): left, top, right and bottom of each piece
    owners   (P,): the edge number of each piece
    """

    by_edge: Mapping[Edge, Route]
    fans: Sequence[Sequence[Edge]]
    middles: Mapping[Edge, QPointF]
    parts: np.ndarray
    pieces: np.ndarray
    boxes: np.ndarray
    owners: np.ndarray
    _paths: dict[tuple[Edge, bool], QPainterPath] = field(default_factory=dict)
    _visible: dict[object, dict[Edge, QPainterPath]] = field(default_factory=dict)  # newest only

    def path(self, edge: Edge, whole: bool = True) -> QPainterPath:
        """Returns all of an edge, or the part it does not share with a longer one."""
        known = self._paths.get((edge, whole))
        if known is None:
            route = self.by_edge[edge]
            known = self._paths[edge, whole] = _path(route.whole if whole else route.own)
        return known

    @cached_property
    def edges(self) -> list[Edge]:
        """The edges by their number in `owners`."""
        return list(self.by_edge)

    def seen(self, room: QRectF) -> np.ndarray:
        """Returns (P,): which pieces reach into an area."""
        left, top, right, bottom = self.boxes.T
        seen = (left <= room.right()) & (right >= room.left())
        return np.asarray(seen & (top <= room.bottom()) & (bottom >= room.top()))

    def paths_in(self, room: QRectF) -> dict[Edge, QPainterPath]:
        """Returns the pieces of each edge that reach into an area: long edges are mostly hidden."""
        if room.getRect() not in self._visible:
            self._visible.clear()
            self._visible[room.getRect()] = self._found_in(room)
        return self._visible[room.getRect()]

    def _found_in(self, room: QRectF) -> dict[Edge, QPainterPath]:
        numbers = np.flatnonzero(self.seen(room.adjusted(-BESIDE, -BESIDE, BESIDE, BESIDE)))
        every, owners = np.bincount(self.owners, minlength=len(self.edges)), self.owners[numbers]
        found = {}
        for owner in np.unique(owners).tolist():
            edge, mine = self.edges[owner], numbers[owners == owner]
            is_whole = len(mine) == every[owner]
            found[edge] = self.path(edge, False) if is_whole else _path(self.pieces[mine].tolist())
        return found

    def at(self, point: QPointF, reach: float) -> Edge | None:
        """Returns the edge nearest to a point of the picture, or None if none is within `reach`."""
        x, y = point.x(), point.y()
        numbers = np.flatnonzero(self.seen(QRectF(x - reach, y - reach, 2 * reach, 2 * reach)))
        if not len(numbers):
            return None
        away = _away(self.pieces[numbers].reshape(-1, 4, 2), np.array([x, y]))
        nearest = int(away.argmin())
        return self.edges[self.owners[numbers[nearest]]] if away[nearest] <= reach else None


def _away(curves: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Returns (P,): the distance of a point from each curve (P, 4, 2), taken as line segments."""
    t = np.linspace(0, 1, CHAIN)[:, None]
    shares = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    chain = shares @ curves - point  # (P, CHAIN, 2), relative to the point
    begin, along = chain[:, :-1], np.diff(chain, axis=1)
    length = np.maximum((along**2).sum(axis=-1), 1e-12)
    share = np.clip(-(begin * along).sum(axis=-1) / length, 0, 1)
    nearest = begin + along * share[..., None]
    return np.asarray(np.sqrt((nearest**2).sum(axis=-1)).min(axis=1))


NO_ROUTES = Routes(
    {}, [], {}, np.empty((0, 4)), np.empty((0, 8)), np.empty((0, 4)), np.empty(0, int)
)


def routes_of(scene: GraphScene) -> Routes:
    by_edge: dict[Edge, Route] = {}
    docks, laid = scene.plot.docks, scene.layout.routes
    fans = [sorted(fan, key=lambda one: -len(laid[one[0]][one[1]])) for fan in scene.uses]
    for number, node in enumerate(scene.computed.graph.nodes):
        entry = badge_box(scene, number)
        count, place = sum(one not in docks for one in node.inputs), 0
        apart = INTO if scene.nodes[number].style.words else 0.7 * INTO
        for index, before in enumerate(node.inputs):
            points = laid[number][index]
            if before in docks:
                by_edge[number, index] = Route(points[0], points[1:], {})
                continue
            fan = scene.uses[before]
            room = max(6.0, scene.layout.places[before][3] / 2 - 6)
            between = min(scene.nodes[before].style.fan, 2 * room / max(1, len(fan) - 1))
            shift = (fan.index((number, index)) - (len(fan) - 1) / 2) * between
            start = anchor(scene, before)
            into = (place - (count - 1) / 2) * apart
            end = entry.left(), entry.center().y() + into
            turns = {fold.at: fold for fold in scene.layout.folds.get((number, index), ())}
            begin = start.x(), start.y() + shift
            shares = fans[before][0] != (number, index)
            by_edge[number, index] = Route(begin, [*points[1:-1], end], turns, shares)
            place += 1
    owned = {edge: route.own for edge, route in by_edge.items()}
    middles = {edge: _middle(scene, edge, route) for edge, route in by_edge.items()}
    pieces = np.array([piece for own in owned.values() for piece in own]).reshape(-1, 8)
    owners = np.repeat(np.arange(len(by_edge)), [len(own) for own in owned.values()])
    x, y = pieces[:, 0::2].T, pieces[:, 1::2].T
    boxes = np.stack([x.min(axis=0), y.min(axis=0), x.max(axis=0), y.max(axis=0)], axis=1)
    return Routes(by_edge, fans, middles, _parts(scene), pieces, boxes, owners)


def _parts(scene: GraphScene) -> np.ndarray:
    """Returns the boxes of nodes, badges and joints."""
    count = range(len(scene.nodes))
    boxes = [node_box(scene, number) for number in count]
    boxes += [badge_box(scene, number) for number in count if scene.nodes[number].badge]
    boxes += [box for number in count if not (box := joint_box(scene, number)).isEmpty()]
    return np.array([(box.left(), box.top(), box.right(), box.bottom()) for box in boxes])


def _middle(scene: GraphScene, edge: Edge, route: Route) -> QPointF:
    """Returns the position of a factor: at the end of the edge if the input has several uses, whose
    contributions fill the start; beside an edge too short to show it.
    """
    inputs = scene.computed.graph.nodes[edge[0]].inputs
    if len(scene.uses[inputs[edge[1]]]) > 1:
        return QPointF(route.passing[-1][0] - 22, route.passing[-1][1])  # edges end horizontally
    path = _path(route.whole)
    box = path.controlPointRect()
    if box.width() > SHORT or box.height() > FLAT:
        return path.pointAtPercent(0.56)
    above = all(one in scene.plot.docks for one in inputs[: edge[1]])
    return QPointF(box.center().x(), box.top() - CLEAR if above else box.bottom() + CLEAR)


def joint_box(scene: GraphScene, number: int) -> QRectF:
    """Returns the box of a node's joint with its contributions; empty if there is none."""
    uses = scene.uses[number]
    if len(uses) < 2:
        return QRectF()
    _, _, _, height = scene.layout.places[number]
    at, radius = anchor(scene, number), joint_radius(scene, number)
    if not scene.nodes[number].style.words:
        return QRectF(at.x(), at.y() - radius, 2 * radius + 1, 2 * radius)
    return QRectF(at.x(), at.y() - height / 2, 2 * radius + 6 + 7 * LABEL, height)


def joint_radius(scene: GraphScene, number: int) -> float:
    return JOINT if scene.nodes[number].style.words else 0.75 * JOINT
