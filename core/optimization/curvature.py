"""Curvature: the steepest direction limits SGD's learning rate, the flattest needs a large one.

Along a direction of curvature c, one step of SGD at learning rate r multiplies the distance to the
valley's floor by 1 - r c. Above r = 2 / c that is below -1: each step leads further up the opposite
wall. So the largest curvature limits the rate, and along the smallest a step covers only the share
r c of the distance (Goodfellow, Bengio & Courville, Deep Learning, 2016, section 4.3.1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.optimization.surfaces import Surface

NUDGE = 1e-4  # distance to the slopes on both sides that give a second derivative
KINK = 0.02  # largest relative change by a smaller nudge; at a kink the change is larger
NARROW = 50.0  # a valley is narrow if it is so many times as curved across as along
CLOSE = 0.4  # share of the largest rate above which a rate can hardly be raised
SAMPLES = 12  # points of a path at which curvature is measured


@dataclass(frozen=True, slots=True)
class Curvature:
    """The largest and smallest second derivative over all directions; negative if the surface
    curves down. Both are nan if they do not exist.
    """

    steepest: float
    flattest: float

    @property
    def largest_rate(self) -> float:
        """The learning rate above which SGD diverges across the valley; inf without a limit."""
        return 2 / self.steepest if self.steepest > 0 else math.inf


def curvature(surface: Surface, position: np.ndarray) -> Curvature:
    """Returns the eigenvalues of the Hessian at a position (2,), from differences of slopes."""
    return _curvatures(surface, np.asarray(position, float)[None])[0]


def limits_rate(surface: Surface, path: np.ndarray, rate: float) -> bool:
    """Whether SGD's path (n, 2) ends in a narrow, flat valley and the walls along the path hardly
    allow a learning rate above `rate`.
    """
    samples = np.unique(np.linspace(0, len(path) - 1, SAMPLES).astype(int))
    found = _curvatures(surface, path[samples])
    if not found[-1].steepest > NARROW * abs(found[-1].flattest):
        return False
    return rate >= CLOSE * min(one.largest_rate for one in found)


def _curvatures(surface: Surface, positions: np.ndarray) -> list[Curvature]:
    """Returns the curvature at positions (n, 2), all at once, as fast as at one."""
    with np.errstate(all="ignore"):
        both = [_hessians(surface, positions, nudge) for nudge in (NUDGE, NUDGE / 10)]
    return [_curvature(coarse, fine) for coarse, fine in zip(*both, strict=True)]


def _curvature(coarse: np.ndarray, fine: np.ndarray) -> Curvature:
    """Returns the curvature from a Hessian (2, 2) that was measured with two nudges."""
    finite = np.isfinite(coarse).all() and np.isfinite(fine).all()
    if not finite or np.abs(coarse - fine).max() > KINK * np.abs(coarse).max():
        return Curvature(math.nan, math.nan)
    flattest, steepest = np.linalg.eigvalsh((coarse + coarse.T) / 2)
    return Curvature(float(steepest), float(flattest))


def _hessians(surface: Surface, positions: np.ndarray, nudge: float) -> np.ndarray:
    """Returns (n, 2, 2): the derivatives of both slopes by x and by y."""
    far = nudge * np.maximum(1.0, np.abs(positions))
    asides = far[:, :, None] * np.eye(2)  # (n, 2, 2): along x, and along y
    places = positions[:, None] + np.stack([asides, -asides])
    ahead, behind = surface.slopes(places[..., 0], places[..., 1])
    return np.asarray((ahead - behind) / (2 * far[:, :, None]))
