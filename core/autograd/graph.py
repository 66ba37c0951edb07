"""The graph behind a tensor as data: its nodes in order, with names in plain text and LaTeX."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from core.autograd.naming import parted
from core.autograd.operation import Operation
from core.autograd.tensor import Tensor, topological_order
from core.numbers import typeset

_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau"
    "|upsilon|phi|chi|psi|omega"
)
_NUMBERED = re.compile(r"^([A-Za-z]+)_?(\d+)$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Node:
    """One tensor of the graph.

    label, latex  its name: the user's, the number of a constant, or v1, v2, ... in order
    text          the operation that computes it ("w * x"); for a leaf its label
    inputs        numbers of the nodes that it was computed from
    """

    tensor: Tensor
    label: str
    latex: str
    text: str
    inputs: tuple[int, ...]

    @property
    def is_leaf(self) -> bool:
        """Whether it was not computed by an operation."""
        return self.tensor.is_leaf


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in topological order: inputs before the nodes that use them, the output last."""

    nodes: tuple[Node, ...]


def graph_of(output: Tensor) -> Graph:
    """Returns the graph that ends at `output`; numbers and names depend only on the graph."""
    order = topological_order(output)
    numbers = {id(tensor): number for number, tensor in enumerate(order)}
    taken = {tensor.name for tensor in order}
    free = (name for count in range(1, len(order) + len(taken) + 1) if (name := f"v{count}"))
    nodes: list[Node] = []
    for tensor in order:
        inputs = tuple(numbers[id(before)] for before in tensor.inputs)
        label = tensor.name or _number(tensor) or next(name for name in free if name not in taken)
        text = label
        if tensor.operation is not None:
            text = tensor.operation.text(*(nodes[number].label for number in inputs))
        nodes.append(Node(tensor, label, latex_name(label), text, inputs))
    return Graph(tuple(nodes))


def graph_like(output: Tensor, known: Graph) -> Graph | None:
    """Returns the graph of `output` with the names of a known graph, or None if the two differ in
    more than their values.
    """
    order = topological_order(output)
    if len(order) != len(known.nodes):
        return None
    numbers = {id(tensor): number for number, tensor in enumerate(order)}
    nodes: list[Node] = []
    for tensor, node in zip(order, known.nodes, strict=True):
        before = node.tensor
        same = tensor.name == before.name and tensor.shape == before.shape
        same = same and _same_operation(tensor.operation, before.operation)
        same = same and tensor.requires_grad == before.requires_grad
        inputs = tuple(numbers[id(one)] for one in tensor.inputs)
        if not same or inputs != node.inputs or _number(tensor) != _number(before):
            return None
        nodes.append(Node(tensor, node.label, node.latex, node.text, inputs))
    return Graph(tuple(nodes))


def _same_operation(one: Operation | None, other: Operation | None) -> bool:
    """Whether both have the same type and settings, for example the same axis or equal masks."""
    if one is None or other is None or type(one) is not type(other):
        return one is other
    return all(_equal(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return bool(one == other)


def called_by_value(tensor: Tensor) -> bool:
    """Whether a tensor is a constant, one number, without a name."""
    constant = tensor.is_leaf and not tensor.requires_grad and not tensor.name
    return constant and tensor.ndim == 0


def _number(tensor: Tensor) -> str:
    """Returns the number of an unnamed constant as its label, or "" for any other tensor."""
    if called_by_value(tensor):
        return typeset(f"{tensor.item():g}")
    return ""


def latex_name(label: str) -> str:
    """Returns a name as LaTeX: w1 and w_1 get a subscript, alpha a Greek letter, words upright."""
    if _GREEK.fullmatch(label):
        return rf"\{label}"
    name, count = parted(label)
    if count != 1:
        return rf"{{{latex_name(name)}}}_{{{count}}}"
    if match := _NUMBERED.match(label):
        return rf"{latex_name(match[1])}_{{{match[2]}}}"
    if label[:1].isdigit() or label[:1] == "\u2212":
        mantissa, _, power = label.replace("\u2212", "-").partition("e")
        written = mantissa
        if power:
            written = rf"10^{{{int(power)}}}"
            written = written if mantissa == "1" else rf"{mantissa} \cdot {written}"
        return f"({written})" if written[0] == "-" or "cdot" in written else written
    if len(label) == 1:
        return label
    escaped = label.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"
