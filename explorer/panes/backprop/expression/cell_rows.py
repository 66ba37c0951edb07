"""Rows of the inspector: a step on tensors, shown for one cell. No Qt."""

from __future__ import annotations

import numpy as np

from core.autograd import Place, called_by_value
from core.autograd.functions import GELU
from core.autograd.operation import Operation
from core.substitution import Arithmetic, arithmetic
from explorer.panes.backprop.expression.cells import (
    Edge,
    cell_name,
    copies_of,
    largest,
    number_at,
    share_of,
    source_of,
)
from explorer.panes.backprop.expression.compute import Computed
from explorer.panes.backprop.expression.number_text import equation, numeral, terms
from explorer.panes.backprop.expression.text import in_brackets
from explorer.panes.base import Row
from explorer.widgets.live_numbers import Terms

WRITTEN = 4  # numbers of a sum that are written out
PARTIAL = "\u2202"


def is_single(computed: Computed, place: Place) -> bool:
    """Whether a step is about single numbers alone."""
    node = computed.graph.nodes[place.node]
    return all(computed.value(one).size == 1 for one in (place.node, *node.inputs))


def default_cell(computed: Computed, place: Place) -> int:
    """The cell shown while nobody points at one: the largest."""
    if place.input is None:
        return largest(computed.value(place.node))
    return largest(computed.flows.along[place.node, place.input])


def forward_rows(computed: Computed, node: int, element: int) -> list[object]:
    """Where one number of a node comes from."""
    tensor = computed.graph.nodes[node].tensor
    operation = tensor.operation
    assert operation is not None
    name, value = cell_name(computed, node, element), number_at(tensor.data, element)
    inputs = computed.graph.nodes[node].inputs
    first, kind = tensor.inputs[0].data, operation.name
    told = _line(computed, "forward", node, None, element)
    if kind == "MatMul":
        return [_product_row(computed, node, told, name)]
    if kind in ("Sum", "Mean"):
        rows: list[object] = [Row(told.expression, "muted")]
        if kind == "Mean":
            rows.append(equation("n", float(first.size), "text", "numbers, whose sum is shared"))
        return [*rows, equation(name, value, "accent", operation.symbol)]
    if kind == "Max":
        there = cell_name(computed, inputs[0], int(np.nan_to_num(first).argmax()))
        equal = int((first == value).sum())
        there += f" and {equal - 1} equal to it, which share its gradient" if equal > 1 else ""
        return [equation(name, value, "accent", f"the largest of {first.size} numbers: {there}")]
    if kind == "Softmax":
        return [
            Row(told.expression, "muted"),
            equation(name, value, "accent", "its share of the sum"),
        ]
    if kind in ("Reshape", "Transpose"):
        there = cell_name(computed, inputs[0], source_of(computed, node, 0, element))
        return [equation(name, value, "accent", f"is {there}, in another place")]
    found: dict[str, float] = {}
    written: list[str] = []
    for index, before in enumerate(inputs):
        at = source_of(computed, node, index, element)
        one = number_at(computed.value(before), at)
        if not called_by_value(tensor.inputs[index]):
            found[cell_name(computed, before, at)] = one
        written.append(numeral(one))
    rows = [equation(each, one) for each, one in found.items()]
    rows += share_rows(operation, next(iter(found.values()), 0.0))
    return [*rows, equation(name, value, "accent", f"= {operation.text(*written)}")]


def share_rows(operation: Operation | None, value: float) -> list[object]:
    """Of GELU what its formula calls Phi: the share of `value` that goes on."""
    if not isinstance(operation, GELU):
        return []
    with np.errstate(all="ignore"):  # a large value cubed has no end: nothing or all goes on
        share = float(operation.below(np.asarray(value)))
    name = f"\u03a6({numeral(value)})"
    return [equation(name, share, "text", "the share that goes on")]


def _line(computed: Computed, phase: str, node: int, index: int | None, element: int) -> Arithmetic:
    """The line of core that made a number, with its numbers."""
    place = Place(phase, node, index)
    step = computed.step(computed.plan.places.index(place))
    assert step is not None
    return arithmetic(step, element)


def _product_row(computed: Computed, node: int, told: Arithmetic, name: str) -> Terms:
    """A row of the first factor times a column of the second."""
    assert told.products is not None
    left, right = (computed.graph.nodes[one].label for one in computed.graph.nodes[node].inputs)
    first, second, _ = told.products
    row, column = (*told.cell[-2:-1], *told.cell[-1:]) if len(told.cell) > 1 else ("", "")
    labels = [f"{left}[{row}, {at}] {right}[{at}, {column}]" for at in range(len(first))]
    return terms(name, first, second, labels, told.value)


def backward_rows(computed: Computed, edge: Edge, element: int) -> list[object]:
    """The contribution to one number of an input: upstream times local, summed over
    the numbers of the output that it has an effect on.
    """
    node, index = edge
    target = computed.graph.nodes[node].inputs[index]
    name, out = cell_name(computed, target, element), computed.graph.nodes[computed.output].label
    total = number_at(computed.flows.along[edge], element)
    back = f"flows back to {name}"
    operation = computed.graph.nodes[node].tensor.operation
    assert operation is not None
    if operation.name == "Softmax":
        return _softmax_backward(computed, edge, element, back)
    share = share_of(computed, edge, element)
    if share is None:
        return [equation("contribution", total, "accent", back)]
    rows: list[object] = []
    if operation.name == "Mean":
        size = computed.value(target).size
        rows.append(equation("n", float(size), "text", f"numbers in {_label(computed, target)}"))
    if share.cells.size == 1:
        there = cell_name(computed, node, int(share.cells[0]))
        upstream, local = float(share.upstream[0]), float(share.local[0])
        return [
            *rows,
            equation("upstream", upstream, "text", f"{PARTIAL}{out}/{PARTIAL}{there}"),
            equation("local", local, "text", f"how much {name} moves {there}"),
            equation("contribution", total, "accent", back),
        ]
    labels = [f"by {cell_name(computed, node, int(one))}" for one in share.cells]
    rows.append(Row(f"upstream \u00d7 local, by every number that {name} moves:", "muted"))
    rows.append(terms("contribution", share.upstream, share.local, labels, total))
    return rows


def _rows_of_copies(computed: Computed, edge: Edge, element: int) -> list[object]:
    """What comes to each copy of one number of an input, before they are added up."""
    tensor = computed.graph.nodes[edge[0]].tensor
    target = computed.graph.nodes[edge[0]].inputs[edge[1]]
    handed, copies = computed.contribution(edge), copies_of(computed, edge, element)
    name = cell_name(computed, target, element)
    rows: list[object] = [Row(f"{name} has {copies.size} copies, added up next:", "muted")]
    local, upstream = computed.local(edge), computed.gradient(edge[0])
    for copy in copies[:WRITTEN]:
        share = number_at(handed, int(copy))
        if local is None or upstream is None:
            place = ", ".join(str(int(one)) for one in np.unravel_index(copy, handed.shape))
            rows.append(equation(f"copy [{place}]", share, "accent"))
            continue
        above = np.broadcast_to(upstream, tensor.shape).reshape(-1)[copy]
        here = np.broadcast_to(local, tensor.shape).reshape(-1)[copy]
        written = f"{numeral(above)} \u00d7 {in_brackets(numeral(here))}"
        there = cell_name(computed, edge[0], int(copy))
        rows.append(equation(f"by {there}", share, "accent", f"= {written}"))
    if copies.size > WRITTEN:
        rows.append(Row(f"and {copies.size - WRITTEN} more", "muted"))
    return rows


def _label(computed: Computed, node: int) -> str:
    return computed.graph.nodes[node].label


def _softmax_backward(computed: Computed, edge: Edge, element: int, back: str) -> list[object]:
    """As its formula goes: the weight times how far upstream is above its weighted mean."""
    node = edge[0]
    out = computed.value(node)
    columns = out.shape[-1]
    weights = out.reshape(-1, columns)[element // columns]
    told = _line(computed, "backward", *edge, element)
    upstream = computed.gradient(node)
    assert upstream is not None
    above = np.asarray(upstream).reshape(-1, columns)[element // columns]
    first = element - element % columns
    labels = [cell_name(computed, node, first + at) for at in range(columns)]
    mean = next(one.value for one in told.operands if one.name == "mean")
    return [
        Row("upstream, weighted by the outputs:", "muted"),
        terms("their mean", above, weights, labels, mean, "text"),
        equation("contribution", number_at(computed.flows.along[edge], element), "accent", back),
        Row(f"= {told.expression}", "muted"),
    ]


def part_rows(computed: Computed, place: Place, moment: int, element: int) -> list[object]:
    """The rows of a step's chosen number, whatever the step is."""
    if place.input is None:
        return forward_rows(computed, place.node, element)
    edge = (place.node, place.input)
    target = computed.graph.nodes[place.node].inputs[place.input]
    name = cell_name(computed, target, element)
    flow = number_at(computed.flows.along[edge], element)
    if place.phase == "accumulate":
        before, after = (computed.gradient_at(target, at) for at in (moment - 1, moment))
        assert before is not None and after is not None
        return [
            equation("so far", number_at(before, element), "text", "from other uses"),
            equation("contribution", flow, "text", f"from {_label(computed, place.node)}"),
            equation("gradient", number_at(after, element), "accent", f"of {name}: their sum"),
        ]
    if place.phase == "backward" and computed.is_copied(edge):
        return _rows_of_copies(computed, edge, element)
    rows = backward_rows(computed, edge, element)
    before = computed.gradient_at(target, moment - 1)
    if before is None:
        return [*rows, f"The first contribution to {name}: it is the gradient so far."]
    return [*rows, equation("so far", number_at(before, element), "text", "added in the next step")]
