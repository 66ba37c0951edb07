"""Initial weights: if they are too small, gradients vanish; if too large, every tanh saturates.

Letters: a layer has n inputs and m outputs; its weight matrix is (n, m). `gain` compensates for
the variance that an activation takes away.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from core.autograd.operation import Array

# How much larger weights must be so that an activation preserves the variance of its input:
# Delving Deep into Rectifiers (He et al. 2015), section 2.2, for relu; torch's value for tanh.
# torch has none for gelu, which passes on about as much variance as relu.
GAINS = {"linear": 1.0, "tanh": 5 / 3, "sigmoid": 1.0, "relu": math.sqrt(2), "gelu": math.sqrt(2)}


def zeros(n: int, m: int, gain: float, generator: np.random.Generator) -> Array:
    """Returns zeros (n, m): all neurons get equal gradients and stay equal. For demonstration."""
    return np.zeros((n, m))


def normal(n: int, m: int, gain: float, generator: np.random.Generator) -> Array:
    """Returns standard normal numbers (n, m) for any layer size: sums grow with sqrt(n)."""
    return generator.normal(size=(n, m))


def uniform(n: int, m: int, gain: float, generator: np.random.Generator) -> Array:
    """Returns numbers (n, m) drawn uniformly between -1 and 1, as in micrograd."""
    return generator.uniform(-1.0, 1.0, size=(n, m))


def xavier(n: int, m: int, gain: float, generator: np.random.Generator) -> Array:
    """Returns numbers of variance gain^2 * 2 / (n + m), a compromise of forward and backward.

    "Understanding the difficulty of training deep feedforward neural networks" (Glorot & Bengio
    2010), equation 12.
    """
    return generator.normal(size=(n, m)) * gain * math.sqrt(2 / (n + m))


def kaiming(n: int, m: int, gain: float, generator: np.random.Generator) -> Array:
    """Returns numbers of variance gain^2 / n, kept by the forward pass (He et al. 2015, eq. 10)."""
    return generator.normal(size=(n, m)) * gain / math.sqrt(n)


INITIALIZATIONS: dict[str, Callable[[int, int, float, np.random.Generator], Array]] = {
    "kaiming": kaiming,
    "xavier": xavier,
    "normal": normal,
    "uniform": uniform,
    "zeros": zeros,
}
