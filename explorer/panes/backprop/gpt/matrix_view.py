"""Arrays of any shape as matrices: their rows and columns, and shrinking them to pixels.

Letters in shapes: B sequences (always 1), T tokens, H heads, D dimensions a head, X any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Plane:
    """One matrix (R, C) of an array; `head` is the index along axis `axis`, if the array has heads.

    Arrays with three axes or more begin with the batch axis, of size 1. Further axes are joined
    side by side: (T, 3, D) becomes (T, 3 D).
    """

    shape: tuple[int, ...]
    axis: int | None = None
    head: int = 0

    @property
    def rest(self) -> tuple[int, ...]:
        """The sizes without batch and heads: the rows, then the axes that form the columns."""
        sizes = [size for place, size in enumerate(self.shape) if place != self.axis]
        return tuple(sizes[1:]) if len(self.shape) > 2 else tuple(sizes)

    @property
    def size(self) -> tuple[int, int]:
        """(R, C)."""
        rest = self.rest
        if len(rest) < 2:
            return 1, rest[0] if rest else 1
        return rest[0], int(np.prod(rest[1:]))

    def of(self, array: Array) -> Array:
        """Returns the matrix (R, C) of an array; a view if possible."""
        if self.axis is not None:
            array = array.take(self.head, self.axis)
        if len(self.shape) > 2:
            array = array[0]
        return array.reshape(self.size)

    def index(self, row: int, column: int) -> tuple[int, ...]:
        """Returns the index in the array of a cell of the matrix."""
        rest = self.rest
        if not rest:
            return ()
        place: list[int] = [column] if len(rest) == 1 else [row]
        if len(rest) > 1:
            place += [int(part) for part in np.unravel_index(column, rest[1:])]
        if len(self.shape) > 2:
            place.insert(0, 0)
        if self.axis is not None:
            place.insert(self.axis, self.head)
        return tuple(place)


def head_axes(nodes: Any, n_head: int) -> tuple[int | None, ...]:
    """Returns for each node of a graph the axis of its heads; None if it has no heads.

    Heads appear where q, k and v are cut out of (B, T, 3, H, D), pass through operations that keep
    the number of axes, and end where a reshape joins them.
    """
    axes: list[int | None] = []
    for node in nodes:
        before = axes[node.inputs[0]] if node.inputs else None
        axes.append(_axis(node.tensor, before, n_head))
    return tuple(axes)


def _axis(tensor: Any, before: int | None, n_head: int) -> int | None:
    kind = type(tensor.operation).__name__
    if kind == "Reshape":
        return 3 if tensor.ndim == 5 and tensor.shape[3] == n_head else None
    if before is None:
        return None
    if kind == "Slice":
        return before - (tensor.inputs[0].ndim - tensor.ndim)
    if kind == "Transpose":
        return int(tensor.operation.axes.index(before))
    return before if tensor.ndim == tensor.inputs[0].ndim else None


@dataclass(frozen=True)
class Pooled:
    """A matrix shrunk by blocks to the largest number of each in magnitude.

    values  (R', C') float32; each cell stands for `rows` by `columns` of the matrix
    """

    values: Array
    rows: int
    columns: int


def pool(matrix: Array, most_rows: int, most_columns: int) -> Pooled:
    """Shrinks a matrix so that a single large number stays visible, as it would not in a mean."""
    rows = max(1, -(-matrix.shape[0] // max(1, most_rows)))
    columns = max(1, -(-matrix.shape[1] // max(1, most_columns)))
    shrunk = np.asarray(matrix)
    if rows > 1:
        shrunk = _pool(shrunk, rows)
    if columns > 1:
        shrunk = _pool(shrunk.T, columns).T
    return Pooled(np.ascontiguousarray(shrunk, dtype=np.float32), rows, columns)


def _pool(matrix: Array, block: int) -> Array:
    places = np.arange(0, matrix.shape[0], block)
    high, low = np.maximum.reduceat(matrix, places), np.minimum.reduceat(matrix, places)
    return np.where(high >= -low, high, low)


def strongest(matrix: Array, pooled: Pooled, row: int, column: int) -> tuple[int, int]:
    """Returns the cell of the matrix that a cell of `pooled` shows."""
    top, left = row * pooled.rows, column * pooled.columns
    block = np.abs(matrix[top : top + pooled.rows, left : left + pooled.columns])
    place = np.unravel_index(int(np.nan_to_num(block, posinf=0.0).argmax()), block.shape)
    return top + int(place[0]), left + int(place[1])


def limit_of(array: Array) -> float:
    """Returns the largest finite magnitude: both ends of a color bar symmetric about 0."""
    high, low = float(np.max(array)), float(np.min(array))
    if np.isfinite(high) and np.isfinite(low):
        return max(abs(high), abs(low)) or 1.0
    finite = array[np.isfinite(array)]
    return (float(np.abs(finite).max()) if finite.size else 1.0) or 1.0
