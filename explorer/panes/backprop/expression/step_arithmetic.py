"""The marked line of a step with the numbers of one cell, under the formula's names. No Qt.

A tensor's numbers are counted through, last axis first: `element` is such a count.
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
    """name     the cell: "W[0, 1]"; a single number has its name alone
    written  how it is computed: "1.5 × 1 + 0.3 × 2 ="
    result   and what that gives
    size     how many numbers the step makes
    """

    name: str
    written: str
    result: str
    value: float
    size: int

    def __str__(self) -> str:
        return f"{self.written}\u00a0{self.result}"


def slope(computed: Computed, node: int) -> str:
    """dL/d(node), as people write it in a line."""
    names = computed.graph.nodes
    return f"{PARTIAL}{names[computed.output].label}/{PARTIAL}{names[node].label}"


def cell_name(computed: Computed, node: int, element: int) -> str:
    """ "W[0, 1]"; a single number has its name alone."""
    one = computed.graph.nodes[node]
    if one.tensor.data.size == 1:
        return one.label
    return _at(one.label, np.unravel_index(element, one.tensor.shape))


def largest(array: Array) -> int:
    """The number that is largest in size: what a picture tells of a tensor."""
    sizes = np.nan_to_num(np.abs(np.asarray(array)), nan=-1.0, posinf=np.inf)
    return int(sizes.argmax())


def arithmetic_at(computed: Computed, moment: int, element: int = -1) -> CellArithmetic:
    """How a step computes number `element` of what it changes; -1: the largest. Of what goes to the
    copies of a broadcast input it is always the largest.
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
    expression = origins or told.expression  # of neither: what a relu lets through no more
    written = f"{expression} {told.sign}" if expression else "blocked:"
    return CellArithmetic(name, written, told.result, told.value, told.size)


def _origin(computed: Computed, node: int, origin: Origin) -> str:
    """Where a number was before, under the formula's name for it."""
    inputs, name = computed.graph.nodes[node].inputs, origin.name
    if name in INPUTS and INPUTS.index(name) < len(inputs):
        name = computed.graph.nodes[inputs[INPUTS.index(name)]].label
    return _at(slope(computed, node) if name == "upstream" else name, origin.cell)


def _at(name: str, cell: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(str(int(one)) for one in cell)}]" if len(cell) else name
