"""The chain rule along paths: a gradient is a sum of products, one per path to the end. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.autograd.flows import Edge
from explorer.panes.backprop.expression.compute import Computed

MOST = 4  # paths that are written out


@dataclass(frozen=True)
class Path:
    """nodes   from the one in question to the end
    factors  the local derivatives along the way
    product  of them: what this path contributes
    """

    nodes: tuple[int, ...]
    factors: tuple[float, ...]
    product: float


def edges_on_the_way(computed: Computed, number: int) -> frozenset[Edge]:
    """Every edge on some path from a node to the end."""
    reached = {number}
    found = set()
    for later in range(number + 1, len(computed.graph.nodes)):
        for index, before in enumerate(computed.graph.nodes[later].inputs):
            if before in reached:
                reached.add(later)
                found.add((later, index))
    return frozenset(found)


def count_paths(computed: Computed, number: int) -> int:
    """How many ways lead from a node to the end; there may be very many."""
    counts = {number: 1}
    for later in range(number + 1, len(computed.graph.nodes)):
        ways = sum(counts.get(before, 0) for before in computed.graph.nodes[later].inputs)
        if ways:
            counts[later] = ways
    return counts.get(computed.output, 0)


def paths_from(computed: Computed, number: int) -> list[Path]:
    """All paths from a node to the end; none where they are more than MOST, where one of the
    factors is no single number, or where the node is the end itself.
    """
    if number == computed.output or not 0 < count_paths(computed, number) <= MOST:
        return []
    users: dict[int, list[Edge]] = {}
    for edge in sorted(edges_on_the_way(computed, number)):
        users.setdefault(computed.graph.nodes[edge[0]].inputs[edge[1]], []).append(edge)
    found: list[Path] = []
    stack: list[tuple[tuple[int, ...], tuple[float, ...], tuple[Edge, ...]]] = [((number,), (), ())]
    while stack:
        nodes, factors, way = stack.pop()
        if nodes[-1] == computed.output:
            found.append(Path(nodes, factors, _product(computed, way)))
            continue
        for edge in reversed(users[nodes[-1]]):
            local = computed.local(edge)
            if local is None or local.size != 1:
                return []
            stack.append(((*nodes, edge[0]), (*factors, float(local.item())), (*way, edge)))
    return found


def _product(computed: Computed, way: Sequence[Edge]) -> float:
    """Backward along one path, as core goes: what a relu stops is 0, however steep it is after."""
    upstream = np.ones_like(computed.value(computed.output))
    for node, index in reversed(way):
        tensor = computed.graph.nodes[node].tensor
        assert tensor.operation is not None
        arrays = [before.data for before in tensor.inputs]
        with np.errstate(all="ignore"):
            upstream = np.asarray(
                tensor.operation.contribution(index, upstream, tensor.data, *arrays)
            )
    return float(upstream.item())
