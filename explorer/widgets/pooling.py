"""Maps and matrices pooled to the pixels that show them: pure NumPy, for the engine's thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

THUMB = 64  # cells per side of a small matrix


def to_uint8(attention: np.ndarray) -> np.ndarray:
    """Converts weights 0..1 to 0..255, rounded and clipped."""
    return np.rint(np.clip(attention, 0.0, 1.0) * 255).astype(np.uint8)


def squared(weights: np.ndarray) -> np.ndarray:
    """Expands weights (L, H, R, C) to square maps (L, H, P, P) uint8 by repeating cells."""
    rows, columns = weights.shape[2:]
    places = np.arange(2 * max(rows, columns))
    rows_of, columns_of = places * rows // len(places), places * columns // len(places)
    return to_uint8(weights[:, :, rows_of][..., columns_of])


def pool_heads(attention_uint8: np.ndarray, cell_pixels: int) -> np.ndarray:
    """Pools maps (L, H, T, T) uint8 to (L, H, P, P) uint8 with P <= cell_pixels, by maximum.

    The maximum keeps a single strong weight visible where a mean or a stride would lose it. T is
    cut into blocks of ceil(T / cell_pixels); the last block may be smaller. Raises ValueError for
    another shape or dtype.
    """
    maps = np.asarray(attention_uint8)
    if maps.ndim != 4 or maps.dtype != np.uint8 or maps.shape[-1] != maps.shape[-2]:
        raise ValueError(
            f"pool_heads needs uint8 maps (layers, heads, T, T), got {maps.dtype} {maps.shape}: "
            "convert weights with to_uint8"
        )
    size = maps.shape[-1]
    block = -(-size // max(1, int(cell_pixels)))
    if block <= 1:
        return np.ascontiguousarray(maps)
    pooled = _pool_axis(maps, block, axis=2)  # (L, H, P, T)
    return np.ascontiguousarray(_pool_axis(pooled, block, axis=3))  # (L, H, P, P)


def _pool_axis(maps: np.ndarray, block: int, axis: int) -> np.ndarray:
    size = maps.shape[axis]
    count = -(-size // block)
    index: list[slice] = [slice(None)] * maps.ndim
    index[axis] = slice(0, None, block)
    result = maps[tuple(index)].copy()
    for offset in range(1, block):
        index[axis] = slice(offset, None, block)
        part = maps[tuple(index)]
        here: list[slice] = [slice(None)] * maps.ndim
        here[axis] = slice(0, part.shape[axis])
        np.maximum(result[tuple(here)], part, out=result[tuple(here)])
    assert result.shape[axis] == count
    return result


@dataclass(frozen=True, eq=False)
class Matrix:
    """Numbers (R, C), and a thumbnail of them."""

    values: np.ndarray
    thumb: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Matrix:
        """Creates one from a matrix, a vector (one row) or a number."""
        array = np.atleast_2d(np.asarray(values, np.float32))
        return cls(array, pool_signed(array, THUMB, THUMB))


def pool_signed(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Pools (R, C) to at most `rows` by `columns` cells: of each group the number farthest from 0.
    Infinite numbers and NaN are ignored.
    """
    array = np.where(np.isfinite(values), values, np.nan).astype(np.float32)
    for axis, most in ((0, rows), (1, columns)):
        if array.shape[axis] > most:
            edges = np.linspace(0, array.shape[axis], most, endpoint=False).astype(int)
            high, low = (one.reduceat(array, edges, axis) for one in (np.fmax, np.fmin))
            array = np.where(high > -low, high, low)
    return array


def stripes_of(vectors: np.ndarray, cells: int) -> np.ndarray:
    """Returns vectors (N, C) as columns (cells, N): of each group of numbers the one farthest from
    0, each vector scaled to a root mean square of 1.
    """
    scaled = vectors / (np.sqrt((vectors**2).mean(axis=1, keepdims=True)) + 1e-9)
    groups = np.array_split(scaled, min(cells, vectors.shape[1]), axis=1)
    return np.stack([np.where(one.max(1) > -one.min(1), one.max(1), one.min(1)) for one in groups])
