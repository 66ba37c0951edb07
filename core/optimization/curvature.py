"""Why SGD cannot go faster: the steepest direction limits its steps, the flattest needs them.

Along a direction of curvature c, one step of SGD at learning rate r multiplies the distance to the
valley's floor by 1 - r c. Above r = 2 / c that is below -1: each step leads further up the opposite
wall. So the largest curvature bounds the rate, and along the smallest one only the share r c of the
way is done per step (Goodfellow, Bengio & Courville, Deep Learning, 2016, section 4.3.1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.optimization.surfaces import Surface

NUDGE = 1e-4  # how far apart the slopes are that make a second derivative
KINK = 0.02  # by what share a smaller nudge may change it; at a kink it changes by more
NARROW = 50.0  # a valley is narrow if it is so many times as steep across as along
CLOSE = 0.4  # of the largest rate: a rate above that could hardly be raised
SAMPLES = 12  # points of a path whose curvature is measured


@dataclass(frozen=True, slots=True)
class Curvature:
    """The second derivatives in the steepest and the flattest direction; below 0 the ground bends
    down. Both are nan where there are none.
    """

    steepest: float
    flattest: float

    @property
    def largest_rate(self) -> float:
        """The learning rate above which SGD diverges across the valley; inf where none does."""
        return 2 / self.steepest if self.steepest > 0 else math.inf


def curvature(surface: Surface, position: np.ndarray) -> Curvature:
    """At a position (2,): the eigenvalues of the Hessian, from differences of slopes."""
    return _curvatures(surface, np.asarray(position, float)[None])[0]


def limits_rate(surface: Surface, path: np.ndarray, rate: float) -> bool:
    """Whether SGD ends its path (n, 2) in a narrow, flat valley, and could hardly have taken larger
    steps than at `rate`, because of the walls that it came down.
    """
    samples = np.unique(np.linspace(0, len(path) - 1, SAMPLES).astype(int))
    found = _curvatures(surface, path[samples])
    if not found[-1].steepest > NARROW * abs(found[-1].flattest):
        return False
    return rate >= CLOSE * min(one.largest_rate for one in found)


def _curvatures(surface: Surface, positions: np.ndarray) -> list[Curvature]:
    """At all of (n, 2) at once, which takes as long as at one."""
    with np.errstate(all="ignore"):
        both = [_hessians(surface, positions, nudge) for nudge in (NUDGE, NUDGE / 10)]
    return [_curvature(coarse, fine) for coarse, fine in zip(*both, strict=True)]


def _curvature(coarse: np.ndarray, fine: np.ndarray) -> Curvature:
    """Of a Hessian (2, 2) that was measured with two nudges."""
    finite = np.isfinite(coarse).all() and np.isfinite(fine).all()
    if not finite or np.abs(coarse - fine).max() > KINK * np.abs(coarse).max():
        return Curvature(math.nan, math.nan)
    flattest, steepest = np.linalg.eigvalsh((coarse + coarse.T) / 2)
    return Curvature(float(steepest), float(flattest))


def _hessians(surface: Surface, positions: np.ndarray, nudge: float) -> np.ndarray:
    """(n, 2, 2): how both slopes change with x, and with y."""
    far = nudge * np.maximum(1.0, np.abs(positions))
    asides = far[:, :, None] * np.eye(2)  # (n, 2, 2): along x, and along y
    places = positions[:, None] + np.stack([asides, -asides])
    ahead, behind = surface.slopes(places[..., 0], places[..., 1])
    return np.asarray((ahead - behind) / (2 * far[:, :, None]))
