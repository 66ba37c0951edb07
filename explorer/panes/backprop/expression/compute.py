"""Evaluates a formula with core: its graph, all values and gradients, and the steps. No Qt."""

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

FIRST_VALUES = (2.0, -3.0, 0.5, 1.0, -1.5, 0.8, 3.0, -0.4)  # for names without a value
MOST_NODES = 250  # in a graph
MOST_NUMBERS = 50_000  # that all operations together may process, so that a short text stays fast


@dataclass(frozen=True, eq=False)
class Computed:
    """A formula evaluated with values for its names.

    values  of all names in it
    broken  the first node that is not finite, or None
    read    the graph of the first evaluation, whose Tensors are the keys of `parts`
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
        """The leaves that can be changed: node number by name."""
        return {
            node.label: number
            for number, node in enumerate(self.graph.nodes)
            if node.is_leaf and node.tensor.requires_grad and node.tensor.name
        }

    def places(self, number: int) -> list[tuple[int, int]]:
        """Returns where a node appears in the text (start and length): an operation once, an input
        wherever it is assigned or read.
        """
        return [
            self.expression.place(part) for part in self.parts.of(self.read.nodes[number].tensor)
        ]

    def line(self, number: int) -> int | None:
        """Returns the line of the text, from 1, that names a node, or None."""
        return self.parts.lines.get(self.read.nodes[number].tensor)

    def value(self, number: int) -> Array:
        return self.graph.nodes[number].tensor.data

    def gradient(self, number: int) -> Array | None:
        """Returns dL/d(node) after backward; None for a constant."""
        return self.flows.gradients[number]

    def gradient_at(self, number: int, moment: int) -> Array | None:
        """Returns the part of a node's gradient that is known at a moment, or None."""
        found: Array | None = None
        for at, edge in self.plan.grows[number]:
            if at > moment:
                break
            found = np.ones_like(self.value(number)) if edge is None else self.flows.arrived[edge]
        return found

    def is_final(self, number: int, moment: int) -> bool:
        """True if the gradient of a node is complete at a moment."""
        grows = self.plan.grows[number]
        return bool(grows) and grows[-1][0] <= moment

    def is_broken(self, number: int) -> bool:
        """True if the value of a node is not finite everywhere."""
        return not is_finite(self.value(number))

    def local(self, edge: Edge) -> Array | None:
        """Returns d(node)/d(input) elementwise; None where the operation is not elementwise."""
        tensor = self.graph.nodes[edge[0]].tensor
        if tensor.operation is None:
            return None
        arrays = [before.data for before in tensor.inputs]
        with np.errstate(all="ignore"):
            return tensor.operation.local(edge[1], tensor.data, *arrays)

    def contribution(self, edge: Edge) -> Array:
        """Returns an operation's contribution to the gradient of an input; if that was broadcast,
        one number per copy.
        """
        tensor, upstream = self.graph.nodes[edge[0]].tensor, self.gradient(edge[0])
        assert tensor.operation is not None and upstream is not None
        arrays = [before.data for before in tensor.inputs]
        with np.errstate(all="ignore"):
            handed = tensor.operation.contribution(edge[1], upstream, tensor.data, *arrays)
        return np.asarray(handed)

    def is_copied(self, edge: Edge) -> bool:
        """True if an operation reads an input several times over, as broadcasting does."""
        tensor = self.graph.nodes[edge[0]].tensor
        assert tensor.operation is not None
        shapes = [before.shape for before in tensor.inputs]
        handed = tensor.operation.contribution_shape(edge[1], tensor.shape, *shapes)
        return math.prod(handed) > tensor.inputs[edge[1]].data.size

    def step(self, moment: int) -> Step | None:
        """Returns the step of core at a moment; None for the first, which shows the inputs."""
        return _step(self, moment) if moment > 0 else None

    @cached_property
    def numbers(self) -> int:
        """The number of elements in all nodes together."""
        return sum(node.tensor.data.size for node in self.graph.nodes)


@lru_cache(maxsize=16)  # picture and inspector request the same steps repeatedly
def _step(computed: Computed, moment: int) -> Step:
    return step_at(computed.graph, moment - 1, computed.flows, computed.plan.places[1:])


parsed = lru_cache(maxsize=8)(parse)  # each keystroke parses the same text several times


def compute(text: str, values: Mapping[str, Any], known: Computed | None = None) -> Computed:
    """Evaluates a formula. Names without a value get one of FIRST_VALUES.

    `known` is the same formula with other values: it saves parsing and, if every shape is
    unchanged, planning and recomputing nodes that do not depend on the change. Raises
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
    """True if both have the same names and shapes."""
    return used.keys() == known.keys() and all(
        np.shape(array) == np.shape(known[name]) for name, array in used.items()
    )


def _moved(known: Computed, values: Mapping[str, Array]) -> Computed:
    """Returns the formula with new values of the same shapes; unchanged nodes are shared."""
    moved = {name for name, one in values.items() if one.tobytes() != known.values[name].tobytes()}
    if not moved:
        return known
    leaves = {number: values[name] for name, number in known.leaves.items() if name in moved}
    graph = graph_if(known.graph, leaves)
    return replace(known, values=values, graph=graph, flows=flows_of(graph), broken=_broken(graph))


def _with_shapes(
    error: ExpressionError, expression: Expression, values: Mapping[str, Array]
) -> ExpressionError:
    """Adds to a shape error the shapes of the names whose shape the text does not show."""
    shaped = [name for name in expression.names if name in values and np.ndim(values[name])]
    if "shape" not in str(error) or not shaped:
        return error
    shapes = ", ".join(f"{name} has shape {np.shape(values[name])}" for name in shaped)
    remedy = f"add a line such as {shaped[0]} = 1 to change its value"
    return ExpressionError(f"{error}; {shapes}; {remedy}", error.start, error.length)


def with_names(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all values, plus one for each name of the formula that has none yet."""
    expression, found = readable(text), dict(values)
    for name in expression.names if expression is not None else ():
        if name not in found and name not in PI:
            found[name] = FIRST_VALUES[len(found) % len(FIRST_VALUES)]
    return found


def given_in(text: str) -> Mapping[str, Array]:
    """Returns the names to which a line assigns numbers; empty if the formula is invalid."""
    expression = readable(text)
    return {} if expression is None else expression.defaults


def readable(text: str) -> Expression | None:
    """Returns the parsed formula, or None if it is invalid."""
    try:
        return parsed(text)
    except ExpressionError:
        return None


def array_of(value: Any) -> Array:
    """Returns an array from a number or nested lists. Raises ExpressionError for anything else."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.empty(0)
    if array.size == 0 or array.ndim > 4:
        raise ExpressionError("a value is a number, or rows of numbers of equal length")
    return array


def _check(output: Tensor, text: str) -> None:
    """Raises ExpressionError if backward cannot start here, or if there is nothing to change."""
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
    """True if all elements are finite."""
    return math.isfinite(array.item()) if array.size == 1 else bool(np.isfinite(array).all())


def _broken(graph: Graph) -> int | None:
    """Returns the first node that is not finite, whose inputs all are; None if there is none."""
    arrays = enumerate(node.tensor.data for node in graph.nodes)
    return next((number for number, array in arrays if not is_finite(array)), None)
