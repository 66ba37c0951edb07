"""One number of a tensor: which numbers it came from, and how much it moves others. No Qt.

A tensor's numbers are counted through, last axis first: `element` is such a count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.autograd.flows import Edge
from explorer.panes.backprop.expression.compute import Array, Computed


@dataclass(frozen=True)
class Share:
    """What flows back to one number of an input: the sum of `upstream` times `local`.

    cells     the numbers of the output that this one has an effect on
    upstream  dL/d(each of them)
    local     d(each of them)/d(this number)
    total     the contribution
    """

    cells: Array
    upstream: Array
    local: Array
    total: float


def cell_name(computed: Computed, node: int, element: int) -> str:
    """ "W[0, 1]"; a single number has its name alone."""
    tensor = computed.graph.nodes[node].tensor
    label = computed.graph.nodes[node].label
    if tensor.data.size == 1:
        return label
    place = np.unravel_index(element, tensor.shape)
    return f"{label}[{', '.join(str(int(one)) for one in place)}]"


def number_at(array: Array, element: int) -> float:
    """The same number of an array of the tensor's shape."""
    return float(np.asarray(array).reshape(-1)[element])


def largest(array: Array) -> int:
    """The number that is largest in size: what a picture tells of a tensor."""
    sizes = np.nan_to_num(np.abs(np.asarray(array)), nan=-1.0, posinf=np.inf)
    return int(sizes.argmax())


def share_of(computed: Computed, edge: Edge, element: int) -> Share | None:
    """How one number of an input gets its share of the gradient; None where that is no sum of
    products with numbers that do not depend on the others.
    """
    tensor, upstream = computed.graph.nodes[edge[0]].tensor, computed.gradient(edge[0])
    if upstream is None:
        return None
    with np.errstate(all="ignore"):
        cells, local = _effects(computed, edge, element)
    if cells is None or local is None:
        return None
    above = np.broadcast_to(upstream, tensor.shape).reshape(-1)[cells]
    total = number_at(computed.flows.along[edge], element)
    return Share(cells, above.astype(np.float64), local.astype(np.float64), total)


def _effects(computed: Computed, edge: Edge, element: int) -> tuple[Array | None, Array | None]:
    """The numbers of the output that one of an input moves, and d(each)/d(that one)."""
    node, index = edge
    tensor = computed.graph.nodes[node].tensor
    operation, out = tensor.operation, tensor.data
    inputs = [before.data for before in tensor.inputs]
    this = inputs[index]
    assert operation is not None
    if operation.elementwise:
        local = computed.local(edge)
        assert local is not None
        read = np.flatnonzero(sources(this.shape, out.shape) == element)
        return read, np.broadcast_to(local, out.shape).reshape(-1)[read]
    kind = operation.name
    only = np.zeros(this.size)
    only[element] = 1.0
    only = only.reshape(this.shape)
    if kind in ("Sum", "Mean", "Reshape", "Transpose"):  # what they do to 1 they do to any number
        moved = np.asarray(operation.forward(only)).reshape(-1)
        read = np.flatnonzero(moved)
        return read, moved[read]
    if kind == "MatMul":
        other = inputs[1 - index]
        read = np.flatnonzero(_product(index, only, np.ones_like(other)))
        # Of the other factor only the row (or column) that this number meets: 0 times infinity
        # would be none.
        place = np.unravel_index(element, this.shape)
        met = np.arange(this.shape[-1 - index]) == place[-1 - index]
        alone = np.where(met if index else met[:, None], other, 0.0)
        return read, _product(index, only, alone).reshape(-1)[read]
    if kind == "Max":
        part = np.asarray(operation.contribution(index, np.ones_like(out), out, *inputs))
        return np.zeros(1, int), part.reshape(-1)[element : element + 1]
    return None, None


def _product(index: int, one: Array, other: Array) -> Array:
    """The matrix product of two inputs, of which `one` is number `index`."""
    found: Array = other @ one if index else one @ other
    return found


def sources(shape: tuple[int, ...], out: tuple[int, ...]) -> Array:
    """For each number of an elementwise output, which of an input's it was made from."""
    counted = np.arange(int(np.prod(shape))).reshape(shape)
    return np.broadcast_to(counted, out).reshape(-1)


def copies_of(computed: Computed, edge: Edge, element: int) -> Array:
    """Which numbers of what an operation hands back are those of the copies of one number."""
    tensor = computed.graph.nodes[edge[0]].tensor
    assert tensor.operation is not None
    shapes = [before.shape for before in tensor.inputs]
    handed = tensor.operation.contribution_shape(edge[1], tensor.shape, *shapes)
    return np.flatnonzero(sources(shapes[edge[1]], handed) == element)


def source_of(computed: Computed, node: int, index: int, element: int) -> int:
    """Which number of input `index` a number of the output was made from: elementwise, or by
    another arrangement of the same numbers.
    """
    tensor = computed.graph.nodes[node].tensor
    shape = tensor.inputs[index].shape
    assert tensor.operation is not None
    if tensor.operation.elementwise:
        return int(sources(shape, tensor.shape)[element])
    counted = np.arange(int(np.prod(shape))).reshape(shape)
    return int(np.asarray(tensor.operation.forward(counted)).reshape(-1)[element])
