"""What is in sight of a surface before anybody races: is it level, has it a lowest place? No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.optimization.surfaces import Surface

GRID = 61  # points each way


@dataclass(frozen=True)
class Prospect:
    """lowest  of the surface where it is worth drawing; nan where its lowest lies at the edge of
               that, or beside a pit without a height: it falls on from there
    level   it has one height, wherever one looks
    cliff   where it is lowest it ends: beside that it has no height
    nowhere it has no height at all
    """

    lowest: float
    level: bool = False
    cliff: bool = False
    nowhere: bool = False


def prospect(surface: Surface) -> Prospect:
    """By what is known of the surface, else by looking at a grid."""
    if surface.minima:
        return Prospect(min(float(surface.value(*place)) for place in surface.minima))
    _, _, heights = surface.grid(GRID, GRID)
    known = np.isfinite(heights)
    if not known.any():
        return Prospect(math.nan, nowhere=True)
    low, high = float(heights[known].min()), float(heights[known].max())
    lowest = known & (heights <= low)
    if (lowest & _all_around(known, outside=False)).any():
        return Prospect(low, bool(known.all()) and low == high)
    return Prospect(math.nan, cliff=not (lowest & _all_around(known, outside=True)).any())


def _all_around(known: np.ndarray, outside: bool) -> np.ndarray:
    """Cells with a height, as have all eight around; beyond the edge is what `outside` says."""
    padded = np.pad(known, 1, constant_values=outside)
    rows, columns = known.shape
    shifts = [(down, over) for down in (0, 1, 2) for over in (0, 1, 2)]
    return np.logical_and.reduce([padded[d : d + rows, o : o + columns] for d, o in shifts])
