"""One backward pass over a graph, recorded: the flow along every edge, the gradient of every node.

The numbers are those of `Tensor.backward`, stored edge by edge for display.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.autograd.graph import Graph
from core.autograd.operation import Array
from core.autograd.tensor import flow_back

Edge = tuple[int, int]  # a node, and the number of one of its inputs


@dataclass(frozen=True)
class Flows:
    """gradients  dL/d(node) for each node; None if it does not require a gradient
    along      the gradient that flows back along each edge, in the shape of the input
    arrived    the input's gradient after each edge; the edges are in the order of backward
    """

    gradients: tuple[Array | None, ...]
    along: Mapping[Edge, Array]
    arrived: Mapping[Edge, Array]


def flows_of(graph: Graph) -> Flows:
    """Runs backward from the graph's last node, from empty gradients; changes no tensor."""
    order = [node.tensor for node in graph.nodes]
    numbers = {tensor: number for number, tensor in enumerate(order)}
    grads = {order[-1]: np.ones_like(order[-1].data)}
    along: dict[Edge, Array] = {}
    arrived: dict[Edge, Array] = {}
    with np.errstate(all="ignore"):  # inf and nan are valid values
        for flow in flow_back(order, grads):
            edge = (numbers[flow.out], flow.number)
            along[edge], arrived[edge] = flow.flow, flow.grad
    return Flows(tuple(grads.get(tensor) for tensor in order), along, arrived)
