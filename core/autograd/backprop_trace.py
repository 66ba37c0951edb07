"""A graph as a Trace: forward operation by operation, then backward edge by edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from core.autograd.flows import Edge, Flows, flows_of
from core.autograd.graph import Graph, Node, graph_of
from core.autograd.operation import Array, copied_axes
from core.autograd.tensor import Flow, Tensor, edges_back, flow_back
from core.marked_line import marked_line
from core.trace import Step, Trace, Value

_HERE = "core.autograd.operation"
LARGE = 2**16  # bytes; a Step fetches arrays of this size or more on demand


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a step: a node, or the edge from a node to its input number `input`.

    phase  "forward"     the node gets its value
           "seed"        dL/dL = 1, where backward begins
           "backward"    the node passes its gradient back, through its local derivative
           "copies"      the contributions to the copies of a broadcast input are added up
           "accumulate"  the contribution is added to the input's gradient from another use
    """

    phase: str
    node: int
    input: int | None = None


def trace_backprop(output: Tensor) -> Trace:
    """Returns the Trace of all operations behind `output`, one number, and of `output.backward()`.

    The Trace grows on demand (`grow`); `about` has its graph (a `Graph`) and `places`, a `Place`
    for each step. Steps "copies" and "accumulate" are parts of the step whose contribution they
    process. The `grad` of the tensors does not change: gradients in the Trace are those of one
    backward pass from empty ones. Raises ValueError if `output` is not a Tensor or not one number.
    """
    if not isinstance(output, Tensor):
        raise ValueError(f"a Tensor is traced, not a {type(output).__name__}; compute with Tensors")
    return trace_graph(graph_of(output))


def trace_graph(graph: Graph) -> Trace:
    """Returns the Trace of an existing graph, as `trace_backprop` does. Raises ValueError if its
    last node is not one number.
    """
    output = graph.nodes[-1].tensor
    if output.data.size != 1:
        raise ValueError(
            f"backward starts from one number, and this has shape {output.shape}; trace its sum or "
            "mean"
        )
    return Trace.follow(_steps(graph), {"graph": graph, "places": places_of(graph)})


def places_of(graph: Graph) -> tuple[Place, ...]:
    """Returns the place of each step of the graph's Trace, in the order of `Tensor.backward`."""
    return tuple(_places(graph))


def _places(graph: Graph) -> Iterator[Place]:
    order = [node.tensor for node in graph.nodes]
    numbers = {tensor: number for number, tensor in enumerate(order)}
    for number, node in enumerate(graph.nodes):
        if not node.is_leaf:
            yield Place("forward", number)
    yield Place("seed", len(order) - 1)
    reached = {order[-1]}
    for out, index in edges_back(order):
        number, tensor = numbers[out], out.inputs[index]
        yield Place("backward", number, index)
        assert out.operation is not None
        shapes = [before.shape for before in out.inputs]
        flowing = out.operation.contribution_shape(index, out.shape, *shapes)
        if math.prod(flowing) > tensor.data.size:
            yield Place("copies", number, index)
        if tensor in reached:
            yield Place("accumulate", number, index)
        reached.add(tensor)


def step_at(
    graph: Graph,
    index: int,
    flows: Flows | None = None,
    places: Sequence[Place] | None = None,
) -> Step:
    """Returns step number `index` of the graph's Trace without making those before it. `flows` and
    `places` are those of the graph, if already known. Raises IndexError if there is no such step.
    """
    places = places_of(graph) if places is None else places
    if not 0 <= index < len(places):
        raise IndexError(f"there is no step {index}")
    place = places[index]
    node = graph.nodes[place.node]
    if place.phase == "forward":
        return _forward(graph, node)
    if place.input is None:
        return _seed(node, np.ones_like(node.tensor.data))
    flow = _flow_at(graph, flows or flows_of(graph), (place.node, place.input))
    target = graph.nodes[node.inputs[place.input]]
    if place.phase == "backward":
        return _through(graph, node, target, flow)
    parent = places.index(Place("backward", place.node, place.input))
    return (_copies if place.phase == "copies" else _accumulate)(target, flow, parent)


def _flow_at(graph: Graph, flows: Flows, edge: Edge) -> Flow:
    """Returns the Flow along an edge, from the recorded flows of one backward pass."""
    tensor, index = graph.nodes[edge[0]].tensor, edge[1]
    upstream, operation = flows.gradients[edge[0]], tensor.operation
    assert operation is not None and upstream is not None
    arrays = [one.data for one in tensor.inputs]
    with np.errstate(all="ignore"):  # inf and nan are valid values
        contribution = np.asarray(operation.contribution(index, upstream, tensor.data, *arrays))
    nodes, before = graph.nodes, None
    target = nodes[edge[0]].inputs[index]
    for other, grad in flows.arrived.items():  # in the order of backward
        if other == edge:
            break
        if nodes[other[0]].inputs[other[1]] == target:
            before = grad
    return Flow(
        tensor, index, upstream, contribution, flows.along[edge], before, flows.arrived[edge]
    )


def _steps(graph: Graph) -> Iterator[Step]:
    return (make() for make in _makers(graph))


def _makers(graph: Graph) -> Iterator[Callable[[], Step]]:
    """Yields a function that makes each step, so that skipping steps is cheap."""
    order = [node.tensor for node in graph.nodes]
    nodes = {node.tensor: node for node in graph.nodes}
    made = 0  # steps so far
    for node in graph.nodes:
        if not node.is_leaf:
            made += 1
            yield partial(_forward, graph, node)
    grads = {order[-1]: np.ones_like(order[-1].data)}
    made += 1
    yield partial(_seed, graph.nodes[-1], grads[order[-1]])
    flows = flow_back(order, grads)
    while (flow := _next(flows)) is not None:
        out, node = nodes[flow.out], nodes[flow.out.inputs[flow.number]]
        makers = [partial(_through, graph, out, node, flow)]
        if flow.contribution.size > node.tensor.data.size:
            makers.append(partial(_copies, node, flow, made))
        if flow.before is not None:
            makers.append(partial(_accumulate, node, flow, made))
        made += len(makers)
        yield from makers


def _next(flows: Iterator[Flow]) -> Flow | None:
    with np.errstate(all="ignore"):  # inf and nan are valid values
        return next(flows, None)


def _copies(node: Node, flow: Flow, parent: int) -> Step:
    title = f"{node.label} was copied, so the contributions to its copies add up"
    total = _with_axes(flow.flow, flow.contribution.ndim)
    values: dict[str, Value] = {"contribution": _contribution(flow), "total": _held(total)}
    values["axes"] = np.asarray(copied_axes(flow.contribution.shape, flow.flow.shape))
    slope = _slope(node.latex)
    formula = rf"{slope} \; {{+}}{{=}} \; \sum_{{\text{{copies}}}} \text{{contribution}}"
    return _part("copies", title, formula, "sum_to#sum_copies", values, parent)


def _accumulate(node: Node, flow: Flow, parent: int) -> Step:
    title = f"{node.label} is used more than once, so its contributions add up"
    assert flow.before is not None
    same = flow.contribution.shape == flow.flow.shape
    values = {
        "grad": _held(flow.before),
        "contribution": _contribution(flow) if same else _held(flow.flow),
        "total": _held(flow.grad),
    }
    formula = rf"{_slope(node.latex)} = \sum_{{\text{{uses}}}} \text{{contribution}}"
    return _part("accumulate", title, formula, "accumulate#accumulate", values, parent)


def _forward(graph: Graph, node: Node) -> Step:
    operation = node.tensor.operation
    assert operation is not None
    names = [graph.nodes[before].latex for before in node.inputs]
    values = {"out": _held(node.tensor.data), **_inputs(node.tensor)}
    values |= _reads(node.tensor, None, None, values)
    title = f"{node.label} = {node.text}"
    formula = operation.latex(node.latex, *names)
    return Step(f"forward.{operation.name}", title, formula, operation.marker(), values)


def _seed(node: Node, seed: Array) -> Step:
    title = f"The backward pass begins at {node.label}, whose gradient is 1"
    formula = rf"{_slope(node.latex)} = 1"
    code = "core.autograd.tensor:Tensor.backward_steps#seed"
    return Step("backward.seed", title, formula, code, {"seed": seed})


def _through(graph: Graph, out: Node, node: Node, flow: Flow) -> Step:
    """Returns the step that passes a contribution from `out` back to `node`, one of its inputs."""
    operation, index, data = out.tensor.operation, flow.number, out.tensor.data
    assert operation is not None
    arrays = [tensor.data for tensor in out.tensor.inputs]
    values = {"upstream": _held(flow.upstream), "contribution": _contribution(flow)}
    if "local" in marked_line(operation.marker(index)).reads:
        values["local"] = _later(lambda: operation.local(index, data, *arrays), data.nbytes)
    values |= {"out": _held(data), **_inputs(out.tensor)}
    values |= _reads(out.tensor, index, flow.upstream, values)
    names = [graph.nodes[number].latex for number in out.inputs]
    slopes = _slope(node.latex), _slope(out.latex)
    formula = operation.latex_flow(index, *slopes, out.latex, *names)
    title = f"{node.label} gets a contribution from {out.label}"
    code = operation.marker(index)
    return Step(f"backward.{operation.name}", title, formula, code, values)


def _part(
    name: str, title: str, formula: str, line: str, values: dict[str, Value], parent: int
) -> Step:
    return Step(f"backward.{name}", title, formula, f"{_HERE}:{line}", values, parent)


def _slope(latex: str) -> str:
    return rf"\frac{{\partial L}}{{\partial {latex}}}"


def _inputs(tensor: Tensor) -> dict[str, Value]:
    operation = tensor.operation
    assert operation is not None
    return {
        operation.input_name(index): _held(before.data)
        for index, before in enumerate(tensor.inputs)
    }


def _reads(
    out: Tensor, index: int | None, upstream: Array | None, values: Mapping[str, Value]
) -> dict[str, Value]:
    """Returns the values that the operation's marked line reads in addition to `values`."""
    operation = out.operation
    assert operation is not None
    line = marked_line(operation.marker(index))
    more = [name for name in line.reads if name not in values]
    if not more:
        return {}
    data, arrays = out.data, [before.data for before in out.inputs]

    def found() -> Mapping[str, Array]:
        with np.errstate(all="ignore"):
            return operation.reads(index, upstream, data, *arrays)

    if not line.computes or max(data.nbytes, *(one.nbytes for one in arrays)) < LARGE:
        known = found()
        return {name: np.asarray(known[name]) for name in more if name in known}
    return {name: _named(found, name) for name in more}


def _named(found: Callable[[], Mapping[str, Array]], name: str) -> Callable[[], Array]:
    return lambda: np.asarray(found()[name])


def _held(array: Array) -> Value:
    """Returns an array of the graph or its gradients as a step's value. These arrays live as long
    as the Trace, one for each tensor, so that a large one costs no budget.
    """
    return _later(lambda: array, array.nbytes)


def _contribution(flow: Flow) -> Value:
    """Returns the contribution along an edge; a large one is recomputed on demand, not stored."""
    operation, out, number, upstream = flow.out.operation, flow.out, flow.number, flow.upstream
    assert operation is not None
    if flow.contribution is flow.grad:
        return _held(flow.grad)
    arrays = [tensor.data for tensor in out.inputs]
    return _later(
        lambda: operation.contribution(number, upstream, out.data, *arrays),
        flow.contribution.nbytes,
    )


def _later(compute: Callable[[], Array | None], nbytes: int) -> Value:
    def value() -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(compute())

    return value if nbytes >= LARGE else value()


def _with_axes(total: Array, ndim: int) -> Array:
    """Returns `total` with leading axes of size 1, its shape at the marked line of `sum_to`."""
    return total.reshape((1,) * (ndim - total.ndim) + total.shape)
