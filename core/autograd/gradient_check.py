"""Checks a gradient by central differences: nudge each number both ways, see the output change.

The slope over a nudge has two errors: truncation, since the output is curved within the nudge, and
rounding, since the nudge changes the output only a little. A smaller nudge reduces the first and
increases the second (Press et al. 2007, "Numerical Recipes", section 5.7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.autograd.operation import Array
from core.autograd.tensor import Tensor, zero_grad

NUDGE = 1e-5  # near the cube root of float64's precision, where rounding and curvature balance
SMALLER = 8  # factor by which each further nudge is smaller
LEFT = 1 / SMALLER**2  # share of truncation error left: it shrinks with the square of the nudge
MOST_NUDGES = 8
MOST_RUNS = 2 * MOST_NUDGES  # evaluations of the output for each number: both ways
SETTLED = 1e-7  # accepted error of a slope, relative to it (absolute below 1)
ROUNDING = 16 * 2.0**-52  # relative rounding error of an output after some operations


@dataclass(frozen=True, slots=True, eq=False)
class NumericGradient:
    """A gradient by central differences with error bounds, both of the data's shape, in float64.

    slopes  the gradient
    errors  estimated error of each slope, by truncation and rounding; inf if it is unknown
    """

    slopes: Array
    errors: Array


@dataclass(frozen=True, slots=True)
class Checked:
    """The gradient of one leaf by the chain rule and by central differences, and their difference.

    error  largest difference, relative to the largest number of both gradients (absolute below 1)
    """

    name: str
    analytic: Array
    numeric: Array
    error: float


def gradient_check(
    compute: Callable[[], Tensor], leaves: Sequence[Tensor], nudge: float = NUDGE
) -> list[Checked]:
    """Compares `backward` with central differences, leaf by leaf.

    `compute` builds a new graph from the leaves' current data and returns one number. Afterwards
    the leaves have their original data and the gradients of one backward pass. `compute` runs four
    to sixteen times for each number, so use it on small graphs. Raises ValueError if `compute`
    returns more than one number.
    """
    zero_grad(leaves)
    compute().backward()
    checked = []
    for leaf in leaves:
        analytic = np.zeros_like(leaf.data) if leaf.grad is None else leaf.grad
        numeric = numeric_gradient(compute, leaf, nudge).slopes
        size = max(
            1.0, float(np.abs(analytic).max(initial=0)), float(np.abs(numeric).max(initial=0))
        )
        error = float(np.abs(analytic - numeric).max(initial=0)) / size
        checked.append(Checked(leaf.name, analytic, numeric, error))
    return checked


def numeric_gradient(
    compute: Callable[[], Tensor], leaf: Tensor, nudge: float = NUDGE
) -> NumericGradient:
    """Returns the derivative of the number that `compute` returns by each number of the leaf."""
    data = leaf.data

    def output(moved: Array) -> float:
        leaf.data = moved
        return compute().item()

    try:
        return central_differences(output, data, nudge)
    finally:
        leaf.data = data


def central_differences(
    output: Callable[[Array], float], data: Array, nudge: float = NUDGE
) -> NumericGradient:
    """Returns (f(x + h) - f(x - h)) / (2 h) for each number x of `data`.

    h is `nudge`, times |x| if that is above 1. If the slope over a smaller nudge differs by more
    than SETTLED, ever smaller ones are tried, and the slope with the smallest error is returned.
    `output` usually runs four times for a number, at most MOST_RUNS (16) times.
    """
    data = np.asarray(data, np.float64)
    slopes, errors = np.zeros_like(data), np.zeros_like(data)
    with np.errstate(all="ignore"):  # if the output is infinite on both sides, the slope is nan
        for place in np.ndindex(data.shape):
            slopes[place], errors[place] = _slope_at(output, data, place, nudge)
    return NumericGradient(slopes, errors)


def _slope_at(
    output: Callable[[Array], float], data: Array, place: tuple[int, ...], nudge: float
) -> tuple[float, float]:
    """Returns the slope with the smallest estimated error, and that error."""
    nudge *= max(1.0, abs(data[place]))
    slope, rounding = _slope_over(output, data, place, nudge)
    best, least = slope, np.inf
    for _ in range(1, MOST_NUDGES):
        nudge /= SMALLER
        finer, its_rounding = _slope_over(output, data, place, nudge)
        truncation = abs(finer - slope) / (1 - LEFT)  # of the coarser slope; the finer has less
        for found, error in ((slope, truncation + rounding), (finer, truncation + its_rounding)):
            if error < least:
                best, least = found, error
        if least <= SETTLED * max(1.0, abs(best)) or SMALLER * its_rounding >= least:
            break  # the error is small enough, or rounding makes every smaller nudge worse
        slope, rounding = finer, its_rounding
    return best, least


def _slope_over(
    output: Callable[[Array], float], data: Array, place: tuple[int, ...], nudge: float
) -> tuple[float, float]:
    """Returns the slope over one nudge, and its estimated rounding error."""
    ends = []
    for way in (nudge, -nudge):
        moved = data.copy()
        moved[place] += way
        ends.append(output(moved))
    slope = np.subtract(ends[0], ends[1]) / (2 * nudge)
    return float(slope), ROUNDING * max(map(abs, ends)) / nudge


def disagreement(ours: Mapping[str, Array | None], theirs: Mapping[str, Array | None]) -> float:
    """Returns the largest difference between gradients of two engines, by name.

    Each is relative to the largest number of that gradient in `theirs`. The result is nan if any
    number is nan, and inf if a gradient is missing on one side or differs in shape.
    """
    apart = [0.0]
    for name, wanted in theirs.items():
        found = ours.get(name)
        if found is None and wanted is None:
            continue
        if found is None or wanted is None or found.shape != wanted.shape:
            apart.append(float("inf"))
            continue
        size = float(np.abs(wanted).max(initial=0.0)) or 1.0
        with np.errstate(invalid="ignore"):
            apart.append(float(np.abs(found - wanted).max(initial=0.0)) / size)
    return float(np.max(apart))  # Python's max may lose nan
