"""The model of the picture: the graph, laid out, and the progress of its step. No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.autograd import Place
from core.autograd.flows import Edge
from explorer.panes.backprop.expression.compute import Array, Computed
from explorer.panes.backprop.expression.layout import (
    ENDLESS,
    Layout,
    Plot,
    Size,
    arranged,
    plot_of,
)
from explorer.panes.backprop.expression.node_geometry import NodeGeometry


@dataclass(frozen=True, eq=False)
class GraphScene:
    """A graph ready to draw.

    nodes   the sizes of each node's parts
    uses    for each node the edges that read it, top to bottom
    peaks   for each edge the largest flow in magnitude
    room    the size of the layout
    """

    computed: Computed
    plot: Plot
    nodes: tuple[NodeGeometry, ...]
    layout: Layout
    uses: tuple[tuple[Edge, ...], ...]
    peaks: Mapping[Edge, float]
    room: Size = ENDLESS

    @property
    def is_tight(self) -> bool:
        """True if value and gradient share a line, without words."""
        return not self.nodes[0].style.words

    def is_of(self, computed: Computed) -> bool:
        """True for the same formula, even with other values."""
        return self.computed.plan is computed.plan


def scene_of(
    computed: Computed, known: GraphScene | None = None, room: Size = ENDLESS
) -> GraphScene:
    """Lays out the graph of a formula; shares unchanged parts with `known`, the previous scene."""
    same = known if known is not None and known.is_of(computed) else None
    if same is not None and same.room == room:
        return replace(same, computed=computed, peaks=_peaks(computed))
    plot = same.plot if same is not None else plot_of(computed.graph)
    nodes, layout = arranged(plot, room)
    if same is not None and layout == same.layout:
        layout = same.layout
    uses = _uses(computed, layout)
    return GraphScene(computed, plot, nodes, layout, uses, _peaks(computed), room)


def _uses(computed: Computed, layout: Layout) -> tuple[tuple[Edge, ...], ...]:
    uses: list[list[Edge]] = [[] for _ in computed.graph.nodes]
    for number, node in enumerate(computed.graph.nodes):
        for index, before in enumerate(node.inputs):
            uses[before].append((number, index))
    for edges in uses:
        edges.sort(key=lambda edge: (layout.routes[edge[0]][edge[1]][1][1], edge[1]))
    return tuple(map(tuple, uses))


def _peaks(computed: Computed) -> dict[Edge, float]:
    return {edge: _peak(flow) for edge, flow in computed.flows.along.items()}


def _peak(array: Array) -> float:
    if np.size(array) == 1:
        return float(array.item())
    return float(array.reshape(-1)[int(np.abs(array).argmax())])


@dataclass(frozen=True)
class Instant:
    """A position of the player: fraction `share` of the step to moment `moment` (1: complete)."""

    moment: int
    share: float
    place: Place | None

    def done(self, at: int) -> float:
        """Returns how much of the step to moment `at` is done, 0 to 1."""
        if at < self.moment:
            return 1.0
        return self.share if at == self.moment else 0.0


def instant_at(computed: Computed, position: float) -> Instant:
    last = len(computed.plan) - 1
    moment = min(max(0, math.ceil(position - 1e-9)), last)
    share = 1.0 - max(0.0, moment - position)
    return Instant(moment, share, computed.plan.places[moment])


def subject_at(computed: Computed, moment: int) -> int:
    """Returns the node that a step changes; -1 for the first moment, which changes none."""
    place = computed.plan.places[moment]
    if place is None:
        return -1
    if place.input is None:
        return place.node
    return computed.graph.nodes[place.node].inputs[place.input]
