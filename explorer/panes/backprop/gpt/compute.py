"""The engine's work: runs one example forward and backward, and shrinks its arrays. No Qt."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.autograd import Graph
from core.autograd.flows import Edge
from core.autograd.layers import softmax
from core.autograd.operation import sum_to
from core.jobs import Pace
from core.trace import Step
from explorer.panes.backprop.gpt.example import Example
from explorer.panes.backprop.gpt.matrix_view import Plane, Pooled, head_axes, limit_of, pool
from explorer.panes.backprop.gpt.operations import Operation, operations_of
from explorer.panes.backprop.gpt.track import Played, timeline_of

if TYPE_CHECKING:
    from core.training.explained_example import ExplainedExample

Array = np.ndarray

MOST_PARAMETERS = 10_000_000  # limits memory: several copies of their gradients in 64 bits
LARGE = 50_000  # numbers: larger arrays are shrunk once, on the engine
PIXELS = 512  # most rows and columns after that


@dataclass(frozen=True, eq=False)
class Worked:
    """An example that a model has processed forward and backward.

    highway  (L + 1, T): length of dL/d(residual stream) at every token, into each block and out of
             the last
    losses   (T) -log p(next token), in nats: the loss is their mean
    steps    all steps of the Trace
    """

    example: Example
    model: str
    step: int | None  # of the model's run
    explained: ExplainedExample
    graph: Graph
    operations: tuple[Operation, ...]
    timeline: tuple[Played, ...]
    steps: tuple[Step, ...]
    highway: Array
    losses: Array
    axes: tuple[int | None, ...]
    edges: dict[Edge, int]  # the step of the Trace in which a gradient flows along each edge
    large: dict[tuple[Any, ...], Pooled] = field(default_factory=dict)
    limits: dict[tuple[Any, ...], float] = field(default_factory=dict)

    @property
    def n_head(self) -> int:
        return self.explained.model.config.n_head

    @property
    def n_tokens(self) -> int:
        return self.example.length

    def operation_of(self, node: int) -> Operation:
        return next(one for one in self.operations if node in one.nodes)

    def target(self, edge: Edge) -> int:
        """Returns the node that receives the gradient of an edge."""
        return self.graph.nodes[edge[0]].inputs[edge[1]]

    def value(self, node: int) -> Array:
        return self.graph.nodes[node].tensor.data

    def gradient(self, node: int) -> Array | None:
        """Returns dL/d(node); None for a constant."""
        return self.graph.nodes[node].tensor.grad

    def flow(self, edge: Edge) -> Array | None:
        """Returns the gradient that flows back along an edge, in the shape of its target."""
        if edge not in self.edges:
            return None
        shape = self.value(self.target(edge)).shape
        return sum_to(self.steps[self.edges[edge]].value("contribution"), shape)

    def array(self, what: tuple[Any, ...]) -> Array | None:
        """Returns an array by ("value", node), ("gradient", node) or ("flow", edge)."""
        kind, where = what
        if kind == "flow":
            return self.flow(where)
        return self.value(where) if kind == "value" else self.gradient(where)

    def node_of(self, what: tuple[Any, ...]) -> int:
        """Returns the node whose shape an array has."""
        return self.target(what[1]) if what[0] == "flow" else what[1]

    def plane(self, what: tuple[Any, ...], head: int) -> Plane:
        node = self.node_of(what)
        return Plane(self.value(node).shape, self.axes[node], head)

    def pooled(self, what: tuple[Any, ...], head: int) -> Pooled | None:
        """Returns the matrix of one head, shrunk to PIXELS; None if there is no array."""
        plane = self.plane(what, head)
        kept = self.large.get((*what, head if plane.axis is not None else 0))
        if kept is not None:
            return kept
        array = self.array(what)
        return None if array is None else pool(plane.of(array), PIXELS, PIXELS)

    def limit(self, what: tuple[Any, ...]) -> float:
        """Returns the largest magnitude in an array over all heads: the end of its color scale."""
        if what not in self.limits:
            array = self.array(what)
            self.limits[what] = 1.0 if array is None else limit_of(array)
        return self.limits[what]

    def has_heads(self, played: Played) -> bool:
        """True if the operation has an array with heads."""
        node = played.node
        return any(self.axes[one] is not None for one in (node, *self.graph.nodes[node].inputs))

    def first_played(self, operation: int, backward: bool) -> int | None:
        """Returns the player's step of an operation forward, or backward; None if it has none."""
        wanted = operation, "backward" if backward else "forward"
        played = [(one.operation, one.phase) for one in self.timeline]
        return played.index(wanted) if wanted in played else None


def check_size(model: Any) -> None:
    """Raises ValueError, with the remedy, for a model that is too large or random."""
    count = sum(parameter.numel() for parameter in model.parameters())
    if count > MOST_PARAMETERS:
        raise ValueError(
            f"This model has {count / 1e6:,.1f} million parameters. Every value and gradient is "
            "stored in 64 bits here, so a model may have at most "
            f"{MOST_PARAMETERS // 10**6} million. Open the bundled model or one that was trained "
            "in this app."
        )
    if model.config.dropout:
        raise ValueError(
            "This model uses dropout, which is random, so its gradients would differ each time. "
            'Train a model with dropout 0, or set "dropout" to 0.0 in the config.json of a copy.'
        )


def work_out_steps(
    model: Any, example: Example, name: str, step: int | None
) -> Generator[str, None, Worked]:
    """Computes everything that the pictures show of an example; yields the current activity. Raises
    ValueError for a model that cannot be explained.
    """
    from core.training.explained_example import explain_example_steps

    check_size(model)
    explained = yield from explain_example_steps(model, example.ids)
    trace, graph, pace = explained.trace, explained.graph, Pace()
    while trace.grow():
        if pace.is_due():
            yield "steps"
            pace.go_on()
    places = trace.about["places"]
    operations = operations_of(graph)
    edges = {
        (place.node, place.input): number
        for number, place in enumerate(places)
        if place.phase == "backward"
    }
    worked = Worked(
        example,
        name,
        step,
        explained,
        graph,
        operations,
        timeline_of(graph, operations, places),
        tuple(trace),
        explained.residual_gradients(),
        losses_of(explained),
        head_axes(graph.nodes, explained.model.config.n_head),
        edges,
    )
    yield from _shrink_steps(worked)
    return worked


def losses_of(explained: ExplainedExample) -> Array:
    """Returns (T) each token's own loss: -log of the probability of the next token."""
    logits = explained.named("logits").data[0]  # (T, V)
    chances = softmax(logits)[np.arange(len(logits)), explained.targets]
    return -np.log(np.maximum(chances, np.finfo(float).tiny))


def _shrink_steps(worked: Worked) -> Generator[str, None, None]:
    """Shrinks large arrays on the engine, so that no step of the player has to."""
    whats: list[tuple[Any, ...]] = [
        (kind, n) for n in range(len(worked.graph.nodes)) for kind in ("value", "gradient")
    ]
    whats += [("flow", edge) for edge in worked.edges]
    pace = Pace()
    for what in whats:
        if pace.is_due():
            yield "pictures"
            pace.go_on()
        array = worked.array(what)
        if array is None:
            continue
        worked.limits[what] = limit_of(array)
        if array.size >= LARGE:
            heads = array.shape[worked.axes[worked.node_of(what)] or 0]
            for head in range(heads if worked.axes[worked.node_of(what)] is not None else 1):
                pooled = worked.pooled(what, head)
                assert pooled is not None
                worked.large[(*what, head)] = pooled
