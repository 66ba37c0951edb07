"""The words of the map: racers' names, what arrows are, minima and saddles, each in a place of its
own. Racers that stand together have one block of names, beside the place and not over it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from core.optimization.optimizers import OPTIMIZERS
from explorer import theme
from explorer.panes.backprop.optimizers.draw_arrows import Stroke
from explorer.panes.backprop.optimizers.draw_trails import HEAD, Way
from explorer.panes.backprop.optimizers.looks import color_of
from explorer.widgets.base import LEFT, put_text
from explorer.widgets.word_places import (
    CELL,
    Placed,
    Placer,
    Room,
    Wanted,
)

TOGETHER = 13.0  # pixels between two heads that have one block of names
CLEAR = 26.0  # pixels around them that a block of many leaves free
EVERY = 4  # frames of those that move: in the others words go along
FAR = 6.0  # pixels that something has moved before words are placed again
MANY = 3  # names of a block in one column; of more there are several
BESIDE = (12.0, 19.0, 28.0, 40.0, 58.0, 80.0, 110.0)
APART = (26.0, 40.0, 58.0, 80.0, 110.0, 150.0, 200.0)
BELOW = (14.0, 20.0, 28.0, 40.0, 58.0, 80.0, 110.0)
AT_TIP = (4.0, 10.0, 18.0, 28.0, 42.0)
TRAIL, CLEARING, EDGE = 1.0, 1.5, 2.0  # what it costs to cover a cell of these
NUMBERS = 40.0, 24.0  # pixels at the left and below, where the axes' numbers are


@dataclass(frozen=True, eq=False)
class Word:
    """Names in columns as wide as `wides`, or one word; those of places are not `strong`. Lines to
    what is named leave its middle `clear`, in pixels. `racers` are those whose names it has.
    """

    wanted: Wanted
    texts: tuple[tuple[str, QColor], ...]
    wides: tuple[float, ...]
    strong: bool = True
    clear: float = HEAD + 3
    racers: tuple[str, ...] = ()

    def places(self, box: QRectF) -> list[QRectF]:
        """Where in its box each text stands."""
        rows = -(-len(self.texts) // len(self.wides))
        high = box.height() / rows
        found = []
        for number in range(len(self.texts)):
            column, row = divmod(number, rows)
            left = box.left() + sum(self.wides[:column])
            found.append(QRectF(left, box.top() + row * high, self.wides[column], high))
        return found


@dataclass(frozen=True, eq=False)
class Group:
    """Racers that stand together, and where in pixels (n, 2) they are seen."""

    ways: tuple[Way, ...]
    heads: np.ndarray


@dataclass(frozen=True, eq=False)
class Still:
    """What stays while the race is played and words have to leave free, in pixels.

    trails  whole ways, each (n, 2): all of them, so that words need not give way later
    marks   words for places (n of (word, (2,)))
    glyphs  (n, 2): stars, diamonds, and the start
    fixed   where other things stand
    levels  where heights of level lines are written
    """

    frame: QRectF
    trails: Sequence[np.ndarray]
    marks: Sequence[tuple[str, np.ndarray]]
    glyphs: np.ndarray
    fixed: Sequence[QRectF]
    levels: Sequence[QRectF]


class Naming:
    """`set_still(key, make)`, then `place(ways, strokes)` for each frame."""

    def __init__(self) -> None:
        self._placer = Placer()
        self._key: Hashable = None
        self._frame = QRectF()
        self._marks: list[Word] = []
        self._room = Room(1, 1)
        self._frames = 0  # since things move
        self._spots: np.ndarray = np.empty((0, 2))  # where things were when words were placed

    def set_still(self, key: Hashable, make: Callable[[], Still]) -> None:
        """Asked for where `key`, all that it depends on, is another."""
        if key == self._key:
            return
        self._key, still = key, make()
        self._frame, self._marks = still.frame, _marks(still.marks)
        self._room = _room_of(still)
        self._spots = np.empty((0, 2))

    def place(
        self, ways: Sequence[Way], strokes: Sequence[Stroke], moving: bool = False
    ) -> list[tuple[Word, Placed]]:
        """`moving`: the next frame comes soon, and words should not jump from one to the other."""
        frame = self._frame
        groups = grouped(ways, frame)
        words = [*_letters(strokes), *self._marks, *names_of(groups)]
        wanted = [word.wanted for word in words]
        spots = np.array([one.anchors[0] for one in wanted]).reshape(-1, 2)
        self._frames = self._frames + 1 if moving else 0
        if self._may_keep(wanted, spots):
            placed = self._placer.keep(wanted, frame.width(), frame.height())
        else:
            placed = self._placer.place(self._taken(groups, strokes), wanted, moving)
            self._spots = spots
        both = zip(words, placed, strict=True)
        return [(word, place) for word, place in both if place is not None]

    def _may_keep(self, wanted: Sequence[Wanted], spots: np.ndarray) -> bool:
        """Whether words just go along with what they name: in most frames of those that move, and
        where hardly anything has moved since they were placed.
        """
        if not self._frames or not self._placer.knows(wanted) or len(spots) != len(self._spots):
            return False
        far = np.abs(spots - self._spots).max(initial=0.0)
        return bool(self._frames % EVERY) or far < theme.current().px(FAR)

    def _taken(self, groups: Sequence[Group], strokes: Sequence[Stroke]) -> Room:
        """The room without heads and arrows."""
        now, room = theme.current(), self._room.copied()
        for group in groups:
            if len(group.ways) > MANY:
                for head in group.heads:
                    room.take(_around(head, now.px(CLEAR)), CLEARING)
        for group in groups:
            for head in group.heads:
                room.take(_around(head, now.px(HEAD + 1)))
        for stroke in strokes:
            room.take_points(filled(np.stack((stroke.begin, stroke.end))))
        return room


def _room_of(still: Still) -> Room:
    """What it costs to cover the ground."""
    now, frame = theme.current(), still.frame
    room = Room(frame.width(), frame.height())
    for way in still.trails:
        room.take_points(filled(way), TRAIL)
    left, below = now.px(NUMBERS[0]), now.px(NUMBERS[1])
    room.take(QRectF(0, 0, left, frame.height()), EDGE)
    room.take(QRectF(0, frame.height() - below, frame.width(), below), EDGE)
    for box in still.levels:
        room.take(box, EDGE)
    for box in still.fixed:
        room.take(box)
    for glyph in still.glyphs:
        room.take(_around(glyph, now.px(8)))
    return room


def draw_words(painter: QPainter, placed: Sequence[tuple[Word, Placed]]) -> None:
    """Lines to what is named, and the words over them."""
    now = theme.current()
    for word, place in placed:
        if place.end is not None:
            color = word.texts[0][1] if len(word.texts) == 1 else now.color("muted")
            line = QLineF(place.anchor, place.end)
            line.setP1(line.pointAt(min(1.0, now.px(word.clear) / max(1.0, line.length()))))
            for ink, width in ((now.color("surface", 0.7), 3.0), (color, 1.0)):
                painter.setPen(now.pen(ink, width))
                painter.drawLine(line)
    for word, place in placed:
        _draw_word(painter, word, place.box)


def name_at(placed: Sequence[tuple[Word, Placed]], point: QPointF) -> str:
    """The racer whose name is written there; "" where there is none."""
    for word, place in placed:
        if word.racers and place.box.contains(point):
            for name, box in zip(word.racers, word.places(place.box), strict=True):
                if box.contains(point):
                    return name
    return ""


def _draw_word(painter: QPainter, word: Word, box: QRectF) -> None:
    now = theme.current()
    font = now.font("label", 600 if word.strong else 400)
    painter.setBrush(now.color("surface", 0.85))
    painter.setPen(now.pen("divider" if len(word.texts) > 1 else now.color("surface", 0.0)))
    painter.drawRoundedRect(box, 3, 3)
    pad = now.px(4)
    for (text, color), place in zip(word.texts, word.places(box), strict=True):
        put_text(painter, place.translated(pad, 0), text, font, color, LEFT)


@lru_cache(maxsize=256)
def _measured(
    texts: tuple[str, ...], columns: int, strong: bool, zoom: float
) -> tuple[tuple[float, ...], float]:
    """How wide each column is, with the gap after it, and how high a row."""
    now = theme.current()
    metrics = now.metrics("label", 600 if strong else 400)
    rows = -(-len(texts) // columns)
    wides = [metrics.horizontalAdvance(text) for text in texts]
    starts = range(0, len(wides), rows)
    return tuple(max(wides[at : at + rows]) + now.px(8) for at in starts), metrics.height() + 1


def _word(
    key: Hashable,
    texts: Sequence[tuple[str, QColor]],
    anchors: np.ndarray,
    distances: Sequence[float],
    columns: int = 1,
    strong: bool = True,
    toward: float | None = None,
    clear: float = HEAD + 3,
    must: bool = False,
    racers: tuple[str, ...] = (),
) -> Word:
    now = theme.current()
    rows = -(-len(texts) // columns)
    wides, line = _measured(tuple(text for text, _ in texts), columns, strong, now.zoom)
    wide, high = sum(wides) + now.px(2), rows * line
    near = [distance * now.zoom for distance in distances]
    wanted = Wanted(key, anchors, wide, high, near, toward, must)
    return Word(wanted, tuple(texts), wides, strong, clear, racers)


def _letters(strokes: Sequence[Stroke]) -> list[Word]:
    return [
        _word(
            ("stroke", stroke.letter), [(stroke.letter, stroke.color)], stroke.end[None], AT_TIP,
            toward=stroke.angle, clear=2,
        )
        for stroke in strokes
        if stroke.letter
    ]  # fmt: skip


def _marks(marks: Sequence[tuple[str, np.ndarray]]) -> list[Word]:
    muted = theme.current().color("muted")
    return [
        _word(("mark", number), [(text, muted)], at[None], BELOW, strong=False, toward=np.pi / 2)
        for number, (text, at) in enumerate(marks)
    ]


def names_of(groups: Sequence[Group]) -> list[Word]:
    """One alone has its name beside it; those together a block of names, the smallest first."""
    words = []
    for group in sorted(groups, key=lambda one: len(one.ways)):
        texts = [(way.title, ink(way.name)) for way in group.ways]
        many = len(texts) > MANY
        columns = 1 if not many else 2 if len(texts) <= 6 else 3
        racers = tuple(way.name for way in group.ways)
        must = any(way.chosen for way in group.ways)
        distances = APART if many else BESIDE
        words.append(
            _word(racers, texts, group.heads, distances, columns, must=must, racers=racers)
        )
    return words


def grouped(ways: Sequence[Way], frame: QRectF) -> list[Group]:
    """Racers whose heads stand together, in the optimizers' order."""
    if not ways:
        return []
    order = list(OPTIMIZERS)
    ways = sorted(ways, key=lambda one: order.index(one.name))
    heads = np.stack([at_edge(way, frame) for way in ways])
    apart = heads[:, None] - heads[None]
    near = np.hypot(apart[..., 0], apart[..., 1]) <= theme.current().px(TOGETHER)
    groups = list(range(len(ways)))  # of each the number of the first in its group
    for one, other in np.argwhere(np.triu(near, 1)).tolist():
        first, then = sorted((groups[one], groups[other]))
        groups = [first if group == then else group for group in groups]
    members = [[k for k, one in enumerate(groups) if one == first] for first in sorted(set(groups))]
    return [Group(tuple(ways[k] for k in those), heads[those]) for those in members]


def at_edge(way: Way, frame: QRectF) -> np.ndarray:
    """Where its head is seen; one out of sight, where the line from the middle to it leaves."""
    head = way.points[-1]
    if frame.contains(QPointF(*head)):
        return head
    inner = frame.adjusted(8, 8, -8, -8)
    middle = np.array([inner.center().x(), inner.center().y()])
    away = head - middle
    half = np.maximum(1.0, np.array([inner.width(), inner.height()]) / 2)
    return middle + away / max(float(np.max(np.abs(away) / half)), 1e-9)


def ink(name: str) -> QColor:
    """A series' color for text: it reads at 4.5 : 1 on the map too."""
    return _inked(name, theme.current().name)


@lru_cache(maxsize=64)
def _inked(name: str, in_theme: str) -> QColor:
    return theme.mix(color_of(name), theme.current().color("text"), 0.25)


def filled(points: np.ndarray) -> np.ndarray:
    """A way (n, 2) with points between, so that it leaves no cell out."""
    if len(points) < 2:
        return points
    steps = np.diff(points, axis=0)
    counts = np.clip(np.ceil(np.linalg.norm(steps, axis=1) / CELL), 1, 400).astype(int)
    which = np.repeat(np.arange(len(steps)), counts)
    share = (np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[
        which
    ]
    return np.vstack((points[which] + steps[which] * share[:, None], points[-1:]))


def _around(point: np.ndarray, reach: float) -> QRectF:
    return QRectF(point[0] - reach, point[1] - reach, 2 * reach, 2 * reach)
