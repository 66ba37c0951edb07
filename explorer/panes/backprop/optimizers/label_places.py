"""Where words stand on the map: beside what they name, and over as little as can be. No painting.

The map is a grid of small cells, each with what it costs to cover it. A word tries places all
around what it names, near ones first, and takes the cheapest; then it is in the way of the next.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF

CELL = 6.0  # pixels
BLOCKED = 40.0  # of a cell that may not be covered
DIRECTIONS = 16
AWAY = 0.3  # cost of a pixel between a word and what it names
STAY = 12.0  # by so much another place must be better than the last one
PATIENCE = 5  # times that a word is looked at while things move before it changes places
LEAD = 17.0  # pixels from what it names, from which a word has a line to it
ALONG = np.linspace(0.2, 0.98, 16)  # of that line, where it must not cross words


@dataclass(frozen=True)
class Wanted:
    """A word of a size, near one or several places (n, 2), at one of these distances from them."""

    key: Hashable
    anchors: np.ndarray
    wide: float
    high: float
    distances: Sequence[float]
    toward: float | None = None  # an angle that it stands in best, 0 to the right, down is positive
    must: bool = False  # it is there, even over other words


@dataclass(frozen=True)
class Placed:
    """Its box, the place that it is nearest to, and where the line from there ends, if there is
    one.
    """

    key: Hashable
    box: QRectF
    anchor: QPointF
    end: QPointF | None


class Room:
    """What the map's cells cost."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        rows, columns = math.ceil(height / CELL) + 1, math.ceil(width / CELL) + 1
        self._costs = np.zeros((rows, columns))
        self._words = np.zeros((rows, columns))
        self._boxes: list[QRectF] = []  # of words
        self._sums: np.ndarray | None = None

    def take(self, box: QRectF, cost: float = BLOCKED, word: bool = False) -> None:
        rows = slice(max(0, int(box.top() // CELL)), max(0, math.ceil(box.bottom() / CELL)))
        columns = slice(max(0, int(box.left() // CELL)), max(0, math.ceil(box.right() / CELL)))
        part = rows, columns
        self._costs[part] = np.maximum(self._costs[part], cost)
        if word:
            self._words[part] = 1.0
            self._boxes.append(box)
        self._sums = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self._costs.shape[0], self._costs.shape[1]

    def take_points(self, points: np.ndarray, cost: float = BLOCKED) -> None:
        """The cells of points (n, 2) in pixels, those outside left out."""
        self.take_cells(cells_of(points, self.shape), cost)

    def take_cells(self, cells: np.ndarray, cost: float) -> None:
        self._costs.reshape(-1)[cells] = np.maximum(self._costs.reshape(-1)[cells], cost)
        self._sums = None

    def costs(self, boxes: np.ndarray) -> np.ndarray:
        """(n,): of what lies under boxes (n, 4): left, top, right, bottom."""
        if self._sums is None:
            self._sums = np.zeros((self._costs.shape[0] + 1, self._costs.shape[1] + 1))
            np.cumsum(np.cumsum(self._costs, axis=0), axis=1, out=self._sums[1:, 1:])
        (rows, columns), sums = self.shape, self._sums
        left, top = np.floor(boxes[:, :2] / CELL).T  # of the first cell that they touch
        right, bottom = np.ceil(boxes[:, 2:] / CELL).T  # after the last
        left, right = _whole(left, columns), _whole(right, columns)
        top, bottom = _whole(top, rows), _whole(bottom, rows)
        return sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]

    def has_word(self, box: np.ndarray) -> bool:
        """Whether a word stands within a box (4,)."""
        left, top, right, bottom = box
        return any(
            left < one.right() and one.left() < right and top < one.bottom() and one.top() < bottom
            for one in self._boxes
        )

    def words_at(self, points: np.ndarray) -> np.ndarray:
        """(...,): 1 where a word stands at points (..., 2)."""
        rows, columns = self.shape
        x, y = _whole(points[..., 0] / CELL, columns - 1), _whole(points[..., 1] / CELL, rows - 1)
        return self._words[y, x]


def _whole(numbers: np.ndarray, most: int) -> np.ndarray:
    """From 0 to `most`."""
    return np.minimum(np.maximum(numbers, 0), most).astype(int)


def cells_of(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(n,): flat numbers of the cells of points (n, 2), those outside left out."""
    rows, columns = shape
    x, y = np.floor(points[:, 0] / CELL), np.floor(points[:, 1] / CELL)
    inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    return (y[inside] * columns + x[inside]).astype(int)


@dataclass
class _Stand:
    """Which of its places a word has, how often in a row another was better, and whether there is
    no room for it at all.
    """

    place: int
    unhappy: int = 0
    left_out: bool = False


@dataclass
class Placer:
    """Remembers where each word stood, so that it stays there while that is good. While things
    move, words go with what they name, and change places only if that is no good for long. A word
    for which there is no room is None, unless it must be there.
    """

    _last: dict[Hashable, _Stand] = field(default_factory=dict)

    def knows(self, wanted: Sequence[Wanted]) -> bool:
        """Whether all have a place."""
        return all(one.key in self._last for one in wanted)

    def keep(self, wanted: Sequence[Wanted], width: float, height: float) -> list[Placed | None]:
        """All as they stood beside what they name, wherever that is now."""
        placed: list[Placed | None] = []
        for one in wanted:
            place = self._last[one.key].place
            if self._last[one.key].left_out:
                placed.append(None)
                continue
            middles, _ = _tries(one)
            boxes = _boxes(one, _inside(one, middles[place : place + 1], width, height))
            (anchor,), (end,), (far,) = _nearest(one.anchors, boxes)
            placed.append(_placed(one.key, boxes[0], anchor, end if far > LEAD else None))
        return placed

    def place(
        self, room: Room, wanted: Sequence[Wanted], moving: bool = False
    ) -> list[Placed | None]:
        """One after the other; each is in the way of those after it."""
        placed = [self._place(room, one, moving) for one in wanted]
        keys = {one.key for one in wanted}
        self._last = {key: stand for key, stand in self._last.items() if key in keys}
        return placed

    def _place(self, room: Room, one: Wanted, moving: bool) -> Placed | None:
        middles, away = _tries(one)
        inside = _inside(one, middles, room.width, room.height)
        boxes = _boxes(one, inside)
        anchors, ends, far = _nearest(one.anchors, boxes)
        moved = np.abs(inside - middles).sum(axis=1)
        costs = room.costs(boxes) + AWAY * (np.maximum(away, far) + moved)
        line = anchors[:, None] + ALONG[None, :, None] * (ends - anchors)[:, None]
        costs = costs + np.where(far > LEAD, BLOCKED * room.words_at(line).max(axis=1), 0.0)
        best = int(np.argmin(costs))
        stand = self._last.setdefault(one.key, _Stand(best))
        happy = costs[stand.place] <= costs[best] + STAY
        stand.unhappy = 0 if happy else stand.unhappy + 1
        if stand.unhappy > (PATIENCE if moving else 0):
            stand.place, stand.unhappy = best, 0
        stand.left_out = not one.must and room.has_word(boxes[best])
        if stand.left_out:
            return None
        box, end, is_far = boxes[stand.place], ends[stand.place], far[stand.place] > LEAD
        placed = _placed(one.key, box, anchors[stand.place], end if is_far else None)
        room.take(placed.box, word=True)
        return placed


def _inside(one: Wanted, middles: np.ndarray, width: float, height: float) -> np.ndarray:
    """A word that would stand beyond the edge stands at it."""
    half = np.array([one.wide, one.high]) / 2
    most = np.maximum(half + 2, np.array([width, height]) - half - 2)
    return np.minimum(np.maximum(middles, half + 2), most)


def _boxes(one: Wanted, middles: np.ndarray) -> np.ndarray:
    half = np.array([one.wide, one.high]) / 2
    return np.hstack((middles - half, middles + half))


def _placed(key: Hashable, box: np.ndarray, anchor: np.ndarray, end: np.ndarray | None) -> Placed:
    drawn = QRectF(QPointF(*box[:2]), QPointF(*box[2:]))
    return Placed(key, drawn, QPointF(*anchor), None if end is None else QPointF(*end))


def _tries(one: Wanted) -> tuple[np.ndarray, np.ndarray]:
    """Middles (n, 2) of boxes around the places, and how much each is liked less, in pixels."""
    turn = 0.0 if one.toward is None else one.toward
    angles = turn + 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    units = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    low, high = one.anchors.min(axis=0), one.anchors.max(axis=0)
    reach = (high - low) / 2 + np.array([one.wide, one.high]) / 2
    sides = np.clip(1.5 * units, -1, 1) * reach  # the box stands beside its place, not over it
    distances = np.array(one.distances)
    middles = (low + high) / 2 + sides[None] + distances[:, None, None] * units[None]
    off = np.abs(np.angle(np.exp(1j * (angles - turn))))  # to the right, or where it is wanted
    away = distances[:, None] + (3.0 if one.toward is None else 8.0) * off[None]
    return middles.reshape(-1, 2), away.reshape(-1)


def _nearest(anchors: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each box (n, 4) the place that is nearest, the nearest point of the box, how far."""
    points = np.minimum(np.maximum(anchors[None], boxes[:, None, :2]), boxes[:, None, 2:])
    away = points - anchors[None]  # (n, anchors, 2)
    far = np.hypot(away[..., 0], away[..., 1])
    which = far.argmin(axis=1)
    rows = np.arange(len(boxes))
    return anchors[which], points[rows, which], far[rows, which]
