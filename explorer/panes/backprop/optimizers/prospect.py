"""What is in sight of a surface before anybody races: is it level, has it a lowest place? No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from core.optimization.surfaces import Surface

GRID = 61  # points each way


@dataclass(frozen=True, eq=False)
class Prospect:
    """lowest  of the surface where it is worth drawing; nan where its lowest lies at the edge of
               that, or beside a pit without a height: it falls on from there
    level   it has one height, wherever one looks
    cliff   where it is lowest it ends: beside that it has no height
    nowhere it has no height at all
    heights (n,) on the grid, where there are any
    """

    lowest: float
    level: bool = False
    cliff: bool = False
    nowhere: bool = False
    heights: np.ndarray = field(default_factory=lambda: np.empty(0))

    def quantile(self, share: float, above: float) -> float:
        """The height that so large a share of the map lies under, of what lies above `above`; inf
        where nothing does.
        """
        heights = self.heights[self.heights > above]
        return float(np.quantile(heights, share)) if heights.size else math.inf


def prospect(surface: Surface) -> Prospect:
    """By what is known of the surface, and by looking at a grid."""
    _, _, heights = surface.grid(GRID, GRID)
    known = np.isfinite(heights)
    finite = heights[known]
    if surface.minima:
        lowest = min(float(surface.value(*place)) for place in surface.minima)
        return Prospect(lowest, heights=finite)
    if not finite.size:
        return Prospect(math.nan, nowhere=True)
    low, high = float(finite.min()), float(finite.max())
    at_lowest = known & (heights <= low)
    if (at_lowest & _all_around(known, outside=False)).any():
        level = bool(known.all()) and low == high
        return Prospect(low, level, heights=finite)
    cliff = not (at_lowest & _all_around(known, outside=True)).any()
    return Prospect(math.nan, cliff=cliff, heights=finite)


def _all_around(known: np.ndarray, outside: bool) -> np.ndarray:
    """Cells with a height, as have all eight around; beyond the edge is what `outside` says."""
    padded = np.pad(known, 1, constant_values=outside)
    rows, columns = known.shape
    shifts = [(down, over) for down in (0, 1, 2) for over in (0, 1, 2)]
    return np.logical_and.reduce([padded[d : d + rows, o : o + columns] for d, o in shifts])
