"""The stationary points of a surface: its minima, saddles and maxima.

Candidates are grid points with a smaller slope than all their neighbors. Newton's method starts
from each (near a stationary point the slope is linear, and the Hessian predicts where it is 0).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from core.jobs import Pace, to_the_end
from core.optimization.surfaces import Span, Surface

GRID = 97  # points along each axis
MOST = 40  # candidates from which Newton's method starts
ITERATIONS = 20
NUDGE = 1e-4  # share of the span: distance from the point to the slopes that give a Hessian
FLAT = 1e-6  # a curvature below this share of the other counts as 0: a valley's floor

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Stationary:
    """The stationary points found within a span, the lowest first."""

    minima: tuple[Point, ...] = ()
    saddles: tuple[Point, ...] = ()
    maxima: tuple[Point, ...] = ()


def stationary_points(
    surface: Surface, span: Span | None = None, near: Point | None = None
) -> Stationary:
    """Returns the stationary points: runs `stationary_points_steps` to its end."""
    return to_the_end(stationary_points_steps(surface, span, near))


def stationary_points_steps(
    surface: Surface, span: Span | None = None, near: Point | None = None
) -> Generator[float, None, Stationary]:
    """Searches `span` (None: the surface's own); yields the share done, returns what it found.

    If there are more than MOST candidates, uses those nearest to `near` (None: the middle). Points
    of a line along which the surface is flat are not found.
    """
    pace = Pace()
    left, right, bottom, top = span or surface.span
    reach = np.array([right - left, top - bottom])
    places: dict[str, list[np.ndarray]] = {"minima": [], "saddles": [], "maxima": []}
    middle = ((left + right) / 2, (bottom + top) / 2) if near is None else near
    candidates = _candidates(surface, (left, right, bottom, top), np.array(middle, float))
    for number, candidate in enumerate(candidates):
        followed = _newton(surface, candidate, reach)
        if followed is not None:
            point, kind = followed
            inside = left <= point[0] <= right and bottom <= point[1] <= top
            known = [other for found in places.values() for other in found]
            fresh = all(np.abs((point - other) / reach).max() > 1e-4 for other in known)
            if inside and fresh:
                places[kind].append(point)
        if pace.is_due():
            yield (number + 1) / len(candidates)
            pace.go_on()
    return Stationary(**{kind: _sorted(surface, found) for kind, found in places.items()})


def _candidates(surface: Surface, span: Span, near: np.ndarray) -> list[np.ndarray]:
    """Returns grid points with the smallest slope of their 3 x 3 neighborhood, nearest first."""
    x, y, heights = surface.grid(GRID, GRID, span)
    with np.errstate(all="ignore"):
        up, across = np.gradient(heights, y, x)
        steep = np.hypot(up, across)
    steep[~np.isfinite(steep)] = np.inf
    inner = steep[1:-1, 1:-1]
    around = [
        steep[1 + down : GRID - 1 + down, 1 + over : GRID - 1 + over]
        for down in (-1, 0, 1)
        for over in (-1, 0, 1)
        if down or over
    ]
    lowest = np.isfinite(inner) & np.logical_and.reduce([inner <= other for other in around])
    rows, columns = np.nonzero(lowest)
    points = np.stack((x[columns + 1], y[rows + 1]), axis=1)
    far = np.hypot(*(points - near).T)
    return list(points[np.argsort(far, kind="stable")[:MOST]])


def _newton(
    surface: Surface, start: np.ndarray, reach: np.ndarray
) -> tuple[np.ndarray, str] | None:
    """Returns the stationary point near `start` with its kind, or None if there is none."""
    point, cell = start, reach / GRID
    for _ in range(ITERATIONS):
        _, slope = surface.gradient(point)
        hessian = _hessian(surface, point, reach)
        if not (np.isfinite(slope).all() and np.isfinite(hessian).all()):
            return None
        curvatures = np.linalg.eigvalsh(hessian)
        if np.abs(curvatures).min() <= FLAT * np.abs(curvatures).max():
            return None
        step = -np.linalg.solve(hessian, slope)
        if np.abs((point + step - start) / cell).max() > 3:
            return None  # it leaves the neighborhood: that point belongs to another candidate
        point = point + step
        if np.abs(step / reach).max() < 1e-10:
            kind = "minima" if curvatures[0] > 0 else "maxima" if curvatures[1] < 0 else "saddles"
            return point, kind
    return None


def _hessian(surface: Surface, point: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Returns the Hessian (2, 2) by central differences of slopes, made symmetric."""
    rows = []
    for axis in (0, 1):
        nudge = np.zeros(2)
        nudge[axis] = NUDGE * reach[axis]
        _, ahead = surface.gradient(point + nudge)
        _, behind = surface.gradient(point - nudge)
        rows.append((ahead - behind) / (2 * nudge[axis]))
    hessian = np.array(rows)
    return (hessian + hessian.T) / 2


def _sorted(surface: Surface, points: list[np.ndarray]) -> tuple[Point, ...]:
    points = sorted(points, key=lambda point: float(surface.value(*point)))
    return tuple((float(x), float(y)) for x, y in points)
