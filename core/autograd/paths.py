"""The chain rule along paths: a gradient is a sum of products, one for each path to the end.

`Tensor.backward` comes to the same numbers without walking the paths, of which there may be very
many: 30 lines that each use the one before twice have 2^30.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.autograd.flows import Edge
from core.autograd.graph import Graph


@dataclass(frozen=True)
class Path:
    """nodes   from the one in question to the end
    factors  the local derivatives along the way
    product  of them: what this path contributes
    """

    nodes: tuple[int, ...]
    factors: tuple[float, ...]
    product: float


def edges_on_the_way(graph: Graph, number: int) -> frozenset[Edge]:
    """Every edge on some path from a node to the end."""
    reached = {number}
    found = set()
    for later in range(number + 1, len(graph.nodes)):
        for index, before in enumerate(graph.nodes[later].inputs):
            if before in reached:
                reached.add(later)
                found.add((later, index))
    return frozenset(found)


def count_paths(graph: Graph, number: int) -> int:
    """How many paths lead from a node to the end."""
    counts = {number: 1}
    for later in range(number + 1, len(graph.nodes)):
        paths = sum(counts.get(before, 0) for before in graph.nodes[later].inputs)
        if paths:
            counts[later] = paths
    return counts.get(len(graph.nodes) - 1, 0)


def paths_from(graph: Graph, number: int, most: int = 4) -> list[Path]:
    """All paths from a node to the end; none where they are more than `most`, where one of the
    factors is no single number, or where the node is the end itself.
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
    """d(node)/d(input), where that is a single number."""
    tensor = graph.nodes[edge[0]].tensor
    assert tensor.operation is not None
    with np.errstate(all="ignore"):  # inf and nan are values here
        local = tensor.operation.local(
            edge[1], tensor.data, *(before.data for before in tensor.inputs)
        )
    return float(local.item()) if local is not None and local.size == 1 else None


def _product(graph: Graph, edges: Sequence[Edge]) -> float:
    """Backward along one path, as `Tensor.backward` goes: what a relu stops is 0, however steep it
    is after.
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
