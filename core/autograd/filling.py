"""Tensors by their shape, as a formula has them: zeros(3, 4), ones(4), randn(3, 4)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from core.autograd.operation import Array

MOST_AXES = 4  # more than a transformer's batch, head, row and column nobody can look at
DECIMALS = 2  # of random numbers: short enough to be read, and written into the text again

Shape = tuple[int, ...]


def zeros(shape: Shape, generator: np.random.Generator) -> Array:
    """Nothing but 0."""
    return np.zeros(shape)


def ones(shape: Shape, generator: np.random.Generator) -> Array:
    """Nothing but 1."""
    return np.ones(shape)


def randn(shape: Shape, generator: np.random.Generator) -> Array:
    """Standard normal numbers, rounded to DECIMALS, and never to the 0 that moves nothing."""
    numbers = np.round(generator.normal(size=shape), DECIMALS)
    return np.where(numbers == 0, 10.0**-DECIMALS, numbers)


# What a person may write in an expression: name -> function of a shape.
FILLINGS: dict[str, Callable[[Shape, np.random.Generator], Array]] = {
    "zeros": zeros,
    "ones": ones,
    "randn": randn,
}


def filled(kind: str, shape: Shape, key: str, seed: int = 0) -> Array:
    """Numbers of a shape; the same `key`, which tells tensors apart, and seed give the same ones.

    `kind` is one of FILLINGS.
    """
    generator = np.random.default_rng([zlib.crc32(key.encode()), seed])
    return FILLINGS[kind](shape, generator)
