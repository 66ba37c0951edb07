"""Is a gradient right? Nudge each number a little both ways and see how the output moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.autograd.operation import Array
from core.autograd.tensor import Tensor, zero_grad

NUDGE = 1e-5  # near the cube root of float64's precision, where rounding and curvature balance


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
    have their data again afterwards, and the gradients of that one backward. Two runs of `compute`
    for each number: for small graphs. Raises ValueError when `compute` gives more than one number.
    """
    zero_grad(leaves)
    compute().backward()
    checked = []
    for leaf in leaves:
        analytic = np.zeros_like(leaf.data) if leaf.grad is None else leaf.grad
        numeric = numeric_gradient(compute, leaf, nudge)
        size = max(
            1.0, float(np.abs(analytic).max(initial=0)), float(np.abs(numeric).max(initial=0))
        )
        error = float(np.abs(analytic - numeric).max(initial=0)) / size
        checked.append(Checked(leaf.name, analytic, numeric, error))
    return checked


def numeric_gradient(compute: Callable[[], Tensor], leaf: Tensor, nudge: float = NUDGE) -> Array:
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
) -> Array:
    """(f(x + nudge) - f(x - nudge)) / (2 nudge) for each number x of `data`, in its shape."""
    gradient = np.zeros_like(data)
    for place in np.ndindex(data.shape):
        ends = []
        for way in (nudge, -nudge):
            moved = data.copy()
            moved[place] += way
            ends.append(output(moved))
        # What is infinite on both sides has no slope: nan, and no warning.
        with np.errstate(all="ignore"):
            rise = np.subtract(ends[0], ends[1])
            gradient[place] = rise / (2 * nudge)
    return gradient


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
