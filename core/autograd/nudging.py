"""The output of a graph if one of its nodes had another value, and the graph if its leaves had.

Only the nodes that depend on the changed ones are recomputed, so any node can be changed: leaves
and intermediate nodes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.autograd.gradient_check import NUDGE, NumericGradient, central_differences
from core.autograd.graph import Graph, Node, called_by_value
from core.autograd.operation import Array
from core.autograd.tensor import Tensor, apply


def output_if(graph: Graph, number: int, data: Array) -> Array:
    """Returns the graph's last node if node `number` were `data`, of its shape; changes no tensor.

    Raises ValueError for another shape, or if there is no such node.
    """
    was = _node(graph, number).tensor
    if np.shape(data) != was.shape:
        raise ValueError(f"{graph.nodes[number].label} has shape {was.shape}, not {np.shape(data)}")
    return _last_if(graph, number, np.asarray(data, was.data.dtype))


def _last_if(graph: Graph, number: int, data: Array) -> Array:
    """Recomputes the nodes that depend on node `number` from `data`; returns the last one."""
    changed: dict[int, Array] = {number: data}
    with np.errstate(all="ignore"):  # inf and nan are valid values
        for later in range(number + 1, len(graph.nodes)):
            node = graph.nodes[later]
            if node.tensor.operation is None or changed.keys().isdisjoint(node.inputs):
                continue
            arrays = [
                changed.get(before, graph.nodes[before].tensor.data) for before in node.inputs
            ]
            changed[later] = np.asarray(node.tensor.operation.forward(*arrays))
    last = len(graph.nodes) - 1
    return changed.get(last, graph.nodes[last].tensor.data)


def are_single_after(graph: Graph, number: int) -> bool:
    """Whether node `number` and all nodes that depend on it are single numbers, each by an
    elementwise operation of single numbers. Raises ValueError if there is no such node.
    """
    changed = {number}
    single = not _node(graph, number).tensor.shape
    for later, node in enumerate(graph.nodes[number + 1 :], number + 1):
        operation = node.tensor.operation
        if operation is None or changed.isdisjoint(node.inputs):
            continue
        changed.add(later)
        shapes = [graph.nodes[before].tensor.shape for before in node.inputs]
        single = single and operation.elementwise and not any(shapes)
    return single


def outputs_if(graph: Graph, number: int, values: Array) -> Array:
    """Returns the graph's last node for each of `values` of node `number`: both of shape (n,).

    Computes all at once, as elements of one array. Raises ValueError unless `are_single_after`.
    """
    if not are_single_after(graph, number):
        raise ValueError(
            f"what depends on {graph.nodes[number].label} is no single number everywhere; "
            "try its values one after the other, with output_if"
        )
    values = np.asarray(values, graph.nodes[number].tensor.data.dtype)
    return np.broadcast_to(_last_if(graph, number, values), values.shape)


def graph_if(graph: Graph, leaves: Mapping[int, Array]) -> Graph:
    """Returns the graph if some of its leaves, by number, were other arrays of their shapes.

    Nodes that depend on them get new Tensors; all others share those of `graph`. Raises ValueError
    for another shape, a node that is not a leaf, or a constant that is named by its value.
    """
    nodes = list(graph.nodes)
    for number, data in leaves.items():
        was = _node(graph, number).tensor
        if called_by_value(was):
            raise ValueError(
                f"{nodes[number].label} is called by its value; give it a name, to be another one"
            )
        if not was.is_leaf:
            raise ValueError(f"{nodes[number].label} is computed; only a leaf can be another array")
        if np.shape(data) != was.shape:
            raise ValueError(f"{nodes[number].label} has shape {was.shape}, not {np.shape(data)}")
        array = np.asarray(data, was.data.dtype)
        leaf = Tensor(array, name=was.name, requires_grad=was.requires_grad)
        nodes[number] = _with_tensor(nodes[number], leaf)
    changed = set(leaves)
    for number, node in enumerate(graph.nodes):
        operation = node.tensor.operation
        if operation is None or changed.isdisjoint(node.inputs):
            continue
        changed.add(number)
        out = apply(operation, *(nodes[before].tensor for before in node.inputs))
        nodes[number] = _with_tensor(node, out.named(node.tensor.name))
    return Graph(tuple(nodes))


def _node(graph: Graph, number: int) -> Node:
    last = len(graph.nodes) - 1
    if not 0 <= number <= last:
        raise ValueError(f"there is no node {number}; the graph has 0 to {last}")
    return graph.nodes[number]


def _with_tensor(node: Node, tensor: Tensor) -> Node:
    return Node(tensor, node.label, node.latex, node.text, node.inputs)


def numeric_gradient_of(graph: Graph, number: int, nudge: float = NUDGE) -> NumericGradient:
    """Returns dL/d(node) by central differences, for any node.

    Recomputes the nodes that depend on it four to sixteen times for each of its numbers, in
    float64.
    """

    def output(moved: Array) -> float:
        return float(_last_if(graph, number, moved).item())

    return central_differences(output, _node(graph, number).tensor.data, nudge)
