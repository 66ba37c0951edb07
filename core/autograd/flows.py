"""One backward over a graph as numbers: what flows along every edge, what arrives at every node.

The same as `Tensor.backward`, kept apart edge by edge for those who want to look at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.autograd.graph import Graph
from core.autograd.operation import Array, accumulate, sum_to

Edge = tuple[int, int]  # a node, and the number of one of its inputs


@dataclass(frozen=True)
class Flows:
    """gradients  dL/d(node) for each node; None where nobody wants it
    along      what each edge carries back to its input, in the shape of the input
    arrived    what the input has once this edge has arrived: the edges come in this order
    """

    gradients: tuple[Array | None, ...]
    along: Mapping[Edge, Array]
    arrived: Mapping[Edge, Array]


def flows_of(graph: Graph) -> Flows:
    """Backward from the graph's last node, from empty gradients; touches no tensor."""
    grads: list[Array | None] = [None] * len(graph.nodes)
    along: dict[Edge, Array] = {}
    arrived: dict[Edge, Array] = {}
    last = len(graph.nodes) - 1
    grads[last] = np.ones_like(graph.nodes[last].tensor.data)
    with np.errstate(all="ignore"):  # inf and nan are values here
        for number in range(last, -1, -1):
            tensor, upstream = graph.nodes[number].tensor, grads[number]
            if tensor.operation is None or upstream is None:
                continue
            arrays = [before.data for before in tensor.inputs]
            for index, before in enumerate(graph.nodes[number].inputs):
                target = graph.nodes[before].tensor
                if not target.requires_grad:
                    continue
                flowing = tensor.operation.contribution(index, upstream, tensor.data, *arrays)
                flow = sum_to(np.asarray(flowing), target.shape)
                along[number, index] = flow
                arrived[number, index] = grads[before] = accumulate(grads[before], flow)
    return Flows(tuple(grads), along, arrived)
