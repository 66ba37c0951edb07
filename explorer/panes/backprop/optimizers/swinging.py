"""Does a surface swing faster than the pixels of its map can show? No Qt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.optimization.surfaces import Surface

APART = 8  # of so many pixels one is looked at ...
BETWEEN = 0.618  # ... and so far from it to the next the surface itself
OFF = 2.0  # levels from the line between both: what is seen there is chance
TOLD, MOSTLY = 0.02, 0.5  # shares of the map from which that is told, and told of all of it


def swinging(
    surface: Surface,
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    levelled: Callable[[np.ndarray], np.ndarray],
) -> float:
    """The share of the map, at x (columns,) and y (rows,) with heights z (rows, columns), in which
    the surface goes elsewhere between two pixels; `levelled` counts heights in levels.
    """
    level = levelled(z)
    across = levelled(surface.value(_between(x)[None, :], y[::APART, None]))
    down = levelled(surface.value(x[None, ::APART], _between(y)[:, None]))
    off = across - _between(level[::APART]), down - _between(level[:, ::APART].T).T
    return float(max((np.abs(one) > OFF).mean() for one in off))


def told(share: float) -> str:
    """In a sentence; "" where the map can be trusted."""
    where = "" if share > MOSTLY else ", in places"
    return f"The surface swings faster than can be drawn{where}." if share > TOLD else ""


def _between(values: np.ndarray) -> np.ndarray:
    """Along the last axis, on straight lines from some to the next."""
    first, then = values[..., :-1:APART], values[..., 1::APART]
    return first + BETWEEN * (then - first)
