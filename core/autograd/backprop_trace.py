"""A graph as a Trace: forward operation by operation, then backward edge by edge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from core.autograd.graph import Graph, graph_of
from core.autograd.operation import Array, accumulate, sum_to
from core.autograd.tensor import Tensor
from core.trace import Step, Trace, Value

_HERE = "core.autograd.operation"
LARGE = 2**16  # bytes from which a Step asks for an array rather than holding it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step happens: at a node, or on the edge from it to its input number `input`.

    phase  "forward"     the node gets its value
           "seed"        dL/dL = 1, where backward begins
           "backward"    the node hands its gradient on, through its local derivative
           "copies"      what came to the copies of a broadcast input is added up
           "accumulate"  the input has a gradient already, from another use, and they are added
    """

    phase: str
    node: int
    input: int | None = None


def trace_backprop(output: Tensor) -> Trace:
    """Everything that made `output`, one number, and everything that `output.backward()` does.

    The Trace grows when it is asked to (`grow`); `about` has its graph (a `Graph`) and `places`, a
    `Place` for each step. Steps "copies" and "accumulate" are parts of the step whose contribution
    they treat. The tensors' own `grad` are not touched: gradients here are those of one backward
    from empty ones. Raises ValueError when `output` is not one number.
    """
    if output.data.size != 1:
        raise ValueError(
            f"backward starts from one number, and this has shape {output.shape}; trace its sum or "
            "mean"
        )
    graph = graph_of(output)
    places = tuple(_plan(graph))
    return Trace.follow(_steps(graph, places), {"graph": graph, "places": places})


def _plan(graph: Graph) -> Iterator[Place]:
    """The steps in the order of `Tensor.backward`."""
    last = len(graph.nodes) - 1
    for number, node in enumerate(graph.nodes):
        if not node.is_leaf:
            yield Place("forward", number)
    yield Place("seed", last)
    reached = {last}
    for number in range(last, -1, -1):
        out = graph.nodes[number]
        for index, before in enumerate(out.inputs):
            tensor = graph.nodes[before].tensor
            if number not in reached or not tensor.requires_grad:
                continue
            yield Place("backward", number, index)
            if _flows(out.tensor, index) != tensor.shape:
                yield Place("copies", number, index)
            if before in reached:
                yield Place("accumulate", number, index)
            reached.add(before)


def _flows(out: Tensor, index: int) -> tuple[int, ...]:
    """Shape of what flows back to an input before the copies of a broadcast are added up."""
    assert out.operation is not None
    if out.operation.elementwise:
        return out.shape
    if out.operation.symbol == "@":  # axes in front broadcast
        return (*out.shape[:-2], *out.inputs[index].shape[-2:])
    return out.inputs[index].shape


def _steps(graph: Graph, places: tuple[Place, ...]) -> Iterator[Step]:
    grads: dict[int, Array] = {}
    for index, place in enumerate(places):
        if place.phase == "forward":
            yield _forward(graph, place.node)
        elif place.phase == "seed":
            grads[place.node] = np.ones_like(graph.nodes[place.node].tensor.data)
            yield _seed(graph, place.node, grads[place.node])
        elif place.phase == "backward":
            yield from _edge(graph, place, index, grads)


def _edge(graph: Graph, place: Place, index: int, grads: dict[int, Array]) -> Iterator[Step]:
    """What flows along one edge: the step `index`, and those that are parts of it."""
    out = graph.nodes[place.node]
    assert place.input is not None
    number = out.inputs[place.input]
    node, upstream = graph.nodes[number], grads[place.node]
    with np.errstate(all="ignore"):
        step, contribution = _through(graph, place.node, place.input, upstream)
    yield step
    slope = _slope(node.latex)
    if contribution.shape != node.tensor.shape:
        total = sum_to(contribution, node.tensor.shape)
        title = f"{node.label} was copied: what its copies get is added up"
        values = {"contribution": contribution, "total": _with_axes(total, contribution.ndim)}
        formula = rf"\sum_{{\text{{copies}}}} {slope}"
        yield _part("copies", title, formula, "sum_to#sum_copies", values, index)
        contribution = total
    if number in grads:
        with np.errstate(all="ignore"):
            total = accumulate(grads[number], contribution)
        title = f"{node.label} is used more than once: its gradients add up"
        values = {"grad": grads[number], "contribution": contribution, "total": total}
        formula = rf"{slope} = \sum_{{\text{{uses}}}} \text{{contribution}}"
        yield _part("accumulate", title, formula, "accumulate#accumulate", values, index)
        contribution = total
    grads[number] = contribution


def _forward(graph: Graph, number: int) -> Step:
    node = graph.nodes[number]
    operation = node.tensor.operation
    assert operation is not None
    names = [graph.nodes[before].latex for before in node.inputs]
    values = {"out": _held(node.tensor.data), **_inputs(node.tensor)}
    title = f"{node.label} = {node.text}"
    formula = operation.latex(node.latex, *names)
    return Step(f"forward.{operation.name}", title, formula, operation.marker(), values)


def _seed(graph: Graph, number: int, seed: Array) -> Step:
    node = graph.nodes[number]
    title = f"Backward begins: how {node.label} changes with itself"
    formula = rf"{_slope(node.latex)} = 1"
    code = "core.autograd.tensor:Tensor.backward#seed"
    return Step("backward.seed", title, formula, code, {"seed": seed})


def _through(graph: Graph, number: int, index: int, upstream: Array) -> tuple[Step, Array]:
    """The step along one edge, and the contribution that flows along it."""
    node, before = graph.nodes[number], graph.nodes[graph.nodes[number].inputs[index]]
    operation = node.tensor.operation
    assert operation is not None
    arrays = [tensor.data for tensor in node.tensor.inputs]
    out = node.tensor.data
    contribution = np.asarray(operation.contribution(index, upstream, out, *arrays))
    values = {"upstream": _held(upstream), "contribution": _held(contribution)}
    if operation.elementwise:
        values["local"] = _later(lambda: operation.local(index, out, *arrays), out.nbytes)
    values |= {"out": _held(out), **_inputs(node.tensor)}
    names = [graph.nodes[number].latex for number in node.inputs]
    flow = operation.latex_grad(index, _slope(node.latex), node.latex, *names)
    formula = rf"{_slope(before.latex)} \; {{+}}{{=}} \; {flow}"
    title = f"{before.label} gets its share of the gradient of {node.label}"
    code = operation.marker(index)
    return Step(f"backward.{operation.name}", title, formula, code, values), contribution


def _part(
    name: str, title: str, formula: str, line: str, values: dict[str, Array], parent: int
) -> Step:
    held = {key: _held(value) for key, value in values.items()}
    return Step(f"backward.{name}", title, formula, f"{_HERE}:{line}", held, parent)


def _slope(latex: str) -> str:
    return rf"\frac{{\partial L}}{{\partial {latex}}}"


def _inputs(tensor: Tensor) -> dict[str, Value]:
    operation = tensor.operation
    assert operation is not None
    return {
        operation.input_name(index): _held(before.data)
        for index, before in enumerate(tensor.inputs)
    }


def _held(array: Array) -> Value:
    """An array of the graph, which lives as long as the graph does: a large one costs no budget."""
    return _later(lambda: array, array.nbytes)


def _later(compute: Callable[[], Array | None], nbytes: int) -> Value:
    def value() -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(compute())

    return value if nbytes >= LARGE else value()


def _with_axes(total: Array, ndim: int) -> Array:
    """`total` with axes of size 1 in front, as it stands at the marked line of `sum_to`."""
    return total.reshape((1,) * (ndim - total.ndim) + total.shape)
