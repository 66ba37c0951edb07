"""Softmax, layer norm and cross-entropy with live numbers, forward and backward. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.autograd.flows import Edge
from core.autograd.layers import softmax
from core.numbers import MINUS, TIMES
from core.substitution import Arithmetic
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.operations import kind_of, letter, slope
from explorer.panes.backprop.gpt.track import Played
from explorer.widgets.base import visible_text
from explorer.widgets.live_numbers import Equation, Terms

Index = tuple[int, ...]
ROLES = ("text", "text")
SUM, AT_I, AT_J = "\u03a3", "\u1d62", "\u2c7c"  # capital sigma, subscript i and j
MEAN_G = "g\u0304"
DEVIATION = "\u221a(\u03c3\u00b2 + \u03b5)"


def token_labels(worked: Worked) -> list[str]:
    return [f"{n} {visible_text(label)}" for n, label in enumerate(worked.example.labels)]


def _row(array: np.ndarray, index: Index) -> np.ndarray:
    """Returns the row that contains an index."""
    return np.asarray(array[*index[:-1]])


def _read(told: Arithmetic) -> dict[str, float]:
    """Returns the numbers that a line reads, by name."""
    return {one.name: one.value for one in told.operands}


def softmax_value(worked: Worked, node: int, index: Index, told: Arithmetic) -> list[object]:
    before = worked.graph.nodes[node].inputs[0]
    a, name = float(worked.value(before)[index]), letter(worked.graph, before)
    note = "hidden" if np.isinf(a) else "the row\u2019s maximum is subtracted first"
    return [
        Equation(f"{name}{AT_I}", a, "text", note),
        f"Its share of the row\u2019s sum is e^{name}{AT_I} / {SUM}{AT_J} e^{name}{AT_J}:",
    ]


def softmax_share(worked: Worked, edge: Edge, index: Index, told: Arithmetic) -> list[object]:
    """Explains w_i (g_i - sum_j w_j g_j); w are the weights and g their gradients."""
    node = edge[0]
    upstream, out = worked.gradient(node), worked.value(node)
    assert upstream is not None
    ups, weights = _row(upstream, index), _row(out, index)
    read = _read(told)
    up, weight, mean = read["upstream"], read["out"], read["mean"]
    name = letter(worked.graph, node)
    total = f"{SUM}{AT_J} {name}{AT_J} g{AT_J}"
    return [
        "Every weight in a row depends on every score in that row:",
        Equation(f"g{AT_I}", up, "text", slope(worked.graph, node)),
        Terms(total, weights, ups, ROLES, token_labels(worked), mean, "text"),
        Equation(f"g{AT_I} {MINUS} {total}", up - mean, "text", "relative to the weighted average"),
        Equation(f"{name}{AT_I}", weight, "text"),
        Equation(
            f"contribution to {slope(worked.graph, worked.target(edge))}",
            told.value,
            "accent",
            f"{name}{AT_I} {TIMES} the difference",
        ),
    ]


def normalize_value(worked: Worked, node: int, index: Index, told: Arithmetic) -> list[object]:
    before = worked.graph.nodes[node].inputs[0]
    a, name = worked.value(before), letter(worked.graph, before)
    read = _read(told)
    return [
        Equation(name, float(a[index]), "text"),
        Equation(
            "\u03bc", float(_row(a, index).mean()), "text", "mean of the token\u2019s numbers"
        ),
        Equation(f"{name} {MINUS} \u03bc", read["centered"], "text"),
        Equation(DEVIATION, 1 / read["scale"], "text", "their standard deviation"),
    ]


def normalize_share(worked: Worked, edge: Edge, index: Index, told: Arithmetic) -> list[object]:
    """Explains (g - mean g - x mean(g x)) / sqrt(variance + eps), x normalized, g its gradient."""
    node = edge[0]
    upstream, out = worked.gradient(node), worked.value(node)
    assert upstream is not None
    ups, normal = _row(upstream, index), _row(out, index)
    read, count = _read(told), len(ups)
    up, here, scale = read["upstream"], read["out"], read["scale"]
    shift, stretch = read["shift"], read["stretch"]
    total = stretch * count
    labels = [f"dimension {n}" for n in range(count)]
    x, mean_gx = letter(worked.graph, node), f"mean of g {letter(worked.graph, node)}"
    left_over = told.value / scale
    return [
        Equation("g", up, "text", slope(worked.graph, node)),
        Equation(MEAN_G, shift, "text", "mean of the token\u2019s g"),
        Terms(f"sum of g {x}", ups, normal, ROLES, labels, total, "text"),
        Equation(mean_gx, stretch, "text", f"the sum divided by {count}"),
        Equation(x, here, "text"),
        Equation(f"g {MINUS} {MEAN_G} {MINUS} {x} {TIMES} {mean_gx}", left_over, "text"),
        Equation(DEVIATION, 1 / scale, "text", "the number above is divided by this"),
        Equation(
            f"contribution to {slope(worked.graph, worked.target(edge))}", told.value, "accent"
        ),
    ]


def cross_entropy_value(worked: Worked, node: int, index: Index, told: Arithmetic) -> list[object]:
    losses = worked.losses
    labels = [f"{MINUS}log p({visible_text(label)})" for label in worked.example.labels[1:]]
    count, total = len(losses), float(losses.sum())
    said = "The loss of each token, largest first:"
    ones = np.ones(count)
    return [
        said,
        Terms("sum of the losses", losses, ones, ROLES, labels, total, "text"),
        Equation("N", float(count), "text", "tokens"),
    ]


def cross_entropy_share(worked: Worked, edge: Edge, index: Index, told: Arithmetic) -> list[object]:
    """Explains dL/dL / N (probability - 1 if it is the next token)."""
    node = edge[0]
    operation: Any = worked.graph.nodes[node].tensor.operation
    target = worked.target(edge)
    a = worked.value(target)
    row, column = index[-2], index[-1]
    flat = a.reshape(-1, a.shape[-1])
    chance = float(softmax(flat[row])[column])
    wanted = int(operation.targets[row])
    read = _read(told)
    right, count, upstream = read["wanted"], read["n"], read["upstream"]
    name, came = (visible_text(worked.example.piece(n)) for n in (column, wanted))
    guess = f"softmax({letter(worked.graph, target)})"
    return [
        Equation(guess, chance, "text", f"the probability of \u201c{name}\u201d"),
        Equation("onehot(y)", right, "text", f"\u201c{came}\u201d came next"),
        Equation(f"{guess} {MINUS} onehot(y)", chance - right, "text"),
        Equation("N", count, "text", "tokens"),
        Equation(slope(worked.graph, node), upstream, "text"),
        Equation(
            f"contribution to {slope(worked.graph, target)}",
            told.value,
            "accent",
            "training lowers this logit" if chance > right else "training raises this logit",
        ),
    ]


SHARES: dict[str, Callable[[Worked, Edge, Index, Arithmetic], list[object]]] = {
    "Softmax": softmax_share,
    "Normalize": normalize_share,
    "CrossEntropy": cross_entropy_share,
}


def facts(worked: Worked, played: Played) -> list[object]:
    """Returns facts that hold for every row of a closed form, with the largest deviation."""
    if played.phase != "backward":
        return []
    kind = kind_of(worked.graph, played.node)
    flow = worked.flow((played.node, 0)) if (played.node, 0) in worked.edges else None
    if flow is None or kind not in SHARES:
        return []
    rows = float(np.abs(flow.sum(-1)).max())
    why = {
        "Softmax": "Shifting a row of inputs has no effect, so its gradients sum to 0:",
        "Normalize": "Shifting a row of inputs has no effect, so its gradients sum to 0:",
        "CrossEntropy": "A token\u2019s probabilities sum to 1, so its gradients sum to 0:",
    }[kind]
    found: list[object] = [why, Equation("largest sum", rows, "success")]
    if kind == "Normalize":
        before = worked.value(worked.target((played.node, 0)))
        centered = before - before.mean(-1, keepdims=True)
        along = float(np.abs((flow * centered).sum(-1)).max())
        found += [
            "Since \u03b5 is tiny, scaling a row has almost no effect, and this is about 0:",
            Equation("largest sum of gradient \u00d7 (x \u2212 \u03bc)", along, "success"),
        ]
    return found
