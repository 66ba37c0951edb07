"""The numbers of a graph as one table: a row for each number of each node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.autograd import Node, NumericGradient
from explorer.panes.backprop.expression.compute import Computed
from explorer.panes.backprop.expression.scene import Instant
from explorer.widgets.base import Columns


def numbers_of(
    computed: Computed, instant: Instant, numeric: Mapping[int, NumericGradient]
) -> dict[str, np.ndarray]:
    """Values and gradients as far as they are there, and the numeric gradients of those checked."""
    values, gradients, checked = [], [], []
    for number in range(len(computed.graph.nodes)):
        value = computed.value(number)
        there = instant.done(computed.plan.appears[number]) == 1
        values.append(_column(value if there else None, value.size))
        gradients.append(_column(computed.gradient_at(number, instant.moment), value.size))
        slopes = numeric[number].slopes if number in numeric else None
        checked.append(_column(slopes, value.size))
    found = Columns(value=np.concatenate(values), gradient=np.concatenate(gradients))
    if numeric:
        found["numeric gradient"] = np.concatenate(checked)
    return found


def named_numbers(computed: Computed, numbers: Mapping[str, np.ndarray]) -> Columns:
    """The same for a file, with a column of names."""
    return Columns({"name": np.array(_names(computed)), **numbers})


def labels_of(computed: Computed) -> dict[str, tuple[list[str], list[str]]]:
    """The numbers' names, for each column."""
    names = _names(computed)
    return {column: (names, []) for column in ("value", "gradient", "numeric gradient")}


def _names(computed: Computed) -> list[str]:
    return [name for node in computed.graph.nodes for name in _names_of(node)]


def _names_of(node: Node) -> list[str]:
    """ "w", "v1 = w \u00d7 x", "W[0, 1]", "h[0], h = tanh(v3)"."""
    name = node.label if node.is_leaf else f"{node.label} = {node.text}"
    if node.tensor.data.size == 1:
        return [name]
    after = "" if node.is_leaf else f", {name}"
    places = np.ndindex(node.tensor.shape)
    return [f"{node.label}[{', '.join(map(str, place))}]{after}" for place in places]


def _column(array: np.ndarray | None, size: int) -> np.ndarray:
    if array is None:
        return np.full(size, np.nan)
    return np.asarray(array, np.float64).reshape(-1)
