"""The curve of a function: sampled evenly, and more densely where it bends. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

Array = np.ndarray
Function = Callable[[Array], Generator[None, None, Array]]  # a job: ys of xs

EVEN = 61  # samples that every curve has
MOSTLY = 0.5
HALVED = 4  # times a piece between two of them is halved: then it is about half a pixel wide
UNEVEN = 0.6  # of a piece, by which samples are out of step: what repeats itself must not hide
MIDDLE = 0.15  # of a piece, by which it is not halved in its middle, for the same reason
BENT = 1 / 250  # of the curve's height: what lies so far off a straight line is a bend
COARSER = 2.0  # times that: so far off, one is hardly seen
LEAP = 0.2  # of the height: a curve that goes so far within the narrowest piece may be broken there
MOST_LEAPS = 100
NEARER = 40  # halvings that tell a leap from a steep slope, ...
FARTHER = 1e3  # unless it has become so much higher before
SWING = 32  # of the narrowest pieces, in which is counted how often the curve turns round
WAVE = 12  # of these: a shorter wave is only a few pixels wide, ...
LONGER = 18  # and one that is not longer than this belongs to it, where it is beside it
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, eq=False)
class Curve:
    """xs, ys  ascending; ys is nan where the function has no value, and where the curve leaps
    even    which samples were taken evenly
    swings  between which samples, one after the other, it swings faster than can be drawn
    is_fine whether it was sampled more densely wherever it bends
    most    samples that it might have
    heights between which it was to be drawn
    """

    xs: Array
    ys: Array
    even: Array
    swings: Array
    is_fine: bool
    most: int
    heights: tuple[float, float]

    def is_fine_between(self, low: float, high: float) -> bool:
        """Whether one for these heights would look like it: bends that are no longer out of sight,
        or no longer small, it may lack.
        """
        seen = _View(*self.heights)
        return seen.least <= low and high <= seen.most and seen.height <= COARSER * (high - low)

    @property
    def swinging(self) -> float:
        """The share of its width in which it swings faster than can be drawn."""
        widths = np.diff(self.xs)
        return float(widths[self.swings].sum() / widths.sum())

    @cached_property
    def runs(self) -> list[tuple[int, int, bool]]:
        """The samples that hang together: the first and the last of each run, and whether it swings
        there faster than can be drawn. Then also holes are part of it.
        """
        there = np.isfinite(self.ys)
        found: list[tuple[int, int, bool]] = []
        for at in map(int, np.flatnonzero(there[:-1] & there[1:] | self.swings)):
            swings = bool(self.swings[at])
            if found and found[-1][1:] == (at, swings):
                found[-1] = (found[-1][0], at + 1, swings)
            else:
                found.append((at, at + 1, swings))
        return found

    def covered(self, first: int, last: int) -> tuple[Array, Array]:
        """Between which heights it swings around each sample of a run."""
        ys = self.ys[first : last + 1]
        there = np.isfinite(ys)
        bounds = []
        for most, end in ((np.inf, np.min), (-np.inf, np.max)):
            padded = np.pad(np.where(there, ys, most), WAVE // 2, constant_values=most)
            around = np.lib.stride_tricks.sliding_window_view(padded, 2 * (WAVE // 2) + 1)
            found = end(around, axis=1)
            wide = end(ys[there]) if there.any() else 0.0
            bounds.append(np.where(np.isfinite(found), found, wide))
        return bounds[0], bounds[1]


def sample_steps(
    function: Function,
    low: float,
    high: float,
    limits: Callable[[Array, Array], tuple[float, float]],
    most: int,
) -> Generator[None, None, Curve]:
    """`limits(xs, ys)` are the heights between which the curve is drawn. It has at most about
    `most` samples, and EVEN where it bends nowhere; of EVEN it is not told where it swings or
    breaks.
    """
    piece = (high - low) / (EVEN - 1)
    xs = np.linspace(low, high, EVEN)
    xs[1:-1] += UNEVEN * piece * (np.arange(1, EVEN - 1) * GOLDEN % 1 - 0.5)
    ys = yield from function(xs)
    even = np.ones(EVEN, bool)
    view = _View(*limits(xs, ys))
    bent, is_fine = view.bent_pieces(xs, ys), True
    if bent.mean() > MOSTLY:  # what is straight among them is so by chance
        bent[:] = True
    for turn in range(HALVED):
        at = np.flatnonzero(bent)
        if at.size == 0:
            break
        if xs.size + at.size > most:
            is_fine = False
            break
        share = 0.5 + MIDDLE * ((at + turn) * GOLDEN % 1 - 0.5)
        middle = xs[at] + share * (xs[at + 1] - xs[at])
        found = yield from function(middle)
        still = view.is_bent(xs[at], ys[at], middle, found, xs[at + 1], ys[at + 1])
        bent[at] = still
        xs, ys = np.insert(xs, at + 1, middle), np.insert(ys, at + 1, found)
        bent, even = np.insert(bent, at + 1, still), np.insert(even, at + 1, False)
        bent = _beside(bent)
    if most <= EVEN:
        none = np.zeros(xs.size - 1, bool)
        return Curve(xs, ys, even, none, is_fine, most, (view.bottom, view.top))
    swings = _swings(xs, ys, view)
    at, near = yield from _breaks(function, xs, ys, bent & ~swings, view)
    at = np.repeat(at + 1, 3)
    return Curve(
        np.insert(xs, at, near[0]),
        np.insert(ys, at, near[1]),
        np.insert(even, at, False),
        np.insert(swings, at, False),
        is_fine,
        most,
        (view.bottom, view.top),
    )


@dataclass(frozen=True)
class _View:
    """Between which heights a curve is seen; half a view above and below it may bend unseen."""

    bottom: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def least(self) -> float:
        return self.bottom - self.height / 2

    @property
    def most(self) -> float:
        return self.top + self.height / 2

    def seen(self, ys: Array) -> Array:
        """What is infinite is not there."""
        there = np.where(np.isfinite(ys), ys, np.nan)
        return np.clip(there, self.least, self.most)

    def is_bent(self, x0: Array, y0: Array, x: Array, y: Array, x1: Array, y1: Array) -> Array:
        """Whether (x, y) is off the straight line between the other two; also where only some of
        them are there.
        """
        y0, y, y1 = self.seen(y0), self.seen(y), self.seen(y1)
        off = abs(y0 + (x - x0) / (x1 - x0) * (y1 - y0) - y)
        there = np.isfinite(y0).astype(int) + np.isfinite(y) + np.isfinite(y1)
        return np.where(there == 3, off > BENT * self.height, there > 0)

    def bent_pieces(self, xs: Array, ys: Array) -> Array:
        """The pieces beside a sample that is off the line of its neighbors: there the curve is a
        quarter of that off the line; and those next to them.
        """
        seen = self.seen(ys)
        line = seen[:-2] + (xs[1:-1] - xs[:-2]) / (xs[2:] - xs[:-2]) * (seen[2:] - seen[:-2])
        off = abs(line - seen[1:-1]) > 2 * BENT * self.height
        there = np.isfinite(seen)
        bent = np.zeros(xs.size - 1, bool)
        bent[:-1] |= off
        bent[1:] |= off
        bent |= there[:-1] != there[1:]
        return _beside(bent) & (there[:-1] | there[1:])


def _beside(bent: Array) -> Array:
    """These pieces and those beside them, whose middle may lie on their line by chance."""
    found = bent.copy()
    found[1:] |= bent[:-1]
    found[:-1] |= bent[1:]
    return found


def _swings(xs: Array, ys: Array, view: _View) -> Array:
    """The pieces around which the curve turns round again and again."""
    seen = view.seen(ys)
    rises = np.diff(seen)
    hole = np.isnan(rises)
    ways = np.where(abs(rises) > BENT * view.height, np.sign(rises), 0.0)
    before = np.maximum.accumulate(np.where(ways, np.arange(ways.size), 0))
    ways = ways[before]  # what is flat goes on as it came: up, flat, up is no turn
    turned = np.where(hole[1:] | hole[:-1], 0.5, abs(np.diff(ways)) / 2)
    turned = np.where(hole[1:] & hole[:-1], np.isfinite(seen[1:-1]), turned)
    turns = np.cumsum([0.0, *turned])
    half = (xs[-1] - xs[0]) / (EVEN - 1) / 2**HALVED * SWING / 2
    around = np.clip(xs[1:] / 2 + xs[:-1] / 2, xs[0] + half, xs[-1] - half)
    ends = [np.searchsorted(xs[1:-1], around + way) for way in (-half, half)]
    count = turns[ends[1]] - turns[ends[0]]
    found = count > 2 * SWING / LONGER
    for run in _runs_of(found):
        found[run] &= count[run].max() > 2 * SWING / WAVE
    for run in _runs_of(found)[1:-1]:  # what is straight for so short a while is so by chance
        found[run] |= xs[run[-1] + 1] - xs[run[0]] < 2 * half
    return found


def _runs_of(marked: Array) -> list[Array]:
    """The numbers of those that are alike, one after the other."""
    return np.split(np.arange(marked.size), np.flatnonzero(np.diff(marked)) + 1)


def _breaks(
    function: Function, xs: Array, ys: Array, bent: Array, view: _View
) -> Generator[None, None, tuple[Array, tuple[Array, Array]]]:
    """The narrowest pieces in which the curve leaps, as at a pole: where a steep slope would get
    flatter the nearer it is looked at, a leap stays one. Then, for each, the samples on both sides
    of the leap and none in it: their xs and ys.
    """
    rises = np.abs(np.diff(view.seen(ys)))
    at = np.flatnonzero(bent & np.isfinite(rises) & (rises > LEAP * view.height))[:MOST_LEAPS]
    x0, x1, y0, y1 = xs[at], xs[at + 1], ys[at], ys[at + 1]
    first = _apart(y0, y1)
    leaps = np.zeros(at.size, bool)
    going = np.arange(at.size)
    for _ in range(NEARER):
        if going.size == 0:
            break
        x = x0[going] / 2 + x1[going] / 2
        y = yield from function(x)
        right = _apart(y, y1[going]) > _apart(y0[going], y)
        x0[going[right]], y0[going[right]] = x[right], y[right]
        x1[going[~right]], y1[going[~right]] = x[~right], y[~right]
        rise = _apart(y0[going], y1[going])
        leaps[going] = ~(rise < first[going] / 2)
        going = going[leaps[going] & (rise / FARTHER < first[going])]
    hole = np.full(leaps.sum(), np.nan)
    near = np.stack([x0, x0 / 2 + x1 / 2, x1])[:, leaps], np.stack([y0[leaps], hole, y1[leaps]])
    return at[leaps], (near[0].T.ravel(), near[1].T.ravel())


def _apart(y0: Array, y1: Array) -> Array:
    with np.errstate(all="ignore"):  # inf and nan are values here
        return np.asarray(abs(y1 - y0))
