"""Why SGD comes no faster: the steepest direction says how large its steps may be, and the flattest
how far they lead. No Qt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.optimization.surfaces import Surface

NUDGE = 1e-4  # from where it stands, to see how the slope changes
KINK = 0.02  # of the curvature: what a smaller nudge may find otherwise
NARROW = 50.0  # times steeper across than along: such a valley is one
NEAR = 0.4  # of the largest rate: from there on little would be won
PLACES = 12  # of its way, at which it is looked how steep it was


@dataclass(frozen=True)
class Curvature:
    """How the slope grows in the two directions in which it does so most and least, per step of 1:
    the second derivatives there. Below 0 it falls: the ground bends down.
    """

    steepest: float
    flattest: float

    @property
    def largest_rate(self) -> float:
        """At more than this each step of SGD leads further up the other wall than the one before:
        it multiplies the distance across by 1 - rate * steepest.
        """
        return 2 / self.steepest if self.steepest > 0 else math.inf


def curvature(surface: Surface, position: np.ndarray) -> Curvature:
    """By slopes a little beside; nan where there are none, and at a kink, which has none."""
    return _curvatures(surface, np.asarray(position, float)[None])[0]


def _curvatures(surface: Surface, positions: np.ndarray) -> list[Curvature]:
    """At all of (n, 2) at once: it takes as long as at one."""
    with np.errstate(all="ignore"):
        both = [_seconds(surface, positions, nudge) for nudge in (NUDGE, NUDGE / 10)]
    return [_curvature(near, nearer) for near, nearer in zip(*both, strict=True)]


def _curvature(near: np.ndarray, nearer: np.ndarray) -> Curvature:
    if not (np.isfinite(near).all() and np.isfinite(nearer).all()):
        return Curvature(math.nan, math.nan)
    if np.abs(near - nearer).max() > KINK * np.abs(near).max():
        return Curvature(math.nan, math.nan)
    flattest, steepest = np.linalg.eigvalsh((near + near.T) / 2)
    return Curvature(float(steepest), float(flattest))


def _seconds(surface: Surface, positions: np.ndarray, nudge: float) -> np.ndarray:
    """(n, 2, 2): how both slopes change with x, and with y."""
    far = nudge * np.maximum(1.0, np.abs(positions))
    asides = far[:, :, None] * np.eye(2)  # (n, 2, 2): along x, and along y
    places = positions[:, None] + np.stack([asides, -asides])
    ahead, behind = surface.slopes(places[..., 0], places[..., 1])
    return np.asarray((ahead - behind) / (2 * far[:, :, None]))


def is_held_back(surface: Surface, positions: np.ndarray, rate: float) -> bool:
    """Whether SGD ends, after its way (n, 2), in a narrow, flat valley, and could not have taken
    larger steps down its walls.
    """
    way = np.unique(np.linspace(0, len(positions) - 1, PLACES).astype(int))
    found = _curvatures(surface, positions[way])
    if not found[-1].steepest > NARROW * abs(found[-1].flattest):
        return False
    return rate >= NEAR * min(one.largest_rate for one in found)
