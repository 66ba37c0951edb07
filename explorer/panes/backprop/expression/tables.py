"""All numbers of a step, whole, by core's names and the person's. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.autograd import Place
from core.autograd.operation import INPUTS
from core.trace import Step
from explorer.panes.backprop.expression.computing import Array, Computed
from explorer.panes.backprop.expression.words import PARTIAL, slope

_ORDER = ("first", "second", "third")
TOGETHER = "all numbers"
Labels = Mapping[str, tuple[Sequence[str], Sequence[str]]]


def tables_of(computed: Computed, place: Place, step: Step) -> tuple[dict[str, Array], Labels]:
    """What core's lines call each value, and what it is in the formula: "a (first input): w1"."""
    table = {
        f"{_called(computed, place, name)}: {_meaning(computed, place, name)}": _held(value)
        for name, value in step.values.items()
    }
    return together(table)


def together(table: Mapping[str, Array]) -> tuple[dict[str, Array], Labels]:
    """Single numbers in one table, with all their digits, before each by itself."""
    if not table or any(np.size(array) != 1 for array in table.values()):
        return dict(table), {}
    digits = [repr(float(array.item())).replace("-", "\u2212") for array in table.values()]
    return {TOGETHER: np.array(digits), **table}, {TOGETHER: (list(table), [])}


def _called(computed: Computed, place: Place, name: str) -> str:
    """Core calls its inputs a and b, whatever their names in the formula are."""
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
        return node.label
    target = nodes[node.inputs[place.input]].label
    return {
        "local": local_name(computed, place),
        "contribution": f"to {PARTIAL}{nodes[computed.output].label}/{PARTIAL}{target}",
        "grad": f"{target}'s gradient so far",
        "total": f"{target}'s gradient" if place.phase == "accumulate" else "of all copies",
    }.get(name, target)


def local_name(computed: Computed, place: Place) -> str:
    """The derivative of one operation by one of its inputs. Where it is the last, its result is L:
    then its inputs stand for it, for dL/da is the sum over all uses of a.
    """
    node = computed.graph.nodes[place.node]
    assert place.input is not None
    target = computed.graph.nodes[node.inputs[place.input]].label
    out = f"({node.text})" if place.node == computed.output else node.label
    return f"{PARTIAL}{out}/{PARTIAL}{target}"


def _held(value: Any) -> Array:
    return np.asarray(value() if callable(value) else value)
