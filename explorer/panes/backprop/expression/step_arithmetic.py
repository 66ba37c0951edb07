"""The marked line of a step with the numbers of one cell, under the formula's names. No Qt.

`element` is an index into the flattened tensor, last axis fastest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.autograd.operation import INPUTS
from core.sources import Origin
from core.substitution import arithmetic
from explorer.panes.backprop.expression.compute import Array, Computed

PARTIAL = "\u2202"


@dataclass(frozen=True)
class CellArithmetic:
    """name     the cell: "W[0, 1]"; just the name for a single number
    written  how it is computed: "1.5 × 1 + 0.3 × 2 ="
    result   the formatted value
    size     number of elements that the step computes
    """

    name: str
    written: str
    result: str
    value: float
    size: int

    def __str__(self) -> str:
        return f"{self.written}\u00a0{self.result}"


def slope(computed: Computed, node: int) -> str:
    """Returns dL/d(node) as text in one line."""
    names = computed.graph.nodes
    return f"{PARTIAL}{names[computed.output].label}/{PARTIAL}{names[node].label}"


def cell_name(computed: Computed, node: int, element: int) -> str:
    """Returns a name such as "W[0, 1]"; just the node's name for a single number."""
    one = computed.graph.nodes[node]
    if one.tensor.data.size == 1:
        return one.label
    return _at(one.label, np.unravel_index(element, one.tensor.shape))


def largest(array: Array) -> int:
    """Returns the index of the largest element in magnitude, which represents a tensor."""
    sizes = np.nan_to_num(np.abs(np.asarray(array)), nan=-1.0, posinf=np.inf)
    return int(sizes.argmax())


def arithmetic_at(computed: Computed, moment: int, element: int = -1) -> CellArithmetic:
    """Returns how a step computes element `element` of the changed node; -1: the largest. For
    contributions to the copies of a broadcast input it is always the largest.
    """
    step, place = computed.step(moment), computed.plan.places[moment]
    assert step is not None and place is not None
    copied = place.phase == "backward" and computed.is_copied((place.node, place.input))
    told = arithmetic(step, element if element >= 0 and not copied else None)
    about = place.node
    if place.input is not None:
        about = computed.graph.nodes[place.node].inputs[place.input]
    if copied:
        name = _at(f"a copy of {computed.graph.nodes[about].label}", told.cell)
    else:
        made = np.asarray(step.value(told.name))
        index = int(np.ravel_multi_index(told.cell, made.shape)) if told.cell else 0
        name = cell_name(computed, about, index)
    origins = " + ".join(_origin(computed, place.node, one) for one in told.origins)
    expression = origins or told.expression  # neither: a relu blocks it
    written = f"{expression} {told.sign}" if expression else "blocked:"
    return CellArithmetic(name, written, told.result, told.value, told.size)


def _origin(computed: Computed, node: int, origin: Origin) -> str:
    """Returns the source of a number, under the formula's name for it."""
    inputs, name = computed.graph.nodes[node].inputs, origin.name
    if name in INPUTS and INPUTS.index(name) < len(inputs):
        name = computed.graph.nodes[inputs[INPUTS.index(name)]].label
    return _at(slope(computed, node) if name == "upstream" else name, origin.cell)


def _at(name: str, cell: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(str(int(one)) for one in cell)}]" if len(cell) else name
