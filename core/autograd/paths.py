"""The chain rule along paths: a gradient is a sum of products, one for each path to the output.

`Tensor.backward` computes the same numbers without following the paths, of which there may be very
many: 30 lines that each use the previous one twice have 2^30.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.autograd.flows import Edge
from core.autograd.graph import Graph


@dataclass(frozen=True)
class Path:
    """nodes   from the starting node to the output
    factors  the local derivatives along the path
    product  their product, the contribution of this path
    """

    nodes: tuple[int, ...]
    factors: tuple[float, ...]
    product: float


def edges_on_the_way(graph: Graph, number: int) -> frozenset[Edge]:
    """Returns every edge that is on a path from a node to the output."""
    reached = {number}
    found = set()
    for later in range(number + 1, len(graph.nodes)):
        for index, before in enumerate(graph.nodes[later].inputs):
            if before in reached:
                reached.add(later)
                found.add((later, index))
    return frozenset(found)


def count_paths(graph: Graph, number: int) -> int:
    """Returns the number of paths from a node to the output."""
    counts = {number: 1}
    for later in range(number + 1, len(graph.nodes)):
        paths = sum(counts.get(before, 0) for before in graph.nodes[later].inputs)
        if paths:
            counts[later] = paths
    return counts.get(len(graph.nodes) - 1, 0)


def paths_from(graph: Graph, number: int, most: int = 4) -> list[Path]:
    """Returns all paths from a node to the output; [] if there are more than `most`, if a factor is
    not a single number, or if the node is the output.
    """
    end = len(graph.nodes) - 1
    if number == end or not 0 < count_paths(graph, number) <= most:
        return []
    users: dict[int, list[Edge]] = {}
    for edge in sorted(edges_on_the_way(graph, number)):
        users.setdefault(graph.nodes[edge[0]].inputs[edge[1]], []).append(edge)
    found: list[Path] = []
    stack: list[tuple[tuple[int, ...], tuple[float, ...], tuple[Edge, ...]]] = [((number,), (), ())]
    while stack:
        nodes, factors, edges = stack.pop()
        if nodes[-1] == end:
            found.append(Path(nodes, factors, _product(graph, edges)))
            continue
        for edge in reversed(users[nodes[-1]]):
            local = _local(graph, edge)
            if local is None:
                return []
            stack.append(((*nodes, edge[0]), (*factors, local), (*edges, edge)))
    return found


def _local(graph: Graph, edge: Edge) -> float | None:
    """Returns d(node)/d(input), or None if it is not a single number."""
    tensor = graph.nodes[edge[0]].tensor
    assert tensor.operation is not None
    with np.errstate(all="ignore"):  # inf and nan are valid values
        local = tensor.operation.local(
            edge[1], tensor.data, *(before.data for before in tensor.inputs)
        )
    return float(local.item()) if local is not None and local.size == 1 else None


def _product(graph: Graph, edges: Sequence[Edge]) -> float:
    """Returns the gradient along one path, computed as in `Tensor.backward`: a relu that blocks it
    gives 0, even if the upstream gradient is infinite.
    """
    upstream = np.ones_like(graph.nodes[-1].tensor.data)
    for node, index in reversed(edges):
        tensor = graph.nodes[node].tensor
        assert tensor.operation is not None
        arrays = [before.data for before in tensor.inputs]
        with np.errstate(all="ignore"):
            upstream = np.asarray(
                tensor.operation.contribution(index, upstream, tensor.data, *arrays)
            )
    return float(upstream.item())
