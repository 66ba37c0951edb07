"""What if? The output of a graph when one of its nodes had another value.

Only what depends on the node is computed again, so that every node of a graph can be tried: leaves,
and what lies between.
"""

from __future__ import annotations

import numpy as np

from core.autograd.gradient_check import NUDGE, central_differences
from core.autograd.graph import Graph
from core.autograd.operation import Array


def output_if(graph: Graph, number: int, data: Array) -> Array:
    """The graph's last node if node `number` were `data`, of its shape; touches no tensor.

    Raises ValueError for another shape.
    """
    was = graph.nodes[number].tensor
    if np.shape(data) != was.shape:
        raise ValueError(f"{graph.nodes[number].label} has shape {was.shape}, not {np.shape(data)}")
    changed: dict[int, Array] = {number: np.asarray(data, was.data.dtype)}
    with np.errstate(all="ignore"):  # inf and nan are values here
        for later in range(number + 1, len(graph.nodes)):
            node = graph.nodes[later]
            if node.tensor.operation is None or changed.keys().isdisjoint(node.inputs):
                continue
            arrays = [
                changed.get(before, graph.nodes[before].tensor.data) for before in node.inputs
            ]
            changed[later] = np.asarray(node.tensor.operation.forward(*arrays))
    last = len(graph.nodes) - 1
    return changed.get(last, graph.nodes[last].tensor.data)


def numeric_gradient_of(graph: Graph, number: int, nudge: float = NUDGE) -> Array:
    """dL/d(node) by central differences, for any node: of its shape.

    Runs what depends on the node twice for each of its numbers.
    """

    def output(moved: Array) -> float:
        return output_if(graph, number, moved).item()

    return central_differences(output, graph.nodes[number].tensor.data, nudge)
