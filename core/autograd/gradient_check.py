"""Is a gradient right? Nudge each number a little both ways and see how the output moves.

A slope over a nudge is off in two ways: by truncation, where the output bends within the nudge, and
by rounding, where what the nudge changes is small beside the output. A smaller nudge lessens the
first and worsens the second (Press et al. 2007, "Numerical Recipes", section 5.7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.autograd.operation import Array
from core.autograd.tensor import Tensor, zero_grad

NUDGE = 1e-5  # near the cube root of float64's precision, where rounding and curvature balance
SMALLER = 8  # times, each further nudge that is tried
LEFT = 1 / SMALLER**2  # of truncation, in the slope over it: it shrinks with the nudge's square
MOST_NUDGES = 8
MOST_RUNS = 2 * MOST_NUDGES  # of the output, for each number: both ways
SETTLED = 1e-7  # what a slope may be off, relative to itself (absolute below 1)
ROUNDING = 16 * 2.0**-52  # of an output, relative to it, after some operations


@dataclass(frozen=True, slots=True, eq=False)
class NumericGradient:
    """A gradient by nudging, and how far it can be trusted; both of the data's shape, in float64.

    slopes  the gradient
    errors  by how much truncation and rounding may have changed each slope; inf where neither can
            be told
    """

    slopes: Array
    errors: Array


@dataclass(frozen=True, slots=True)
class Checked:
    """One leaf: its gradient by the chain rule and by nudging, and how far they are apart.

    error  largest difference, relative to the largest of both gradients (and absolute below 1)
    """

    name: str
    analytic: Array
    numeric: Array
    error: float


def gradient_check(
    compute: Callable[[], Tensor], leaves: Sequence[Tensor], nudge: float = NUDGE
) -> list[Checked]:
    """Compares `backward` with central differences, leaf by leaf.

    `compute` builds the graph anew from the leaves' present data and returns one number. The leaves
    have their data again afterwards, and the gradients of that one backward. Four to sixteen runs
    of `compute` for each number: for small graphs. Raises ValueError when `compute` gives more than
    one number.
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
    """How the one number that `compute` gives changes with each number of the leaf."""
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
    """(f(x + h) - f(x - h)) / (2 h) for each number x of `data`.

    h is `nudge`, of x where that is above 1. Where a smaller nudge has another slope, by more than
    SETTLED, ever smaller ones are tried, and the slope that is off least is taken. Four runs of
    `output` for a number are usual, MOST_RUNS (16) the most.
    """
    data = np.asarray(data, np.float64)
    slopes, errors = np.zeros_like(data), np.zeros_like(data)
    with np.errstate(all="ignore"):  # what is infinite on both sides has no slope: nan
        for place in np.ndindex(data.shape):
            slopes[place], errors[place] = _slope_at(output, data, place, nudge)
    return NumericGradient(slopes, errors)


def _slope_at(
    output: Callable[[Array], float], data: Array, place: tuple[int, ...], nudge: float
) -> tuple[float, float]:
    """The slope that is off least, and by how much it may be."""
    nudge *= max(1.0, abs(data[place]))
    slope, rounding = _slope_over(output, data, place, nudge)
    best, least = slope, np.inf
    for _ in range(1, MOST_NUDGES):
        nudge /= SMALLER
        finer, its_rounding = _slope_over(output, data, place, nudge)
        truncation = abs(finer - slope) / (1 - LEFT)  # of the coarser one; the finer one has less
        for found, error in ((slope, truncation + rounding), (finer, truncation + its_rounding)):
            if error < least:
                best, least = found, error
        if least <= SETTLED * max(1.0, abs(best)) or SMALLER * its_rounding >= least:
            break  # it is settled, or rounding makes every further one worse
        slope, rounding = finer, its_rounding
    return best, least


def _slope_over(
    output: Callable[[Array], float], data: Array, place: tuple[int, ...], nudge: float
) -> tuple[float, float]:
    """The slope over one nudge, and by how much rounding may change it."""
    ends = []
    for way in (nudge, -nudge):
        moved = data.copy()
        moved[place] += way
        ends.append(output(moved))
    slope = np.subtract(ends[0], ends[1]) / (2 * nudge)
    return float(slope), ROUNDING * max(map(abs, ends)) / nudge


def disagreement(ours: Mapping[str, Array | None], theirs: Mapping[str, Array | None]) -> float:
    """How far gradients by name are from those that another engine has: the largest difference,
    relative to the largest number of that gradient.

    nan where a number of either is none, and inf where only one of them has a gradient or another
    shape: what cannot be compared never agrees.
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
    return float(np.max(apart))  # Python's own max would forget nan
