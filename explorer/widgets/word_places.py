"""Where words stand in a picture: beside what they name, and over as little as can be. No
painting.

The picture is a grid of small cells, each with what it costs to cover it. A word tries places all
around what it names, near ones first, and takes the cheapest; then it is in the way of the next.
A word that has to fit between things to the pixel asks `shared` and `touched` what each of its own
places would hide.
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
EACH_TURN = 2 * np.pi / DIRECTIONS
TURNED = EACH_TURN * np.minimum(np.arange(DIRECTIONS), DIRECTIONS - np.arange(DIRECTIONS))
LEAD = 17.0  # pixels from what it names, from which a word has a line to it
ALONG = np.linspace(0.2, 0.98, 16)  # of that line, where it must not cross words


@dataclass(frozen=True, eq=False)
class Wanted:
    """A word of a size, near one or several places (n, 2), at one of these distances from them."""

    key: Hashable
    anchors: np.ndarray
    wide: float
    high: float
    distances: Sequence[float]
    toward: float | None = None  # an angle that it stands in best, 0 to the right, down is positive
    must: bool = False  # it is there, even over other words


@dataclass(frozen=True, eq=False)
class Placed:
    """Its box, the place that it is nearest to, and where the line from there ends, if there is
    one.
    """

    key: Hashable
    box: QRectF
    anchor: QPointF
    end: QPointF | None


class Room:
    """What the cells cost, and the words that stand there."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.shape = math.ceil(height / CELL) + 1, math.ceil(width / CELL) + 1  # rows, columns
        self._costs = np.zeros(self.shape)
        self._has_word = np.zeros(self.shape, bool)
        self._words: list[tuple[float, float, float, float]] = []

    def copied(self) -> Room:
        """With the same costs, to be taken further."""
        other = Room(self.width, self.height)
        other._costs = self._costs.copy()
        return other

    def take(self, box: QRectF, cost: float = BLOCKED) -> None:
        part = self._part(box.left(), box.top(), box.right(), box.bottom())
        self._costs[part] = np.maximum(self._costs[part], cost)

    def take_points(self, points: np.ndarray, cost: float = BLOCKED) -> None:
        """The cells of points (n, 2) in pixels, those outside left out."""
        self.take_cells(cells_of(points, self.shape), cost)

    def take_cells(self, cells: np.ndarray, cost: float) -> None:
        flat = self._costs.reshape(-1)
        flat[cells] = np.maximum(flat[cells], cost)

    def put_word(self, box: np.ndarray) -> None:
        """A word stands in a box (4,): left, top, right, bottom."""
        left, top, right, bottom = box.tolist()
        self._has_word[self._part(left, top, right, bottom)] = True
        self._words.append((left, top, right, bottom))

    def _part(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
        """The cells that a box touches."""
        rows = slice(max(0, int(top // CELL)), max(0, math.ceil(bottom / CELL)))
        return rows, slice(max(0, int(left // CELL)), max(0, math.ceil(right / CELL)))

    def cells_under(self, boxes: np.ndarray) -> np.ndarray:
        """(n, 4): the first column and row of cells that each box touches, and those after the
        last.
        """
        rows, columns = self.shape
        found = np.concatenate((np.floor(boxes[:, :2] / CELL), np.ceil(boxes[:, 2:] / CELL)), 1)
        return np.minimum(np.maximum(found, 0), (columns, rows, columns, rows)).astype(int)

    def costs(self, cells: np.ndarray) -> np.ndarray:
        """(n,): of all that lies under boxes, words left out."""
        sums = np.zeros((self.shape[0] + 1, self.shape[1] + 1))
        np.cumsum(np.cumsum(self._costs, axis=0), axis=1, out=sums[1:, 1:])
        left, top, right, bottom = cells.T
        return sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]

    def words_under(self, cells: np.ndarray) -> np.ndarray:
        """(n,): how many cells of each box have words."""
        if not self._words:
            return np.zeros(len(cells))
        words = self.cells_under(np.array(self._words))
        return shared(cells, words).sum(axis=1)

    def has_word(self, box: np.ndarray) -> bool:
        """Whether a word stands within a box (4,)."""
        left, top, right, bottom = box.tolist()
        return any(
            left < one[2] and one[0] < right and top < one[3] and one[1] < bottom
            for one in self._words
        )

    def words_along(self, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """(n,): whether a line from a place (n, 2) to a box (n, 2) crosses a word."""
        if not self._words:
            return np.zeros(len(begins), bool)
        points = begins[:, None] + ALONG[None, :, None] * (ends - begins)[:, None]
        cells = np.maximum(points / CELL, 0).astype(int)
        rows, columns = self.shape
        x, y = np.minimum(cells[..., 0], columns - 1), np.minimum(cells[..., 1], rows - 1)
        return self._has_word[y, x].any(axis=1)


def shared(places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The area that each place (P, 4) has in common with each box (B, 4): (P, B)."""
    return np.asarray(np.maximum(_common(places, boxes), 0).prod(axis=-1))


def touched(places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which places (P, 4) each box (B, 4), perhaps a mere line, runs through: (P, B)."""
    return np.asarray((_common(places, boxes) >= 0).all(axis=-1))


def _common(places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(P, B, 2): how wide and how high that is; below 0 where they are apart."""
    one, two = places[:, None], boxes[None]
    return np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])


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
        stands = [self._last[one.key] for one in wanted]
        places = np.array([stand.place for stand in stands], int)
        tried = _tried(wanted, np.arange(len(wanted)), places, width, height)
        return [
            None if stand.left_out else tried.placed(one.key, row)
            for row, (one, stand) in enumerate(zip(wanted, stands, strict=True))
        ]

    def place(
        self, room: Room, wanted: Sequence[Wanted], moving: bool = False
    ) -> list[Placed | None]:
        """One after the other; each is in the way of those after it."""
        counts = [len(one.distances) * DIRECTIONS for one in wanted]
        owners = np.repeat(np.arange(len(wanted)), counts)
        places = np.concatenate([np.arange(count) for count in counts] or [np.empty(0, int)])
        tried = _tried(wanted, owners, places, room.width, room.height)
        cells = room.cells_under(tried.boxes)
        costs = room.costs(cells) + AWAY * tried.away
        placed, begin = [], 0
        for one, count in zip(wanted, counts, strict=True):
            rows = slice(begin, begin + count)
            in_words = room.words_under(cells[rows]).astype(float)
            leads = np.flatnonzero(tried.far[rows] > LEAD)
            crossed = room.words_along(tried.anchors[rows][leads], tried.ends[rows][leads])
            in_words[leads] += crossed
            chosen = self._choose(room, one, costs[rows] + BLOCKED * in_words, tried, begin, moving)
            placed.append(None if chosen is None else tried.placed(one.key, chosen))
            if chosen is not None:
                room.put_word(tried.boxes[chosen])
            begin += count
        keys = {one.key for one in wanted}
        self._last = {key: stand for key, stand in self._last.items() if key in keys}
        return placed

    def _choose(
        self, room: Room, one: Wanted, costs: np.ndarray, tried: _Tried, begin: int, moving: bool
    ) -> int | None:
        """The row of the place that a word takes: it stays where it is nearly as good."""
        best = int(np.argmin(costs))
        stand = self._last.setdefault(one.key, _Stand(best))
        happy = costs[stand.place] <= costs[best] + STAY
        stand.unhappy = 0 if happy else stand.unhappy + 1
        if stand.unhappy > (PATIENCE if moving else 0):
            stand.place, stand.unhappy = best, 0
        stand.left_out = not one.must and room.has_word(tried.boxes[begin + best])
        return None if stand.left_out else begin + stand.place


@dataclass(frozen=True, eq=False)
class _Tried:
    """Places for words, a row for each.

    boxes    (n, 4): left, top, right, bottom
    away     (n,): how much each is liked less, in pixels
    anchors  (n, 2): of all that the word names, what is nearest to the box
    ends     (n, 2): the point of the box that is nearest to that
    far      (n,): how far that is
    """

    boxes: np.ndarray
    away: np.ndarray
    anchors: np.ndarray
    ends: np.ndarray
    far: np.ndarray

    def placed(self, key: Hashable, row: int) -> Placed:
        left, top, right, bottom = self.boxes[row].tolist()
        end = QPointF(*self.ends[row].tolist()) if self.far[row] > LEAD else None
        box = QRectF(left, top, right - left, bottom - top)
        return Placed(key, box, QPointF(*self.anchors[row].tolist()), end)


def _tried(
    wanted: Sequence[Wanted], owners: np.ndarray, places: np.ndarray, width: float, height: float
) -> _Tried:
    """For each row a word (its number) and a place: 0 is nearest and to the right, or where the
    word is wanted; then come the other directions, then all of them further away.
    """
    sizes = np.array([(one.wide, one.high) for one in wanted]).reshape(-1, 2)
    most = max((len(one.anchors) for one in wanted), default=1)
    spots = np.empty((len(wanted), most, 2))
    far_off = np.zeros((len(wanted), max((len(one.distances) for one in wanted), default=1)))
    for number, one in enumerate(wanted):
        spots[number] = one.anchors[0]
        spots[number, : len(one.anchors)] = one.anchors
        far_off[number, : len(one.distances)] = one.distances
    turns = np.array([one.toward or 0.0 for one in wanted])
    dislike = np.array([3.0 if one.toward is None else 8.0 for one in wanted])
    low, high = spots.min(axis=1), spots.max(axis=1)

    which, distances = places % DIRECTIONS, far_off[owners, places // DIRECTIONS]
    angles = turns[owners] + EACH_TURN * which
    units = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    # the box stands beside its place, not over it
    reach = ((high - low + sizes) / 2)[owners]
    sides = np.minimum(np.maximum(1.5 * units, -1), 1) * reach + distances[:, None] * units
    middles = ((low + high) / 2)[owners] + sides
    half = (sizes / 2)[owners]
    inside = _inside(middles, half, width, height)
    boxes = np.concatenate((inside - half, inside + half), axis=1)
    anchors, ends, far = _nearest(spots[owners], boxes)
    away = np.maximum(distances + dislike[owners] * TURNED[which], far)
    return _Tried(boxes, away + np.abs(inside - middles).sum(axis=1), anchors, ends, far)


def _inside(middles: np.ndarray, half: np.ndarray, width: float, height: float) -> np.ndarray:
    """A word that would stand beyond the edge stands at it."""
    most = np.maximum(half + 2, np.array([width, height]) - half - 2)
    return np.minimum(np.maximum(middles, half + 2), most)


def _nearest(anchors: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each box (n, 4) that of its places (n, k, 2) that is nearest, the nearest point of the
    box, how far.
    """
    points = np.minimum(np.maximum(anchors, boxes[:, None, :2]), boxes[:, None, 2:])
    away = points - anchors
    far = np.hypot(away[..., 0], away[..., 1])  # (n, k)
    rows, which = np.arange(len(boxes)), far.argmin(axis=1)
    return anchors[rows, which], points[rows, which], far[rows, which]
