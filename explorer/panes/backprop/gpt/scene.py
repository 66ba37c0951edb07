"""Which plates stand on the stage at a moment: values above, gradients below. No Qt here.

A column is one array of the operation, its inputs on the left, what it computes on the right.
Forward the values appear from left to right; backward the gradients flow from right to left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.numbers import TIMES
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.moments import Moment
from explorer.panes.backprop.gpt.operations import PARTIAL, kind_of, short

SHARE = "share of "
LATER = "comes on the way back"
CONSTANT = "a constant: it stays"


@dataclass(frozen=True)
class Plate:
    """One array in its place.

    what   as `Worked.array` names it
    state  "there", "coming" (in this moment), "later" or "none" (`note` says why)
    scale  "diverging", or "attention" for what lies between 0 and 1
    """

    what: tuple[Any, ...]
    column: int
    row: int
    title: str
    state: str
    note: str = ""
    scale: str = "diverging"


@dataclass(frozen=True)
class Column:
    title: str
    shape: str
    plates: tuple[Plate, Plate]


@dataclass(frozen=True)
class OperationScene:
    """`sign` stands between the inputs, or over the arrow where there is one."""

    moment: Moment
    columns: tuple[Column, ...]
    sign: str
    backward: bool

    @property
    def plates(self) -> tuple[Plate, ...]:
        return tuple(plate for column in self.columns for plate in column.plates)


@dataclass(frozen=True)
class Cell:
    """One number: of which array, and where in the matrix of one head."""

    what: tuple[Any, ...]
    head: int
    row: int
    column: int


def shape_text(shape: tuple[int, ...]) -> str:
    return f" {TIMES} ".join(str(size) for size in shape) if shape else "one number"


def scene_of(worked: Worked, moment: Moment) -> OperationScene:
    node, graph = moment.node, worked.graph
    operation = worked.operations[moment.operation]
    whole = moment.input is None and moment.phase != "seed"
    own = node == operation.node
    edges = operation.reads if own else tuple((node, p) for p in range(len(_inputs(worked, node))))
    backward = moment.phase != "forward"
    columns = []
    for place, edge in enumerate(edges):
        state = _flow_state(moment, edge, whole) if edge in worked.edges else "none"
        columns.append(_column(worked, place, worked.target(edge), ("flow", edge), state))
    seen = "later" if not backward else "coming" if moment.phase == "seed" else "there"
    columns.append(_column(worked, len(edges), node, ("gradient", node), seen, output=True))
    if not backward:
        value = columns[-1].plates[0]
        coming = Plate(value.what, value.column, 0, value.title, "coming", scale=value.scale)
        columns[-1] = replace(columns[-1], plates=(coming, columns[-1].plates[1]))
    tensor = graph.nodes[node].tensor
    sign = tensor.operation.symbol if tensor.operation is not None else ""
    return OperationScene(moment, tuple(columns), sign.replace("_", "-"), backward)


def _inputs(worked: Worked, node: int) -> tuple[int, ...]:
    return worked.graph.nodes[node].inputs


def _flow_state(moment: Moment, edge: tuple[int, int], whole: bool) -> str:
    """Whether a share has flowed back yet. Inside an operation edges come one after the other."""
    if moment.phase in ("forward", "seed"):
        return "later"
    if whole:
        return "coming"
    here = (moment.node, moment.input)
    if edge == here:
        return "coming" if moment.phase == "backward" else "there"
    return "there" if edge[1] < (moment.input or 0) else "later"


def _column(
    worked: Worked, place: int, node: int, what: tuple[Any, ...], state: str, output: bool = False
) -> Column:
    name = short(worked.graph, node)
    kind = kind_of(worked.graph, node)
    scale = "attention" if kind == "Softmax" else "diverging"
    value = Plate(("value", node), place, 0, name, "there", scale=scale)
    slope = f"{PARTIAL}L/{PARTIAL}{name}"
    note = {"later": LATER, "none": CONSTANT}.get(state, "")
    title = slope if output else f"{SHARE}{slope}"
    gradient = Plate(what, place, 1, "" if state == "none" else title, state, note)
    shape = shape_text(worked.value(node).shape)
    return Column(name, shape, (value, gradient))
