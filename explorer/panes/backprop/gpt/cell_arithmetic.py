"""The arithmetic behind one number, with the numbers that it was computed from. No Qt.

Covers every operation of a GPT, forward and backward; sums of products list their largest terms,
closed forms are evaluated term by term.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.autograd.flows import Edge
from core.substitution import Arithmetic, arithmetic
from explorer.panes.backprop.gpt import closed_forms
from explorer.panes.backprop.gpt.closed_forms import ROLES, Index, token_labels
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.operations import kind_of, letter, short, slope
from explorer.panes.backprop.gpt.scene import Cell
from explorer.widgets.base import visible_text
from explorer.widgets.live_numbers import Equation, Terms, in_a_line


def made(worked: Worked, cell: Cell) -> tuple[int | None, list[object]]:
    """Returns the step of the Trace that computed a number, and its arithmetic."""
    kind, where = cell.what
    index = worked.plane(cell.what, cell.head).index(cell.row, cell.column)
    if kind == "value":
        return _value(worked, where, index)
    if kind == "gradient":
        return _gradient(worked, where, index)
    return worked.edges[where], _share(worked, where, index)


# values


def _value(worked: Worked, node: int, index: Index) -> tuple[int | None, list[object]]:
    name, value = letter(worked.graph, node), float(worked.value(node)[index])
    if worked.graph.nodes[node].is_leaf:
        return None, [Equation(name, value, "accent", "a learned parameter")]
    places = worked.explained.trace.about["places"]
    step = next(n for n, p in enumerate(places) if p.phase == "forward" and p.node == node)
    kind, told = kind_of(worked.graph, node), arithmetic(worked.steps[step], index)
    rows = _FORWARD.get(kind, _plain)(worked, node, index, told)
    if kind == "MatMul":
        return step, rows
    line = [in_a_line(told)] if told.pieces else []
    return step, [*rows, *line, Equation(name, value, "accent")]


def _inputs_at(worked: Worked, node: int, index: Index) -> list[tuple[str, float]]:
    """Returns each input's number at that index, broadcast as in NumPy."""
    shape = worked.value(node).shape
    return [
        (letter(worked.graph, n), float(np.broadcast_to(worked.value(n), shape)[index]))
        for n in worked.graph.nodes[node].inputs
    ]


def _elementwise(worked: Worked, node: int, index: Index, told: Arithmetic) -> list[object]:
    return [Equation(name, value) for name, value in _inputs_at(worked, node, index)]


def _gelu(worked: Worked, node: int, index: Index, told: Arithmetic) -> list[object]:
    value, below = told.operands
    name = letter(worked.graph, worked.graph.nodes[node].inputs[0])
    return [
        Equation(name, value.value),
        Equation(f"\u03a6({name})", below.value, "text", "the share of the input that passes"),
    ]


def _plain(worked: Worked, node: int, index: Index, told: Arithmetic) -> list[object]:
    before = short(worked.graph, worked.graph.nodes[node].inputs[0])
    return [f"This is the same number as in \u201c{before}\u201d, at another position."]


def _matmul(worked: Worked, node: int, index: Index, told: Arithmetic) -> list[object]:
    assert told.products is not None
    left, right, _ = told.products
    names = [short(worked.graph, n) for n in worked.graph.nodes[node].inputs]
    said = f"The dot product of a row of {names[0]} and a column of {names[1]}:"
    return [said, _terms(letter(worked.graph, node), left, right, _labels(worked, node, left))]


def _labels(worked: Worked, node: int, left: np.ndarray) -> list[str]:
    """Returns labels of the summed axis: tokens where weights meet values, else dimensions."""
    if worked.graph.nodes[node].label.endswith(".heads"):
        return token_labels(worked)
    return [f"dimension {n}" for n in range(len(left))]


def _terms(
    name: str, left: np.ndarray, right: np.ndarray, labels: list[str], result: float | None = None
) -> Terms:
    return Terms(name, left, right, ROLES, labels, result, "accent")


def _embedding(worked: Worked, node: int, index: Index, told: Arithmetic) -> list[object]:
    operation: Any = worked.graph.nodes[node].tensor.operation
    token = int(operation.ids[index[:-1]])
    table = short(worked.graph, worked.graph.nodes[node].inputs[0])
    if table == "wte.weight":
        which = f"the piece \u201c{visible_text(worked.example.piece(token))}\u201d"
    else:
        which = f"position {token} in the text"
    return [f"This is dimension {index[-1]} in row {token} of {table}, the row for {which}."]


_FORWARD: dict[str, Callable[[Worked, int, Index, Arithmetic], list[object]]] = {
    "MatMul": _matmul,
    "Embedding": _embedding,
    "Softmax": closed_forms.softmax_value,
    "Normalize": closed_forms.normalize_value,
    "CrossEntropy": closed_forms.cross_entropy_value,
    "GELU": _gelu,
    **dict.fromkeys(("Add", "Multiply", "Mask", "ReLU"), _elementwise),
}

# gradients


def _gradient(worked: Worked, node: int, index: Index) -> tuple[int | None, list[object]]:
    """Returns dL/d(node): the sum over everything that reads it."""
    array = worked.gradient(node)
    assert array is not None
    name, partial = letter(worked.graph, node), slope(worked.graph, node)
    total = float(array[index])
    change = Equation(f"0.001 \u00d7 {partial}", 0.001 * total, "text")
    said = ["If this number rises by 0.001, the loss changes by about:", change]
    edges = [edge for edge in worked.edges if worked.target(edge) == node]
    if not edges:
        return None, [Equation(partial, total, "accent"), *said]
    flows = [worked.flow(edge) for edge in edges]
    shares = np.array([float(flow[index]) for flow in flows if flow is not None])
    first = worked.edges[edges[0]]
    if len(edges) == 1:
        by = letter(worked.graph, edges[0][0])
        return first, [Equation(partial, total, "accent", f"all from \u201c{by}\u201d"), *said]
    labels = [f"from {letter(worked.graph, edge[0])}" for edge in edges]
    terms = _terms(partial, shares, np.ones(len(shares)), labels, total)
    return first, [f"{name} is used {len(edges)} times, and each use contributes:", terms, *said]


def _share(worked: Worked, edge: Edge, index: Index) -> list[object]:
    node = edge[0]
    operation = worked.graph.nodes[node].tensor.operation
    assert operation is not None
    kind = kind_of(worked.graph, node)
    if kind == "MatMul":
        return _matmul_share(worked, edge, index)
    if kind == "Embedding":
        return _embedding_share(worked, edge, index)
    if operation.elementwise:
        return _elementwise_share(worked, edge, index)
    form = closed_forms.SHARES.get(kind)
    if form is not None:
        told = _back(worked, edge, index)
        *rows, share = form(worked, edge, index, told)
        return [*rows, in_a_line(told), share]
    share = worked.flow(edge)
    assert share is not None
    value = float(share[index])
    return [
        "The gradient goes back to where the number came from.",
        Equation(
            _share_name(worked, edge),
            value,
            "accent",
            "this number was not used" if value == 0 else "",
        ),
    ]


def _back(worked: Worked, edge: Edge, index: Index) -> Arithmetic:
    """Returns the arithmetic of an edge's contribution, for the only sequence."""
    step = worked.steps[worked.edges[edge]]
    in_front = step.value("contribution").ndim - len(index)
    return arithmetic(step, (0,) * in_front + index)


def _share_name(worked: Worked, edge: Edge) -> str:
    return f"contribution to {slope(worked.graph, worked.target(edge))}"


def _matmul_share(worked: Worked, edge: Edge, index: Index) -> list[object]:
    """Returns a row of the upstream gradient times a row of the other factor, or columns."""
    node, place = edge
    other = worked.graph.nodes[node].inputs[1 - place]
    products = _back(worked, edge, index).products
    assert products is not None
    left, right, _ = products
    name = _share_name(worked, edge)
    label, above = worked.graph.nodes[node].label, slope(worked.graph, node)
    if place == 0:
        tokens = label.endswith(".scores")
        labels = token_labels(worked) if tokens else _summed(worked, label, len(left))
        said = f"The dot product of a row of {above} and a row of {letter(worked.graph, other)}:"
        return [said, _terms(name, left, right, labels)]
    said = f"The dot product of a column of {letter(worked.graph, other)} and a column of {above}:"
    return [said, _terms(name, left, right, token_labels(worked))]


def _summed(worked: Worked, label: str, count: int) -> list[str]:
    if label == "logits":
        return [visible_text(worked.example.piece(n)) for n in range(count)]
    return [f"dimension {n}" for n in range(count)]


def _embedding_share(worked: Worked, edge: Edge, index: Index) -> list[object]:
    node, _ = edge
    operation: Any = worked.graph.nodes[node].tensor.operation
    upstream = worked.gradient(node)
    assert upstream is not None
    ids = operation.ids.reshape(-1)
    rows = upstream.reshape(len(ids), -1)
    taken = np.flatnonzero(ids == index[0])
    name = _share_name(worked, edge)
    if not taken.size:
        return [
            "No token uses this row, so nothing flows back to it.",
            Equation(name, 0.0, "accent"),
        ]
    labels = [token_labels(worked)[n] for n in taken]
    uses = "One token uses this row, so the row gets that token\u2019s gradient."
    if taken.size > 1:
        uses = f"{taken.size} tokens use this row, so their gradients are added."
    terms = _terms(name, rows[taken, index[-1]], np.ones(taken.size), labels)
    return [uses, terms]


def _elementwise_share(worked: Worked, edge: Edge, index: Index) -> list[object]:
    """Returns upstream x local, summed over the copies if the input was broadcast."""
    node, place = edge
    tensor = worked.graph.nodes[node].tensor
    upstream = worked.gradient(node)
    assert upstream is not None and tensor.operation is not None
    target = worked.value(worked.target(edge))
    arrays = [before.data for before in tensor.inputs]
    name = _share_name(worked, edge)
    with np.errstate(all="ignore"):
        local = tensor.operation.local(place, tensor.data, *arrays)
    assert local is not None
    if target.shape == upstream.shape:
        up, steep = float(upstream[index]), float(np.broadcast_to(local, upstream.shape)[index])
        return _one_share(worked, edge, up, steep)
    new = upstream.ndim - target.ndim
    ups = upstream.reshape(-1, *upstream.shape[new:])[:, *index].reshape(-1)
    locals_ = np.broadcast_to(local, upstream.shape).reshape(-1, *upstream.shape[new:])
    slopes = locals_[:, *index].reshape(-1)
    if ups.size == 1:  # one sequence: nothing to sum
        return _one_share(worked, edge, float(ups[0]), float(slopes[0]))
    labels = token_labels(worked) if ups.size == worked.n_tokens else []
    factor, _ = _local(worked, edge)
    product = f"{slope(worked.graph, node)} \u00d7 {factor}"
    said = f"Every token uses this number, so {product} is summed:"
    return [said, _terms(name, ups, slopes, labels)]


def _one_share(worked: Worked, edge: Edge, up: float, steep: float) -> list[object]:
    above, (factor, why) = slope(worked.graph, edge[0]), _local(worked, edge)
    return [
        Equation(above, up, "text", "upstream gradient"),
        Equation(factor, steep, "text", why),
        Equation(_share_name(worked, edge), up * steep, "accent", "their product"),
    ]


def _local(worked: Worked, edge: Edge) -> tuple[str, str]:
    """Returns a local derivative as the formula writes it, and the reason for it."""
    node, place = edge
    inputs = worked.graph.nodes[node].inputs
    kind, name = kind_of(worked.graph, node), letter(worked.graph, inputs[place])
    if kind == "Multiply":
        return letter(worked.graph, inputs[1 - place]), "the other factor"
    phi = f"\u03a6({name}) + {name} \u03a6\u2032({name})"
    return {
        "Add": ("local derivative", "a sum changes as its parts do"),
        "Mask": ("[visible]", "1 if visible, 0 if hidden"),
        "GELU": (phi, "slope of the curve here"),
        "ReLU": (f"[{name} > 0]", "1 if above 0, otherwise 0"),
    }.get(kind, ("local derivative", ""))
