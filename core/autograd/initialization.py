"""Where weights start: too small and nothing flows back, too large and every tanh is saturated.

Letters: n numbers come in, m go out; a weight matrix is (n, m). `gain` makes up for what an
activation shrinks.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from core.autograd.operation import Array

# How much larger weights must be so that an activation hands on the variance it was given:
# Delving Deep into Rectifiers (He et al. 2015), section 2.2, for relu; torch's value for tanh. For
# gelu torch has none; it lets through about as much as relu.
GAINS = {"linear": 1.0, "tanh": 5 / 3, "sigmoid": 1.0, "relu": math.sqrt(2), "gelu": math.sqrt(2)}


def zeros(n: int, m: int, gain: float, generator: np.random.Generator) -> Array:
    """(n, m), all neurons alike: they get equal gradients and stay so. A lesson, not a choice."""
    return np.zeros((n, m))


def normal(n: int, m: int, gain: float, generator: np.random.Generator) -> Array:
    """(n, m) standard normal numbers whatever the layer's size: sums grow with sqrt(n)."""
    return generator.normal(size=(n, m))


def uniform(n: int, m: int, gain: float, generator: np.random.Generator) -> Array:
    """(n, m) between -1 and 1, as in micrograd."""
    return generator.uniform(-1.0, 1.0, size=(n, m))


def xavier(n: int, m: int, gain: float, generator: np.random.Generator) -> Array:
    """Variance gain^2 * 2 / (n + m): a compromise of forward and backward (Glorot & Bengio 2010).

    "Understanding the difficulty of training deep feedforward neural networks", equation 12.
    """
    return generator.normal(size=(n, m)) * gain * math.sqrt(2 / (n + m))


def kaiming(n: int, m: int, gain: float, generator: np.random.Generator) -> Array:
    """Variance gain^2 / n: the forward pass keeps its size (He et al. 2015, equation 10)."""
    return generator.normal(size=(n, m)) * gain / math.sqrt(n)


INITIALIZATIONS: dict[str, Callable[[int, int, float, np.random.Generator], Array]] = {
    "kaiming": kaiming,
    "xavier": xavier,
    "normal": normal,
    "uniform": uniform,
    "zeros": zeros,
}
