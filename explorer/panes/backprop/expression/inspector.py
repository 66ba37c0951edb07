"""Contents of the inspector: the current step, or the hovered or chosen node. No Qt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.autograd import NumericGradient, Place, called_by_value
from core.autograd.flows import Edge
from core.autograd.paths import count_paths, paths_from
from core.numbers import format_number, format_significant
from explorer.panes.backprop.expression.compute import Array, Computed
from explorer.panes.backprop.expression.gradient_check import (
    agree,
    compared,
    difference,
    is_within_error,
)
from explorer.panes.backprop.expression.hit_testing import NOTHING, Hit
from explorer.panes.backprop.expression.scene import subject_at
from explorer.panes.backprop.expression.step_arithmetic import (
    arithmetic_at,
    cell_name,
    largest,
    slope,
)
from explorer.panes.backprop.expression.step_table import local_name, tables_of, together
from explorer.panes.backprop.expression.text import in_brackets, lines_of_names, shape
from explorer.panes.base import Inspection, Row
from explorer.widgets.formula import set_formulas
from explorer.widgets.live_numbers import Equation, Terms

AHEAD = 5  # steps whose formulas are typeset in advance
MOST_PATHS = 4  # written out in full
MOST_USES = 4  # listed for one element of a tensor
SHOWN = 3  # elements of a tensor listed in full; larger ones show their shape and one element
LARGEST = ", the largest in magnitude (point at another to see that one)"


def inspection_of(
    computed: Computed,
    moment: int,
    chosen: Hit,
    hovered: Hit,
    numeric: Mapping[int, NumericGradient],
) -> Inspection:
    """Returns the chosen node, else the hovered one, else the step. A tensor that the step changes
    is shown with the step.
    """
    looked, element = chosen if chosen != NOTHING else hovered
    if not 0 <= looked < len(computed.graph.nodes):
        return of_step(computed, moment)
    pinned = looked == chosen[0]
    if looked == subject_at(computed, moment) and computed.value(looked).size > 1 and element >= 0:
        return of_step(computed, moment, element, pinned=pinned)
    return of_node(computed, looked, numeric, element, pinned=pinned)


def set_formulas_ahead(computed: Computed, moment: int) -> None:
    """Typesets the formulas of the next moments in advance: each takes most of a frame."""
    for at in range(moment, min(moment + AHEAD, len(computed.plan))):
        step = computed.step(at)
        if step is not None:
            set_formulas([step.formula], plain=True)


def of_step(
    computed: Computed, moment: int, element: int = -1, *, pinned: bool = False
) -> Inspection:
    """Returns the step's formula, lines of core and numbers; for tensors those of element `element`
    of the changed node, or of the largest one for -1.
    """
    step, place = computed.step(moment), computed.plan.places[moment]
    if step is None or place is None:
        rows = [
            Equation(name, _one(computed.value(node)), "accent", _range(computed.value(node)))
            for name, node in computed.leaves.items()
        ]
        table = {name: computed.value(node) for name, node in computed.leaves.items()}
        return Inspection(rows=rows, table=table, title="The inputs")
    out = computed.graph.nodes[computed.output].label
    where = (
        ""
        if place.phase == "forward" or out == "L"
        else f"Here L is {out}, the result of the formula"
    )
    rows = _rows(computed, moment, place)
    if not _is_single(computed, place) and place.phase != "seed":
        told = arithmetic_at(computed, moment, element)
        picked = element >= 0 or told.size == 1
        rows += ["", Row(f"{told.name}{'' if picked else LARGEST}"), Row(str(told), "accent")]
    table, labels = tables_of(computed, place, step)
    lines = lines_of_names(computed, [place.node, *computed.graph.nodes[place.node].inputs])
    return Inspection(
        step=step,
        rows=rows,
        table=table,
        labels=labels,
        cell=". ".join(filter(None, (where, lines))) or None,
        pinned=pinned,
        plain=True,
    )


def _is_single(computed: Computed, place: Place) -> bool:
    """True if a step involves single numbers only."""
    node = computed.graph.nodes[place.node]
    return all(computed.value(one).size == 1 for one in (place.node, *node.inputs))


def _rows(computed: Computed, moment: int, place: Place) -> list[object]:
    if place.phase == "forward":
        return _forward_rows(computed, place)
    if place.phase == "seed":
        same = "the output with respect to itself"
        return [Equation(slope(computed, place.node), 1.0, "accent", same)]
    assert place.input is not None
    edge = (place.node, place.input)
    node = computed.graph.nodes[place.node]
    target = node.inputs[place.input]
    label, flow = computed.graph.nodes[target].label, computed.flows.along[edge]
    before, after = (computed.gradient_at(target, at) for at in (moment - 1, moment))
    if place.phase == "copies":
        handed = computed.contribution(edge)
        return [
            Equation("contribution", _one(handed), "text", f"to the copies of {label}"),
            Equation("total", _one(flow), "accent", "the sum over the copies"),
        ]
    if place.phase == "accumulate":
        assert before is not None and after is not None
        return [
            Equation("gradient so far", _one(before), "text", "from other uses"),
            Equation("contribution", _one(flow), "text", f"from {node.label}"),
            Equation("gradient", _one(after), "accent", "their sum"),
        ]
    upstream, local = computed.gradient(place.node), computed.local(edge)
    assert upstream is not None
    rows: list[object] = [Equation("upstream", _one(upstream), "text", slope(computed, place.node))]
    if local is not None:
        rows.append(Equation("local", _one(local), "text", local_name(computed, place)))
    copied = computed.is_copied(edge)
    handed = computed.contribution(edge) if copied else flow
    to = f"{'the copies of ' if copied else ''}{label}"
    rows.append(Equation("contribution", _one(handed), "accent", f"flows back to {to}"))
    if before is not None:
        rows.append(Equation("gradient so far", _one(before), "text", "the next step adds the two"))
    elif not copied:
        rows.append(f"This first contribution is the gradient of {label} so far.")
    return rows


def _forward_rows(computed: Computed, place: Place) -> list[object]:
    """Returns the inputs, if all are single numbers, and the result."""
    nodes = computed.graph.nodes
    node, value = nodes[place.node], computed.value(place.node)
    rows: list[object] = []
    if _is_single(computed, place):
        named = [one for one in node.inputs if not called_by_value(nodes[one].tensor)]  # not 2 = 2
        rows += [
            Equation(nodes[one].label, _one(computed.value(one))) for one in dict.fromkeys(named)
        ]
        if node.tensor.operation is not None and node.tensor.operation.name == "GELU":
            step = computed.step(computed.plan.appears[place.node])
            assert step is not None
            name = f"\u03a6({format_number(computed.value(node.inputs[0]).item())})"
            share = float(step.value("below"))
            rows.append(Equation(name, share, "text", "the share that passes"))
    size = f", shape {shape(value)}" if value.size > 1 else ""
    return [*rows, Equation(node.label, _one(value), "accent", f"= {node.text}{size}")]


def of_node(
    computed: Computed,
    number: int,
    numeric: Mapping[int, NumericGradient],
    element: int = -1,
    *,
    pinned: bool,
) -> Inspection:
    """Returns a node: its value, and its gradient as the sum over its uses, checked by nudging; for
    a tensor also element `element`, or the one with the largest gradient.
    """
    nodes = computed.graph.nodes
    node, value, gradient = nodes[number], computed.value(number), computed.gradient(number)
    rows: list[object] = [Equation("value", _one(value), "accent", _range(value))]
    table = {"value": value}
    moment = computed.plan.appears[number]
    edges = [edge for edge in computed.flows.along if nodes[edge[0]].inputs[edge[1]] == number]
    if gradient is not None:
        known, told = numeric.get(number), _one(gradient)
        if known is not None and gradient.size == 1:
            told, _ = _both(gradient, known.slopes)
        if len(edges) > 1 and gradient.size == 1:
            rows.append(_sum(computed, number, edges))
            if known is not None and told != format_significant(gradient.item()):
                rows.append(Equation("gradient", told, "text", "with more digits"))
        else:
            rows.append(Equation("gradient", told, "text", slope(computed, number)))
        table["gradient"] = np.asarray(gradient)
        if known is not None:
            rows.append(checked(gradient, known))
            table["numeric gradient"] = known.slopes
        rows += _chain(computed, number)
        if not moment and computed.plan.grows[number]:
            moment = computed.plan.grows[number][0][0]
    if value.size > 1:
        rows += _cell_rows(computed, number, element, edges)
    title = node.label if node.is_leaf else f"{node.label} = {node.text}"
    table, labels = together(table)
    return Inspection(
        step=computed.step(moment),
        rows=rows,
        table=table,
        labels=labels,
        pinned=pinned,
        title=title,
        plain=True,
    )


def _cell_rows(computed: Computed, number: int, element: int, edges: list[Edge]) -> list[object]:
    """Returns one element of a tensor: how it is computed, and what each use passes back to it."""
    value, gradient = computed.value(number), computed.gradient(number)
    picked = 0 <= element < value.size
    told = element if picked else largest(value if gradient is None else gradient)
    name = cell_name(computed, number, told)
    rows: list[object] = ["", Row(f"{name}{'' if picked else LARGEST}")]
    if computed.plan.appears[number]:
        rows.append(Row(str(arithmetic_at(computed, computed.plan.appears[number], told))))
    else:
        rows.append(Equation(name, float(value.reshape(-1)[told])))
    for edge in edges[:MOST_USES]:
        rows.append(Row(f"flows back from {computed.graph.nodes[edge[0]].text}:", "muted"))
        rows.append(Row(str(arithmetic_at(computed, computed.plan.flows[edge], told))))
    if len(edges) > MOST_USES:
        rows.append(Row(f"and from {len(edges) - MOST_USES} more", "muted"))
    if gradient is not None:
        total = float(np.asarray(gradient).reshape(-1)[told])
        note = f"of {name}: the sum over its uses" if len(edges) > 1 else f"of {name}"
        rows.append(Equation("gradient", total, "accent", note))
    return rows


def _chain(computed: Computed, number: int) -> list[object]:
    """Returns the gradient as products of local derivatives along each path to the output."""
    names = computed.graph.nodes
    paths = paths_from(computed.graph, number, MOST_PATHS)
    if not paths:
        count = count_paths(computed.graph, number)
        return (
            [f"{count:,} paths lead from here to {names[computed.output].label}."]
            if count > MOST_PATHS
            else []
        )
    along = "the path" if len(paths) == 1 else f"each of the {len(paths)} paths"
    rows: list[object] = [
        f"Product of the local derivatives along {along} to {names[computed.output].label}:"
    ]
    for path in paths:
        product = " \u00d7 ".join(in_brackets(format_number(one)) for one in path.factors)
        way = " \u2192 ".join(names[node].label for node in path.nodes)
        result = f" = {format_number(path.product)}" if len(path.factors) > 1 else ""
        rows.append(Row(product + result, "accent"))
        rows.append(Row(f"along {way}", "muted"))
    return rows


def _sum(computed: Computed, number: int, edges: list[Edge]) -> Terms:
    """Returns the gradient of a node with several uses: upstream times local, use by use."""
    upstream, local, labels = [], [], []
    for edge in edges:
        flow = float(np.asarray(computed.flows.along[edge]).item())
        factor, above = computed.local(edge), computed.gradient(edge[0])
        plain = factor is not None and factor.size == 1 and np.size(above) == 1
        upstream.append(float(np.asarray(above).item()) if plain else flow)
        local.append(float(factor.item()) if plain and factor is not None else 1.0)
        labels.append(f"by {computed.graph.nodes[edge[0]].label}")
    total = float(np.asarray(computed.gradient(number)).item())
    roles = ("text", "text")
    return Terms("gradient", np.array(upstream), np.array(local), roles, labels, total, "accent")


def checked(gradient: Array, numeric: NumericGradient) -> Equation:
    """Returns the numeric gradient of a node, and whether it agrees."""
    gradient, slopes = np.asarray(gradient), numeric.slopes
    error = difference(gradient, slopes)
    if not np.isfinite(error):
        note, role = "cannot be compared: not finite", "warning"
    elif agree(gradient, slopes):
        note, role = f"agrees to {format_number(error)}", "success"
    elif is_within_error(gradient, slopes, numeric.errors):
        note, role = f"differs by {format_number(error)}, within rounding error", "muted"
    else:
        note, role = f"differs by {format_number(error)}", "warning"
    value = _one(slopes)
    if isinstance(value, float):
        _, value = _both(gradient, slopes)
    return Equation("by nudging", value, role, note)


def _both(gradient: Array, numeric: Array) -> tuple[str, str]:
    """Formats two single numbers with enough digits to see whether they agree."""
    return compared(np.asarray(gradient).item(), numeric.item(), agree(gradient, numeric))


def _one(value: Array) -> float | str:
    array = np.asarray(value)
    if array.size == 1:
        return float(array.item())
    if array.size <= SHOWN:
        return f"({', '.join(format_number(one) for one in array.reshape(-1))})"
    return f"shape {shape(array)}"


def _range(value: Array) -> str:
    array = np.asarray(value)
    if array.size <= SHOWN:
        return ""
    return f"from {format_number(array.min())} to {format_number(array.max())}"
