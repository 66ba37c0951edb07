"""Arrays that a formula makes from a shape: zeros(3, 4), ones(4), randn(3, 4)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from core.autograd.operation import Array

MOST_AXES = 4  # a transformer's batch, head, row and column; more cannot be drawn
DECIMALS = 2  # of random numbers: short enough to read, and to write back into the text

Shape = tuple[int, ...]


def zeros(shape: Shape, generator: np.random.Generator) -> Array:
    """Returns an array of zeros."""
    return np.zeros(shape)


def ones(shape: Shape, generator: np.random.Generator) -> Array:
    """Returns an array of ones."""
    return np.ones(shape)


def randn(shape: Shape, generator: np.random.Generator) -> Array:
    """Returns standard normal numbers, rounded to DECIMALS, but never to 0, which has no effect."""
    numbers = np.round(generator.normal(size=shape), DECIMALS)
    return np.where(numbers == 0, 10.0**-DECIMALS, numbers)


# Functions of a shape that an expression may call, by name.
FILLINGS: dict[str, Callable[[Shape, np.random.Generator], Array]] = {
    "zeros": zeros,
    "ones": ones,
    "randn": randn,
}


def filled(kind: str, shape: Shape, key: str, seed: int = 0) -> Array:
    """Returns an array of a shape, filled by `kind`, one of FILLINGS.

    Equal seeds and keys give equal numbers; the `key` distinguishes the tensors of a formula.
    """
    generator = np.random.default_rng([zlib.crc32(key.encode()), seed])
    return FILLINGS[kind](shape, generator)
