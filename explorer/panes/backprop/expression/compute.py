"""Works a formula out: its graph, every value and gradient, and the steps of core. No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from core.autograd import (
    Expression,
    ExpressionError,
    Flows,
    Graph,
    Parts,
    StepPlan,
    Tensor,
    flows_of,
    graph_if,
    graph_like,
    graph_of,
    parse,
    plan_of,
    step_at,
)
from core.autograd.flows import Edge
from core.autograd.grammar import PI
from core.trace import Step

Array = np.ndarray

FIRST_VALUES = (2.0, -3.0, 0.5, 1.0, -1.5, 0.8, 3.0, -0.4)  # of names without a value
MOST_NODES = 250  # of a graph
MOST_NUMBERS = 50_000  # that all operations together may work on, so that a short text is quick


@dataclass(frozen=True, eq=False)
class Computed:
    """A formula with values for its names, worked out.

    values  of all names in it
    broken  the first node that is not finite, or None
    read    the graph as the text was read, for whose Tensors `parts` knows what they stand for
    """

    expression: Expression
    values: Mapping[str, Array]
    graph: Graph
    plan: StepPlan
    flows: Flows
    broken: int | None
    read: Graph
    parts: Parts

    @property
    def text(self) -> str:
        return self.expression.text

    @property
    def output(self) -> int:
        return len(self.graph.nodes) - 1

    @property
    def result(self) -> float:
        return self.value(self.output).item()

    @cached_property
    def leaves(self) -> dict[str, int]:
        """The leaves that can be moved, by name, as they stand in the graph."""
        return {
            node.label: number
            for number, node in enumerate(self.graph.nodes)
            if node.is_leaf and node.tensor.requires_grad and node.tensor.name
        }

    def places(self, number: int) -> list[tuple[int, int]]:
        """Where a node stands in the text (start and length): an operation once, an input where a
        line gives it numbers and wherever it is read.
        """
        return [
            self.expression.place(part) for part in self.parts.of(self.read.nodes[number].tensor)
        ]

    def line(self, number: int) -> int | None:
        """The line of the text, from 1, that gives a node its name; None where no line does."""
        return self.parts.lines.get(self.read.nodes[number].tensor)

    def value(self, number: int) -> Array:
        return self.graph.nodes[number].tensor.data

    def gradient(self, number: int) -> Array | None:
        """dL/d(node) after backward; None for a constant."""
        return self.flows.gradients[number]

    def gradient_at(self, number: int, moment: int) -> Array | None:
        """As much of the gradient of a node as is there at a moment."""
        found: Array | None = None
        for at, edge in self.plan.grows[number]:
            if at > moment:
                break
            found = np.ones_like(self.value(number)) if edge is None else self.flows.arrived[edge]
        return found

    def is_final(self, number: int, moment: int) -> bool:
        """Whether the gradient of a node changes no more."""
        grows = self.plan.grows[number]
        return bool(grows) and grows[-1][0] <= moment

    def is_broken(self, number: int) -> bool:
        """Whether the value of a node is not finite, or not everywhere."""
        return not is_finite(self.value(number))

    def local(self, edge: Edge) -> Array | None:
        """d(node)/d(input) of every element; None where the operation is not elementwise."""
        tensor = self.graph.nodes[edge[0]].tensor
        if tensor.operation is None:
            return None
        arrays = [before.data for before in tensor.inputs]
        with np.errstate(all="ignore"):
            return tensor.operation.local(edge[1], tensor.data, *arrays)

    def contribution(self, edge: Edge) -> Array:
        """What an operation hands back to an input; if that was broadcast, one number per copy."""
        tensor, upstream = self.graph.nodes[edge[0]].tensor, self.gradient(edge[0])
        assert tensor.operation is not None and upstream is not None
        arrays = [before.data for before in tensor.inputs]
        with np.errstate(all="ignore"):
            handed = tensor.operation.contribution(edge[1], upstream, tensor.data, *arrays)
        return np.asarray(handed)

    def is_copied(self, edge: Edge) -> bool:
        """Whether an operation reads an input several times over, as broadcasting does."""
        tensor = self.graph.nodes[edge[0]].tensor
        assert tensor.operation is not None
        shapes = [before.shape for before in tensor.inputs]
        handed = tensor.operation.contribution_shape(edge[1], tensor.shape, *shapes)
        return math.prod(handed) > tensor.inputs[edge[1]].data.size

    def step(self, moment: int) -> Step | None:
        """What core did at a moment; None for the first, which shows the inputs."""
        return _step(self, moment) if moment > 0 else None

    @cached_property
    def numbers(self) -> int:
        """How many all nodes have together."""
        return sum(node.tensor.data.size for node in self.graph.nodes)


@lru_cache(maxsize=16)  # picture and inspector ask for the same ones again and again
def _step(computed: Computed, moment: int) -> Step:
    return step_at(computed.graph, moment - 1, computed.flows, computed.plan.places[1:])


parsed = lru_cache(maxsize=8)(parse)  # who types asks for names and numbers, then for all of it


def compute(text: str, values: Mapping[str, Any], known: Computed | None = None) -> Computed:
    """Works a formula out. Names without a value get one of FIRST_VALUES.

    `known` is the same formula with other values: it spares reading it again, and when every shape
    is as it was, planning and whatever does not depend on what has changed. Raises
    ExpressionError, with the place and the remedy.
    """
    same = known is not None and known.text == text
    expression = known.expression if known is not None and same else parsed(text)
    wanted = {name: array_of(value) for name, value in with_names(text, values).items()}
    names = (*expression.names, *expression.defaults)
    used = {**expression.defaults} | {name: wanted[name] for name in names if name in wanted}
    if known is not None and same and _fits(used, known.values):
        return _moved(known, used)
    parts = Parts()
    try:
        output = expression.evaluate(used, parts, MOST_NUMBERS)
    except ExpressionError as error:
        raise _with_shapes(error, expression, used) from None
    _check(output, text)
    graph = graph_like(output, known.graph) if known is not None else None
    if graph is not None and known is not None:
        plan = known.plan
    else:
        graph = graph_of(output)
        if len(graph.nodes) > MOST_NODES:
            raise ExpressionError(
                f"this formula has {len(graph.nodes):,} inputs and operations, and at most "
                f"{MOST_NODES} can be drawn; use fewer terms, or lists: sum(w * x) replaces many "
                "products"
            )
        plan = plan_of(graph)
    return Computed(expression, used, graph, plan, flows_of(graph), _broken(graph), graph, parts)


def _fits(used: Mapping[str, Array], known: Mapping[str, Array]) -> bool:
    """Whether these are other values of the same names and shapes."""
    return used.keys() == known.keys() and all(
        np.shape(array) == np.shape(known[name]) for name, array in used.items()
    )


def _moved(known: Computed, values: Mapping[str, Array]) -> Computed:
    """The same formula with other values of the same shapes: what they do not change is shared."""
    moved = {name for name, one in values.items() if one.tobytes() != known.values[name].tobytes()}
    if not moved:
        return known
    leaves = {number: values[name] for name, number in known.leaves.items() if name in moved}
    graph = graph_if(known.graph, leaves)
    return replace(known, values=values, graph=graph, flows=flows_of(graph), broken=_broken(graph))


def _with_shapes(
    error: ExpressionError, expression: Expression, values: Mapping[str, Array]
) -> ExpressionError:
    """Where shapes do not fit, says which names have one that does not stand in the text."""
    shaped = [name for name in expression.names if name in values and np.ndim(values[name])]
    if "shape" not in str(error) or not shaped:
        return error
    shapes = ", ".join(f"{name} has shape {np.shape(values[name])}" for name in shaped)
    remedy = f"add a line such as {shaped[0]} = 1 to change its value"
    return ExpressionError(f"{error}; {shapes}; {remedy}", error.start, error.length)


def with_names(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, and one for each name of the formula that has none yet; all are kept."""
    expression, found = readable(text), dict(values)
    for name in expression.names if expression is not None else ():
        if name not in found and name not in PI:
            found[name] = FIRST_VALUES[len(found) % len(FIRST_VALUES)]
    return found


def given_in(text: str) -> Mapping[str, Array]:
    """The names that a line of a formula gives numbers; none where it cannot be read."""
    expression = readable(text)
    return {} if expression is None else expression.defaults


def readable(text: str) -> Expression | None:
    """The formula; None where it cannot be read."""
    try:
        return parsed(text)
    except ExpressionError:
        return None


def array_of(value: Any) -> Array:
    """A number or nested lists of numbers. Raises ExpressionError for anything else."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.empty(0)
    if array.size == 0 or array.ndim > 4:
        raise ExpressionError("a value is a number, or rows of numbers of equal length")
    return array


def _check(output: Tensor, text: str) -> None:
    """Raises ExpressionError where no backward can start, or nothing could be changed."""
    whole = text.rstrip()
    start = whole.rfind("\n") + 1
    if output.data.size != 1:
        raise ExpressionError(
            f"the last line gives {output.data.size} numbers (shape {output.shape}), and backward "
            "has to start from a single number; put sum( ) or mean( ) around it",
            start,
            len(whole) - start,
        )
    if not output.requires_grad:
        raise ExpressionError(
            "this formula has no names, so there is nothing to change; add one, for example w",
            start,
            len(whole) - start,
        )
    if output.is_leaf:
        raise ExpressionError(
            f"{output.name} alone is not an operation; write for example {output.name} * 2",
            start,
            len(whole) - start,
        )


def is_finite(array: Array) -> bool:
    """Whether all of its numbers are."""
    return math.isfinite(array.item()) if array.size == 1 else bool(np.isfinite(array).all())


def _broken(graph: Graph) -> int | None:
    """The first node that is not finite: all that it was computed from is."""
    arrays = enumerate(node.tensor.data for node in graph.nodes)
    return next((number for number, array in arrays if not is_finite(array)), None)
