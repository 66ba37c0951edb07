"""The numbers of a graph as one table: a row for each node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.panes.backprop.expression.scene import Scene, instant_at
from explorer.widgets.base import Columns


def numbers_of(
    scene: Scene, position: float, numeric: Mapping[int, np.ndarray]
) -> dict[str, np.ndarray]:
    """Value and gradient as far as they are there, and the numeric gradients of those checked; of
    a tensor how long these are.
    """
    computed = scene.computed
    instant = instant_at(computed, position)
    values, gradients, checked = [], [], []
    for number in range(len(computed.graph.nodes)):
        there = instant.done(computed.plan.appears[number]) == 1
        values.append(_length(computed.value(number)) if there else np.nan)
        gradients.append(_length(computed.gradient_at(number, instant.moment)))
        checked.append(_length(numeric.get(number)))
    found = Columns(value=np.array(values), gradient=np.array(gradients))
    if numeric:
        found["numeric gradient"] = np.array(checked)
    return found


def labels_of(scene: Scene) -> dict[str, tuple[list[str], list[str]]]:
    """The nodes' names, for each column."""
    nodes = scene.computed.graph.nodes
    names = [node.label if node.is_leaf else f"{node.label} = {node.text}" for node in nodes]
    columns = ("value", "gradient", "numeric gradient")
    return {column: (names, []) for column in columns}


def _length(array: np.ndarray | None) -> float:
    if array is None:
        return float("nan")
    array = np.asarray(array)
    return float(array.reshape(-1)[0]) if array.size == 1 else float(np.linalg.norm(array))
