"""The timeline of a graph's Trace: when each value is computed and each gradient grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.autograd.backprop_trace import Place, places_of
from core.autograd.flows import Edge
from core.autograd.graph import Graph


@dataclass(frozen=True)
class StepPlan:
    """The moments of a Trace. Moment 0 is before all steps: only the leaves have values. Moment
    m > 0 is step m - 1 of the graph's Trace.

    places   for each moment, its place; None for the first
    appears  for each node, the moment of its value; 0 for leaves
    flows    for each edge, the moment of its contribution, in the shape of the input
    grows    for each node, the moments when its gradient changes, with the edge (None: L itself)
    """

    places: tuple[Place | None, ...]
    appears: tuple[int, ...]
    flows: Mapping[Edge, int]
    grows: tuple[tuple[tuple[int, Edge | None], ...], ...]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def seed(self) -> int:
        """The moment when backward begins."""
        return next(at for at, place in enumerate(self.places) if place and place.phase == "seed")

    def moment_of(self, edge: Edge) -> int | None:
        """Returns the moment when backward follows an edge, or None if it does not."""
        wanted = Place("backward", *edge)
        return self.places.index(wanted) if wanted in self.places else None


def plan_of(graph: Graph) -> StepPlan:
    """Returns the plan of `trace_graph(graph)` without making its steps."""
    places = places_of(graph)
    appears = [0] * len(graph.nodes)
    grows: list[list[tuple[int, Edge | None]]] = [[] for _ in graph.nodes]
    flows: dict[Edge, int] = {}
    for at, place in enumerate(places, 1):
        if place.phase == "forward":
            appears[place.node] = at
        elif place.phase == "seed":
            grows[place.node].append((at, None))
        else:
            assert place.input is not None
            edge = (place.node, place.input)
            growing = grows[graph.nodes[place.node].inputs[place.input]]
            if place.phase == "accumulate":
                growing.append((at, edge))
                continue
            flows[edge] = at  # "copies" follows "backward": the later one remains
            if not growing:
                growing.append((at, edge))
            elif growing[-1][1] == edge:
                growing[-1] = (at, edge)
    return StepPlan((None, *places), tuple(appears), flows, tuple(map(tuple, grows)))
