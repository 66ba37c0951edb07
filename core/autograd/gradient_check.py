"""Is a gradient right? Nudge each number a little both ways and see how the output moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """(f(x + nudge) - f(x - nudge)) / (2 nudge) for each number x of the leaf, in its shape."""
    data = leaf.data
    gradient = np.zeros_like(data)
    try:
        for place in np.ndindex(data.shape):
            ends = []
            for way in (nudge, -nudge):
                leaf.data = data.copy()
                leaf.data[place] += way
                ends.append(compute().item())
            gradient[place] = (ends[0] - ends[1]) / (2 * nudge)  # step: central_difference
    finally:
        leaf.data = data
    return gradient


def _largest(array: Array) -> float:
    return float(np.abs(array).max(initial=0.0))
