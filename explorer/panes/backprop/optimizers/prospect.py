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
    level      it has one height, wherever one looks
    """

    lowest: float
    level: bool = False


def prospect(surface: Surface) -> Prospect:
    """By what is known of the surface, else by looking at a grid."""
    if surface.minima:
        return Prospect(min(float(surface.value(*place)) for place in surface.minima))
    _, _, heights = surface.grid(GRID, GRID)
    known = np.isfinite(heights)
    if not known.any():
        return Prospect(math.nan)
    low, high = float(heights[known].min()), float(heights[known].max())
    # A cell with a height all around it: not at the edge.
    inner = np.zeros(heights.shape, bool)
    inner[1:-1, 1:-1] = np.logical_and.reduce(
        [
            known[1 + down : GRID - 1 + down, 1 + over : GRID - 1 + over]
            for down in (-1, 0, 1)
            for over in (-1, 0, 1)
        ]
    )
    in_sight = bool((heights[inner] <= low).any())
    return Prospect(low if in_sight else math.nan, bool(known.all()) and low == high)
