"""Where the edges of a graph run: as curves, and what is seen of them in a part of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from explorer.panes.backprop.expression.draw_nodes import anchor, badge_box, node_box
from explorer.panes.backprop.expression.layout import Fold, Point
from explorer.panes.backprop.expression.scene import Edge, GraphScene

BESIDE = 16.0  # of the room: what an edge and its halo may reach into it from there
INTO = 10.0  # between two edges that enter a node
JOINT = 8.0  # radius of the sign where contributions are added
LABEL = 6.7  # width of a letter beside it
SHORT, FLAT = 80.0, 30.0  # as long and as high an edge is that a factor would hide
CLEAR = 11.5  # of a factor's middle from such an edge
LEVEL = 0.02  # heights that differ by less are one
CORNER = 5.0  # radius of a turn
CHAIN = 25  # points of a curve that the pointer may be near
ROUND = 0.55  # how far the handles of a quarter of a circle reach


@dataclass(frozen=True, eq=False)
class Routes:
    """The edges as curves, from an input's right side to the badge of what reads it.

    middles  where a factor stands
    parts    (N, 4): left, top, right and bottom of all that no words may hide
    pieces   (P, 8): the lines and curves of all paths, one path after another, by four points each
    boxes    (P, 4): left, top, right and bottom of each
    owners   (P,): of which path each is
    words    where the arithmetic of a step has been put, by what that depends on
    """

    paths: dict[Edge, QPainterPath]
    middles: dict[Edge, QPointF]
    parts: np.ndarray
    pieces: np.ndarray
    boxes: np.ndarray
    owners: np.ndarray
    words: dict[object, QRectF] = field(default_factory=dict)

    @cached_property
    def edges(self) -> list[Edge]:
        """By their number in `owners`."""
        return list(self.paths)

    @cached_property
    def marks(self) -> dict[Edge, object]:
        """What tells each edge from others: its lines and curves, and where its factor stands."""
        ends = np.cumsum(np.bincount(self.owners, minlength=len(self.paths))).tolist()
        found: dict[Edge, object] = {}
        for edge, begin, end in zip(self.paths, [0, *ends], ends, strict=False):
            middle = self.middles[edge]
            found[edge] = (self.pieces[begin:end].tobytes(), middle.x(), middle.y())
        return found

    def seen(self, room: QRectF) -> np.ndarray:
        """(P,): which lines and curves come into a part of the picture."""
        left, top, right, bottom = self.boxes.T
        seen = (left <= room.right()) & (right >= room.left())
        return np.asarray(seen & (top <= room.bottom()) & (bottom >= room.top()))

    def edges_in(self, room: QRectF) -> list[Edge]:
        """Those that come into a part of the picture."""
        near = room.adjusted(-BESIDE, -BESIDE, BESIDE, BESIDE)
        counts = np.bincount(self.owners[self.seen(near)], minlength=len(self.edges))
        return [self.edges[owner] for owner in np.flatnonzero(counts).tolist()]

    def at(self, point: QPointF, reach: float) -> Edge | None:
        """The edge nearest to a point of the picture, at most `reach` away."""
        x, y = point.x(), point.y()
        numbers = np.flatnonzero(self.seen(QRectF(x - reach, y - reach, 2 * reach, 2 * reach)))
        if not len(numbers):
            return None
        away = _away(self.pieces[numbers].reshape(-1, 4, 2), np.array([x, y]))
        nearest = int(away.argmin())
        return self.edges[self.owners[numbers[nearest]]] if away[nearest] <= reach else None


def _away(curves: np.ndarray, point: np.ndarray) -> np.ndarray:
    """How far a point is from each curve (P, 4, 2), as a chain of lines: (P,)."""
    t = np.linspace(0, 1, CHAIN)[:, None]
    shares = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    chain = shares @ curves - point  # (P, CHAIN, 2), as seen from the point
    begin, along = chain[:, :-1], np.diff(chain, axis=1)
    length = np.maximum((along**2).sum(axis=-1), 1e-12)
    share = np.clip(-(begin * along).sum(axis=-1) / length, 0, 1)
    nearest = begin + along * share[..., None]
    return np.asarray(np.sqrt((nearest**2).sum(axis=-1)).min(axis=1))


NO_ROUTES = Routes({}, {}, np.empty((0, 4)), np.empty((0, 8)), np.empty((0, 4)), np.empty(0, int))


class _Pen:
    """Draws a path, and remembers its lines and curves."""

    def __init__(self, x: float, y: float) -> None:
        self.path = QPainterPath(QPointF(x, y))
        self.x, self.y = x, y
        self.pieces: list[tuple[float, ...]] = []

    def line(self, x: float, y: float) -> None:
        if (x, y) != (self.x, self.y):
            self.path.lineTo(x, y)
            self.pieces.append((self.x, self.y, self.x, self.y, self.x, self.y, x, y))
            self.x, self.y = x, y

    def curve(self, *points: float) -> None:
        self.path.cubicTo(*points)
        self.pieces.append((self.x, self.y, *points))
        self.x, self.y = points[-2:]

    def pass_on(self, passing: Sequence[tuple[float, float]], folds: Sequence[Fold]) -> None:
        """Curves between columns, lines through them, and turns where it goes on in the next row.
        What lies on one height is one line: an edge may pass a hundred columns.
        """
        ahead = self.x  # so far a line is still to be drawn
        turns = {fold.at: fold for fold in folds}
        for number, (x, y) in enumerate(passing, 1):
            fold = turns.get(number)
            if fold is None and abs(y - self.y) < LEVEL:
                ahead = x
                continue
            self.line(ahead, self.y)
            if fold is None:
                bend = max(18.0, (x - ahead) * 0.5)
                self.curve(ahead + bend, self.y, x - bend, y, x, y)
            else:
                self._turn(fold, x, y)
            ahead = x
        self.line(ahead, self.y)

    def _turn(self, fold: Fold, x: float, y: float) -> None:
        corners = _corners((self.x, self.y), fold, (x, y))
        for begin, *corner in corners:
            self.line(*begin)
            self.curve(*corner)
        self.line(x, y)


@lru_cache(maxsize=4096)  # the edges of one node have it in common
def _corners(begin: Point, fold: Fold, end: Point) -> list[tuple[Any, ...]]:
    """Down at the end of a row, back below it, and down into the next: of each corner where it
    begins, and the curve.
    """
    corners = [(fold.right, begin[1]), (fold.right, fold.lane), (fold.left, fold.lane)]
    corners.append((fold.left, end[1]))
    found = []
    for corner, before, after in zip(corners, [begin, *corners], [*corners[1:], end], strict=False):
        x, y = corner
        (left, top), (right, bottom) = _toward(*corner, *before), _toward(*corner, *after)
        handles = (left + (x - left) * ROUND, top + (y - top) * ROUND)
        others = (right + (x - right) * ROUND, bottom + (y - bottom) * ROUND)
        found.append(((left, top), *handles, *others, right, bottom))
    return found


def _toward(x: float, y: float, other_x: float, other_y: float) -> tuple[float, float]:
    """A little before a corner, or after it."""
    length = abs(other_x - x) + abs(other_y - y)
    share = min(CORNER, length / 2) / length if length else 0.0
    return x + (other_x - x) * share, y + (other_y - y) * share


def routes_of(scene: GraphScene) -> Routes:
    pens: dict[Edge, _Pen] = {}
    docks = scene.plot.docks
    for number, node in enumerate(scene.computed.graph.nodes):
        entry = badge_box(scene, number)
        count, place = sum(one not in docks for one in node.inputs), 0
        apart = INTO if scene.nodes[number].style.words else 0.7 * INTO
        for index, before in enumerate(node.inputs):
            points = scene.layout.routes[number][index]
            if before in docks:
                pens[number, index] = _Pen(*points[0])
                pens[number, index].line(*points[1])
                continue
            fan = scene.uses[before]
            room = max(6.0, scene.layout.places[before][3] / 2 - 6)
            between = min(scene.nodes[before].style.fan, 2 * room / max(1, len(fan) - 1))
            shift = (fan.index((number, index)) - (len(fan) - 1) / 2) * between
            start = anchor(scene, before)
            into = (place - (count - 1) / 2) * apart
            end = entry.left(), entry.center().y() + into
            pen = pens[number, index] = _Pen(start.x(), start.y() + shift)
            folds = scene.layout.folds.get((number, index), ())
            pen.pass_on([*points[1:-1], end], folds)
            place += 1
    paths = {edge: pen.path for edge, pen in pens.items()}
    middles = {edge: _middle(scene, edge, path) for edge, path in paths.items()}
    pieces = np.array([piece for pen in pens.values() for piece in pen.pieces]).reshape(-1, 8)
    owners = np.repeat(np.arange(len(pens)), [len(pen.pieces) for pen in pens.values()])
    x, y = pieces[:, 0::2].T, pieces[:, 1::2].T
    boxes = np.stack([x.min(axis=0), y.min(axis=0), x.max(axis=0), y.max(axis=0)], axis=1)
    return Routes(paths, middles, _parts(scene), pieces, boxes, owners)


def _parts(scene: GraphScene) -> np.ndarray:
    """Nodes, their badges, and where the contributions of several uses meet."""
    count = range(len(scene.nodes))
    boxes = [node_box(scene, number) for number in count]
    boxes += [badge_box(scene, number) for number in count if scene.nodes[number].badge]
    boxes += [box for number in count if not (box := joint_box(scene, number)).isEmpty()]
    return np.array([(box.left(), box.top(), box.right(), box.bottom()) for box in boxes])


def _middle(scene: GraphScene, edge: Edge, path: QPainterPath) -> QPointF:
    """Where a factor stands: of a node that is used more than once the contributions come first.
    One that would hide all of a short edge stands beside it, away from what enters with it.
    """
    inputs = scene.computed.graph.nodes[edge[0]].inputs
    fan, end = scene.uses[inputs[edge[1]]], path.currentPosition()
    if len(fan) > 1:
        return end - QPointF(22, 0)  # an edge comes in flat
    box = path.controlPointRect()
    if box.width() > SHORT or box.height() > FLAT:
        return path.pointAtPercent(0.56)
    above = all(one in scene.plot.docks for one in inputs[: edge[1]])
    return QPointF(box.center().x(), box.top() - CLEAR if above else box.bottom() + CLEAR)


def joint_box(scene: GraphScene, number: int) -> QRectF:
    """What the sign of addition and the contributions beside it need; empty where there is none."""
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
