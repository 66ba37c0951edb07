"""A formula's graph, laid out: what the picture draws at any position of the cursor. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.autograd import Place
from core.autograd.flows import Edge
from explorer.panes.backprop.expression.arranging import (
    ENDLESS,
    Arranged,
    Plot,
    Size,
    arranged,
    plot_of,
)
from explorer.panes.backprop.expression.compute import Array, Computed, is_small
from explorer.panes.backprop.expression.faces import NodeFace
from explorer.panes.backprop.expression.layout import Layout


@dataclass(frozen=True, eq=False)
class GraphScene:
    """What is drawn.

    uses   for each node the edges that read it, top to bottom
    peaks  of what flows along each edge the number that is largest in size
    """

    computed: Computed
    plot: Plot
    arranged: Arranged
    uses: tuple[tuple[Edge, ...], ...]
    peaks: Mapping[Edge, float]
    checks: bool = False  # each gradient has a line more for the numeric one
    room: Size = ENDLESS  # that it was laid out for

    @property
    def faces(self) -> tuple[NodeFace, ...]:
        return self.arranged.faces

    @property
    def layout(self) -> Layout:
        return self.arranged.layout

    @property
    def is_tight(self) -> bool:
        """Whether value and gradient stand in one line, without words."""
        return any(not face.style.words for face in self.faces)

    @property
    def is_light(self) -> bool:
        """Whether it can be laid out within a frame."""
        return is_small(self.computed.text)

    def is_of(self, computed: Computed) -> bool:
        """Whether that is the same formula, maybe with other values."""
        return self.computed.plan is computed.plan

    def stays_in(self, room: Size) -> bool:
        """Whether it is surely the same in a room of another size."""
        known = self.arranged
        same = room[0] == self.room[0] and known.low <= room[1] < known.high
        return same or room in (self.room, ENDLESS)


def scene_of(
    computed: Computed, known: GraphScene | None = None, checks: bool = False, room: Size = ENDLESS
) -> GraphScene:
    """`known` is the scene of the same formula with other values: it spares the layout."""
    same = known if known is not None and known.is_of(computed) else None
    if same is not None and same.checks == checks:
        return in_room(with_values(same, computed), room)
    plot = same.plot if same is not None else plot_of(computed.graph)
    found = arranged(plot, checks, room)
    uses = _uses(computed, found.layout)
    return GraphScene(computed, plot, found, uses, _peaks(computed), checks, room)


def with_values(known: GraphScene, computed: Computed) -> GraphScene:
    """The same formula with other values, laid out as it is."""
    return replace(known, computed=computed, peaks=_peaks(computed))


def in_room(scene: GraphScene, room: Size) -> GraphScene:
    """The same, laid out for a room of another size; itself where that changes nothing."""
    if room in (scene.room, ENDLESS):
        return scene
    if scene.stays_in(room):
        return replace(scene, room=room)
    found = arranged(scene.plot, scene.checks, room)
    if found.layout == scene.layout:
        return replace(scene, arranged=replace(found, layout=scene.layout), room=room)
    uses = _uses(scene.computed, found.layout)
    return replace(scene, arranged=found, uses=uses, room=room)


def _uses(computed: Computed, layout: Layout) -> tuple[tuple[Edge, ...], ...]:
    uses: list[list[Edge]] = [[] for _ in computed.graph.nodes]
    for number, node in enumerate(computed.graph.nodes):
        for index, before in enumerate(node.inputs):
            uses[before].append((number, index))
    for edges in uses:
        edges.sort(key=lambda edge: (layout.ways[edge[0]][edge[1]][1][1], edge[1]))
    return tuple(map(tuple, uses))


def _peaks(computed: Computed) -> dict[Edge, float]:
    return {edge: _peak(flow) for edge, flow in computed.flows.along.items()}


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
