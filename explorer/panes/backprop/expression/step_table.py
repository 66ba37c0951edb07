"""Tables of all numbers of a step, under core's names and the formula's. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.autograd import Place
from core.autograd.operation import INPUTS, WHERE
from core.numbers import typeset
from core.trace import Step
from explorer.panes.backprop.expression.compute import Array, Computed
from explorer.panes.backprop.expression.step_arithmetic import PARTIAL, slope

_ORDER = ("first", "second", "third")
TOGETHER = "all numbers"
MOST_ROWS, MOST_COLUMNS = 30, 6  # of the combined table
Labels = Mapping[str, tuple[Sequence[str], Sequence[str]]]


def tables_of(computed: Computed, place: Place, step: Step) -> tuple[dict[str, Array], Labels]:
    """Returns each value under core's name and the formula's: "a (first input): w1"."""
    table = {}
    for name in step.values:
        if name not in WHERE:
            meaning = _meaning(computed, place, name)
            called = _called(computed, place, name)
            table[f"{called}: {meaning}" if meaning else called] = np.asarray(step.value(name))
    return together(table)


def together(table: Mapping[str, Array]) -> tuple[dict[str, Array], Labels]:
    """Adds, if the numbers are few, a combined table before those of the arrays: single numbers
    with all digits, tensors one below another, row by row.
    """
    grids = {name: _rows(np.asarray(array)) for name, array in table.items()}
    wide = max((grid.shape[1] for grid in grids.values()), default=0)
    if not table or sum(map(len, grids.values())) > MOST_ROWS or wide > MOST_COLUMNS:
        return dict(table), {}
    names, lines = [], []
    for name, grid in grids.items():
        for at, row in enumerate(grid):
            names.append(name if at == 0 else f"row {at}")
            written = [repr(float(one)) if wide == 1 else f"{one:.6g}" for one in row]
            written += [""] * (wide - len(row))
            lines.append([typeset(one) for one in written])
    together = np.array(lines)[:, 0] if wide == 1 else np.array(lines)
    return {TOGETHER: together, **table}, {TOGETHER: (names, [])}


def _rows(array: Array) -> Array:
    return array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)


def _called(computed: Computed, place: Place, name: str) -> str:
    """Returns core's name of a value; inputs are a and b there, whatever the formula calls them."""
    if name in INPUTS and len(computed.graph.nodes[place.node].inputs) > 1:
        return f"{name} ({_ORDER[INPUTS.index(name)]} input)"
    return f"{name} (its input)" if name in INPUTS else name


def _meaning(computed: Computed, place: Place, name: str) -> str:
    nodes = computed.graph.nodes
    node = nodes[place.node]
    if name == "out":
        return node.label
    if name in INPUTS and INPUTS.index(name) < len(node.inputs):
        return nodes[node.inputs[INPUTS.index(name)]].label
    if name == "upstream":
        return slope(computed, place.node)
    if place.input is None:
        return node.label if name == "seed" else ""
    target = nodes[node.inputs[place.input]].label
    return {
        "local": local_name(computed, place),
        "contribution": f"to {PARTIAL}{nodes[computed.output].label}/{PARTIAL}{target}",
        "grad": f"{target}'s gradient so far",
        "total": f"{target}'s gradient" if place.phase == "accumulate" else "sum over the copies",
    }.get(name, "")


def local_name(computed: Computed, place: Place) -> str:
    """Returns the name of an operation's derivative by an input. The last operation is written in
    terms of its inputs, since its result is L, and dL/da is the sum over all uses of a.
    """
    node = computed.graph.nodes[place.node]
    assert place.input is not None
    target = computed.graph.nodes[node.inputs[place.input]].label
    out = f"({node.text})" if place.node == computed.output else node.label
    return f"{PARTIAL}{out}/{PARTIAL}{target}"
