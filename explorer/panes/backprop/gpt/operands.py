"""The rows, columns and cells that a number was computed from. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.autograd.flows import Edge
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.operations import kind_of
from explorer.panes.backprop.gpt.scene import Cell

What = tuple[Any, ...]


@dataclass(frozen=True)
class Source:
    """A cell of an array's matrix; a whole row or column if the other index is None."""

    what: What
    row: int | None
    column: int | None


def sources_of(worked: Worked, cell: Cell) -> tuple[Source, ...]:
    """Returns the operands of a number; none for a parameter or a number that is only passed on."""
    kind, where = cell.what
    if kind == "value":
        return _of_value(worked, where, cell)
    return _of_share(worked, where, cell) if kind == "flow" else ()


def _of_value(worked: Worked, node: int, cell: Cell) -> tuple[Source, ...]:
    kind, inputs = kind_of(worked.graph, node), worked.graph.nodes[node].inputs
    if kind == "MatMul":
        a, b = inputs
        return (Source(("value", a), cell.row, None), Source(("value", b), None, cell.column))
    if kind in ("Softmax", "Normalize"):
        return (Source(("value", inputs[0]), cell.row, None),)
    tensor = worked.graph.nodes[node].tensor
    if tensor.operation is None or not tensor.operation.elementwise:
        return ()
    return tuple(_beside(worked, before, cell.row, cell.column) for before in inputs)


def _of_share(worked: Worked, edge: Edge, cell: Cell) -> tuple[Source, ...]:
    node, place = edge
    kind, inputs = kind_of(worked.graph, node), worked.graph.nodes[node].inputs
    upstream, out = ("gradient", node), ("value", node)
    row, column = cell.row, cell.column
    if kind == "MatMul":
        other = ("value", inputs[1 - place])
        if place == 0:
            return (Source(upstream, row, None), Source(other, column, None))
        return (Source(upstream, None, column), Source(other, None, row))
    if kind == "Softmax":
        return (Source(upstream, row, None), Source(out, row, None))
    if kind == "Normalize":
        before = ("value", inputs[0])
        return tuple(Source(what, row, None) for what in (upstream, out, before))
    if kind == "CrossEntropy":
        return (Source(("value", inputs[0]), row, None),)
    operation = worked.graph.nodes[node].tensor.operation
    if operation is None or not operation.elementwise:
        return ()
    copied = worked.value(inputs[place]).shape != worked.value(node).shape
    rows = None if copied else row
    single = len(inputs) == 1  # its own value determines the slope
    others = [before for at, before in enumerate(inputs) if single or at != place]
    found = [Source(upstream, rows, column)]
    found += [_beside(worked, other, rows, column) for other in others]
    return tuple(found)


def _beside(worked: Worked, node: int, row: int | None, column: int) -> Source:
    """Returns the same position in an input, which may have one row or be a single number."""
    array = worked.value(node)
    if array.size == 1:
        return Source(("value", node), 0, 0)
    return Source(("value", node), 0 if array.ndim < 2 else row, column)
