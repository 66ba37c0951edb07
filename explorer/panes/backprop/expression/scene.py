"""A formula's graph, laid out: what the picture draws at any position of the cursor. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.autograd import Place
from core.autograd.flows import Edge
from explorer.panes.backprop.expression.computing import Array, Computed
from explorer.panes.backprop.expression.faces import Face, faces_of
from explorer.panes.backprop.expression.layout import Layout, lay_out


@dataclass(frozen=True, eq=False)
class Scene:
    """What is drawn.

    uses   for each node the edges that read it, top to bottom
    peaks  of what flows along each edge the number that is largest in size
    """

    computed: Computed
    faces: tuple[Face, ...]
    layout: Layout
    uses: tuple[tuple[Edge, ...], ...]
    peaks: Mapping[Edge, float]
    checks: bool = False  # each gradient has a line more for the numeric one


def scene_of(computed: Computed, known: Scene | None = None, checks: bool = False) -> Scene:
    """`known` is the scene of the same formula with other values: it spares the layout."""
    peaks = {edge: _peak(flow) for edge, flow in computed.flows.along.items()}
    same = known is not None and known.computed.plan is computed.plan
    if known is not None and same and known.checks == checks:
        return replace(known, computed=computed, peaks=peaks)
    nodes = computed.graph.nodes
    faces = faces_of(computed.graph, checks)
    layout = lay_out([node.inputs for node in nodes], [face.size for face in faces])
    uses: list[list[Edge]] = [[] for _ in nodes]
    for number, node in enumerate(nodes):
        for index, before in enumerate(node.inputs):
            uses[before].append((number, index))
    for edges in uses:
        edges.sort(key=lambda edge: (layout.ways[edge[0]][edge[1]][1][1], edge[1]))
    return Scene(computed, faces, layout, tuple(map(tuple, uses)), peaks, checks)


def _peak(array: Array) -> float:
    if np.size(array) == 1:
        return float(array.item())
    return float(array.reshape(-1)[int(np.abs(array).argmax())])


@dataclass(frozen=True)
class Instant:
    """The scene at a position: moment `moment` is being come to, `share` of the way done (1: it is
    there).
    """

    moment: int
    share: float
    place: Place | None

    def done(self, at: int) -> float:
        """How much of what happens at moment `at` has happened, 0 to 1."""
        if at < self.moment:
            return 1.0
        return self.share if at == self.moment else 0.0


def instant_at(computed: Computed, position: float) -> Instant:
    last = len(computed.plan) - 1
    moment = min(max(0, math.ceil(position - 1e-9)), last)
    share = 1.0 - max(0.0, moment - position)
    return Instant(moment, share, computed.plan.places[moment])


def subject_at(computed: Computed, moment: int) -> int:
    """The node that a step changes; -1 for the first moment, which changes none."""
    place = computed.plan.places[moment]
    if place is None:
        return -1
    if place.input is None:
        return place.node
    return computed.graph.nodes[place.node].inputs[place.input]
