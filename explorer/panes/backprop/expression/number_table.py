"""The numbers of a graph as one table: a row for each element of each node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.autograd import NumericGradient
from explorer.panes.backprop.expression.compute import Computed
from explorer.panes.backprop.expression.scene import Instant
from explorer.panes.backprop.expression.step_arithmetic import cell_name
from explorer.widgets.base import Columns


def numbers_of(
    computed: Computed, instant: Instant, numeric: Mapping[int, NumericGradient]
) -> dict[str, np.ndarray]:
    """Returns the values and gradients known so far, and the numeric gradients if checked."""
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


def names_of(computed: Computed) -> list[str]:
    """Returns row names: "w", "v1 = w \u00d7 x", "W[0, 1]", "h[0], h = tanh(v3)"."""
    found = []
    for number, node in enumerate(computed.graph.nodes):
        given = node.label if node.is_leaf else f"{node.label} = {node.text}"
        size = node.tensor.data.size
        if size == 1:
            found.append(given)
            continue
        after = "" if node.is_leaf else f", {given}"
        found += [f"{cell_name(computed, number, element)}{after}" for element in range(size)]
    return found


def _column(array: np.ndarray | None, size: int) -> np.ndarray:
    if array is None:
        return np.full(size, np.nan)
    return np.asarray(array, np.float64).reshape(-1)
