"""The model of an operation's picture: values above, gradients below. No Qt.

A column is one array of the operation, inputs on the left, the output on the right. Forward, values
appear from left to right; backward, gradients flow from right to left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.numbers import TIMES
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.operations import PARTIAL, kind_of, short
from explorer.panes.backprop.gpt.track import Played

SHARE = "contribution to "
LATER = "computed in the backward pass"
CONSTANT = "a constant has no gradient"


@dataclass(frozen=True)
class Panel:
    """One array of the picture.

    what   as in `Worked.array`
    state  "there", "coming" (in this step), "later" or "none" (`note` gives the reason)
    scale  "diverging", or "attention" for values between 0 and 1
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
    panels: tuple[Panel, Panel]


@dataclass(frozen=True)
class OperationScene:
    """Columns from left to right; `sign` is drawn between two inputs, or above the arrow of one."""

    played: Played
    columns: tuple[Column, ...]
    sign: str
    backward: bool

    @property
    def panels(self) -> tuple[Panel, ...]:
        return tuple(panel for column in self.columns for panel in column.panels)


@dataclass(frozen=True)
class Cell:
    """One number: its array, and its position in the matrix of one head."""

    what: tuple[Any, ...]
    head: int
    row: int
    column: int


def shape_text(shape: tuple[int, ...]) -> str:
    return f" {TIMES} ".join(str(size) for size in shape) if shape else "one number"


def scene_of(worked: Worked, played: Played) -> OperationScene:
    node, graph = played.node, worked.graph
    operation = worked.operations[played.operation]
    whole = played.input is None and played.phase != "seed"
    own = node == operation.node
    edges = operation.reads if own else tuple((node, p) for p in range(len(_inputs(worked, node))))
    backward = played.phase != "forward"
    columns = []
    for place, edge in enumerate(edges):
        state = _flow_state(played, edge, whole) if edge in worked.edges else "none"
        columns.append(_column(worked, place, worked.target(edge), ("flow", edge), state))
    seen = "later" if not backward else "coming" if played.phase == "seed" else "there"
    columns.append(_column(worked, len(edges), node, ("gradient", node), seen, output=True))
    if not backward:
        value = columns[-1].panels[0]
        coming = Panel(value.what, value.column, 0, value.title, "coming", scale=value.scale)
        columns[-1] = replace(columns[-1], panels=(coming, columns[-1].panels[1]))
    tensor = graph.nodes[node].tensor
    sign = tensor.operation.symbol if tensor.operation is not None else ""
    return OperationScene(played, tuple(columns), sign.replace("_", "-"), backward)


def _inputs(worked: Worked, node: int) -> tuple[int, ...]:
    return worked.graph.nodes[node].inputs


def _flow_state(played: Played, edge: tuple[int, int], whole: bool) -> str:
    """Returns the state of a contribution; inside an operation, edges are played one by one."""
    if played.phase in ("forward", "seed"):
        return "later"
    if whole:
        return "coming"
    here = (played.node, played.input)
    if edge == here:
        return "coming" if played.phase == "backward" else "there"
    return "there" if edge[1] < (played.input or 0) else "later"


def _column(
    worked: Worked, place: int, node: int, what: tuple[Any, ...], state: str, output: bool = False
) -> Column:
    name = short(worked.graph, node)
    kind = kind_of(worked.graph, node)
    scale = "attention" if kind == "Softmax" else "diverging"
    value = Panel(("value", node), place, 0, name, "there", scale=scale)
    slope = f"{PARTIAL}L/{PARTIAL}{name}"
    note = {"later": LATER, "none": CONSTANT}.get(state, "")
    title = slope if output else f"{SHARE}{slope}"
    gradient = Panel(what, place, 1, "" if state == "none" else title, state, note)
    shape = shape_text(worked.value(node).shape)
    return Column(name, shape, (value, gradient))


def states_at(worked: Worked, played: Played) -> list[str]:
    """Returns for each operation "", "forward" (value known) or "backward" (gradient passed on)."""
    count = len(worked.operations)
    if played.phase == "forward":
        return ["forward" if n <= played.operation else "" for n in range(count)]
    if played.phase == "seed":
        return ["forward"] * count
    return ["backward" if n >= played.operation else "forward" for n in range(count)]


def highway_at(worked: Worked, played: Played) -> tuple[int, int | None]:
    """Returns the lowest place of the residual stream with a gradient, and the current place."""
    nodes, config = worked.graph.nodes, worked.explained.model.config
    where = {
        int(node.label.partition(".")[2]): number
        for number, node in enumerate(nodes)
        if node.label.startswith("residual.")
    }
    here = next((place for place, node in where.items() if node == played.node), None)
    if played.phase in ("forward", "seed"):
        return config.n_layer + 1, here
    done = played.operation
    reached = [p for p, node in where.items() if worked.operation_of(node).number >= done]
    return min(reached, default=config.n_layer + 1), here


def json_of(cell: Cell) -> list[Any]:
    """Returns a cell as JSON, for a session."""
    where = list(cell.what[1]) if cell.what[0] == "flow" else cell.what[1]
    return [cell.what[0], where, cell.head, cell.row, cell.column]


def cell_from(worked: Worked, saved: Any) -> Cell | None:
    """Returns a cell written by `json_of`; None for one that this example does not have."""
    try:
        kind, where, head, row, column = saved
        what = (kind, tuple(where)) if kind == "flow" else (kind, where)
        cell = Cell(what, head, row, column)
        return cell if has_cell(worked, cell) else None
    except (TypeError, ValueError, KeyError, IndexError):
        return None


def has_cell(worked: Worked, cell: Cell) -> bool:
    """True if an example has this number; one of a longer text may be missing."""
    rows, columns = worked.plane(cell.what, cell.head).size
    inside = 0 <= cell.row < rows and 0 <= cell.column < columns
    return inside and 0 <= cell.head < worked.n_head and worked.array(cell.what) is not None
