"""Softmax, layer norm and cross-entropy with live numbers, forward and backward. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.autograd.flows import Edge
from core.autograd.layers import softmax
from explorer.panes.backprop.transformer.moments import Moment
from explorer.panes.backprop.transformer.operations import kind_of
from explorer.panes.backprop.transformer.working import Worked
from explorer.theme_numbers import format_number
from explorer.widgets.base import visible_text
from explorer.widgets.live_numbers import Equation, Terms

Index = tuple[int, ...]
ROLES = ("text", "text")
TIMES, MINUS = "\u00d7", "\u2212"


def _tokens(worked: Worked) -> list[str]:
    return [f"{n} {visible_text(label)}" for n, label in enumerate(worked.example.labels)]


def _row(array: np.ndarray, index: Index) -> np.ndarray:
    """The row that a number stands in."""
    return np.asarray(array[*index[:-1]])


def softmax_value(worked: Worked, node: int, index: Index) -> list[object]:
    a = worked.value(worked.graph.nodes[node].inputs[0])
    row, largest = _row(a, index), float(_row(a, index).max())
    above = float(np.exp(a[index] - largest))
    return [
        Equation("score", float(a[index]), "text", "masked" if np.isinf(a[index]) else ""),
        Equation(
            f"e^(score {MINUS} largest)", above, "text", "the largest of the row is taken off"
        ),
        Equation("sum over the row", float(np.exp(row - largest).sum()), "text"),
    ]


def softmax_share(worked: Worked, edge: Edge, index: Index) -> list[object]:
    """weight x (upstream - the row's mean of upstream, weighted by the weights)."""
    node = edge[0]
    upstream, out = worked.gradient(node), worked.value(node)
    assert upstream is not None
    ups, weights = _row(upstream, index), _row(out, index)
    up, weight = float(upstream[index]), float(out[index])
    mean = float(ups @ weights)
    return [
        "Every weight of the row depends on every score of it:",
        Terms("the row\u2019s mean", ups, weights, ROLES, _tokens(worked), mean, "text"),
        Equation(f"upstream {MINUS} mean", up - mean, "text", "does it beat the mean"),
        Equation("weight", weight, "text"),
        Equation(
            "share", weight * (up - mean), "accent", f"weight {TIMES} (upstream {MINUS} mean)"
        ),
    ]


def normalize_value(worked: Worked, node: int, index: Index) -> list[object]:
    operation: Any = worked.graph.nodes[node].tensor.operation
    a = worked.value(worked.graph.nodes[node].inputs[0])
    row = _row(a, index)
    mean, scale = float(row.mean()), float(operation.scale(row[None])[0, 0])
    return [
        Equation("number", float(a[index]), "text"),
        Equation("mean of the token", mean, "text"),
        Equation("standard deviation", 1 / scale, "text", "with \u03b5 under the root"),
        f"({format_number(a[index])} {MINUS} {format_number(mean)}) / {format_number(1 / scale)}",
    ]


def normalize_share(worked: Worked, edge: Edge, index: Index) -> list[object]:
    """(upstream - its mean - normalized x mean(upstream x normalized)) / standard deviation."""
    node = edge[0]
    operation: Any = worked.graph.nodes[node].tensor.operation
    upstream, out = worked.gradient(node), worked.value(node)
    assert upstream is not None
    a = worked.value(worked.target(edge))
    ups, normal = _row(upstream, index), _row(out, index)
    up, here = float(upstream[index]), float(out[index])
    shift, stretch = float(ups.mean()), float((ups * normal).mean())
    scale = float(operation.scale(_row(a, index)[None])[0, 0])
    count = len(ups)
    labels = [f"dimension {n}" for n in range(count)]
    return [
        Equation("upstream", up, "text"),
        Equation(f"{MINUS} mean of upstream", -shift, "text", "shifting all moves nothing"),
        Terms("stretch", ups / count, normal, ROLES, labels, stretch, "text"),
        Equation(
            f"{MINUS} normalized {TIMES} stretch", -here * stretch, "text", "nor does stretching"
        ),
        Equation("left over", up - shift - here * stretch, "text"),
        Equation(
            "share",
            scale * (up - shift - here * stretch),
            "accent",
            f"/ \u03c3 = {format_number(1 / scale)}",
        ),
    ]


def cross_entropy_value(worked: Worked, node: int, index: Index) -> list[object]:
    losses = worked.losses
    labels = [f"{MINUS}log p({visible_text(label)})" for label in worked.example.labels[1:]]
    count = len(losses)
    shares = np.full(count, 1 / count)
    said = "The mean over the tokens; the most surprising ones:"
    return [said, Terms("loss", losses, shares, ROLES, labels, float(losses.mean()), "accent")]


def cross_entropy_share(worked: Worked, edge: Edge, index: Index) -> list[object]:
    """(probability - 1 if it is what came next) / N."""
    node = edge[0]
    operation: Any = worked.graph.nodes[node].tensor.operation
    a = worked.value(worked.target(edge))
    row, column = index[-2], index[-1]
    flat = a.reshape(-1, a.shape[-1])
    chance = float(softmax(flat[row])[column])
    wanted = int(operation.targets[row])
    right = float(column == wanted)
    count = len(flat)
    upstream = float(np.asarray(worked.gradient(node)).reshape(-1)[0])
    name, target = (visible_text(worked.example.piece(n)) for n in (column, wanted))
    came = "this came next" if right else f"\u201c{target}\u201d came next"
    return [
        Equation(f"p({name})", chance, "text", "what the model predicted"),
        Equation("was it right", right, "text", came),
        Equation("p \u2212 right", chance - right, "text"),
        Equation(
            "share",
            upstream * (chance - right) / count,
            "accent",
            f"/ {count} tokens: lower it" if chance > right else f"/ {count} tokens: raise it",
        ),
    ]


SHARES: dict[str, Callable[[Worked, Edge, Index], list[object]]] = {
    "Softmax": softmax_share,
    "Normalize": normalize_share,
    "CrossEntropy": cross_entropy_share,
}


def facts(worked: Worked, moment: Moment) -> list[object]:
    """What holds of every row of a closed form, with the largest deviation."""
    if moment.phase != "backward":
        return []
    kind = kind_of(worked.graph, moment.node)
    flow = worked.flow((moment.node, 0)) if (moment.node, 0) in worked.edges else None
    if flow is None or kind not in SHARES:
        return []
    rows = float(np.abs(flow.sum(-1)).max())
    why = {
        "Softmax": "shifting a row moves no weight",
        "Normalize": "shifting a token moves nothing",
        "CrossEntropy": "the probabilities of a token sum to 1",
    }[kind]
    found: list[object] = [Equation("each row sums to", rows, "success", why)]
    if kind == "Normalize":
        before = worked.value(worked.target((moment.node, 0)))
        centered = before - before.mean(-1, keepdims=True)
        along = float(np.abs((flow * centered).sum(-1)).max())
        found.append(
            Equation(
                "row \u00b7 (x \u2212 \u03bc)", along, "success", "stretching them moves nothing"
            )
        )
    return found
