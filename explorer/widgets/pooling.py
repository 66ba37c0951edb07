"""Attention maps shrunk to the pixels that show them: pure NumPy, meant for the engine's thread."""

from __future__ import annotations

import numpy as np


def to_uint8(attention: np.ndarray) -> np.ndarray:
    """Weights 0..1 as 0..255, rounded; what is outside is clipped."""
    return np.rint(np.clip(attention, 0.0, 1.0) * 255).astype(np.uint8)


def pool_heads(attention_uint8: np.ndarray, cell_pixels: int) -> np.ndarray:
    """Maps (L, H, T, T) uint8 -> (L, H, P, P) uint8 with P <= cell_pixels, by maximum.

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
