"""Contents of the inspector: the current step, or the hovered or pinned number. No Qt."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from core.autograd.flows import Edge
from core.numbers import format_significant
from core.trace import Step
from explorer.panes.backprop.gpt import cell_arithmetic, closed_forms, text
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.operations import (
    PARTIAL,
    copied_input,
    letter,
    short,
    slope,
)
from explorer.panes.backprop.gpt.scene import Cell, shape_text
from explorer.panes.backprop.gpt.track import Played
from explorer.panes.base import Inspection, Row
from explorer.widgets.formula import set_formulas
from explorer.widgets.live_numbers import Equation

RMS = "RMS (root mean square) is the typical size of the numbers."
POINT = "Point at a heat-map cell to see how it was computed."
POINT_AT_SHARES = "Point at a contribution to see its arithmetic and its code."


def of_played(worked: Worked, played: Played, looked_at: Edge | None = None) -> Inspection:
    """Returns the step's formula and lines of core, with the shape and size of its arrays.

    If several contributions flow back, each has its formula; the lines are those of `looked_at`, or
    of the first.
    """
    shares = shares_of(worked, played)
    number = worked.edges[looked_at] if looked_at in shares else played.step
    step = replace(worked.steps[number], formula=formula_of(worked, played))
    rows: list[object] = []
    if played.phase == "forward":
        for before in dict.fromkeys(worked.graph.nodes[played.node].inputs):
            rows.append(_about(letter(worked.graph, before), worked.value(before), "text"))
        rows.append(_about(letter(worked.graph, played.node), worked.value(played.node), "accent"))
    elif played.phase == "seed":
        same = "the loss with respect to itself"
        rows.append(Equation(f"{PARTIAL}L/{PARTIAL}L", 1.0, "accent", same))
    else:
        rows += _backward(worked, played)
    hints = [POINT_AT_SHARES if len(shares) > 1 else POINT]
    if played.phase != "seed":
        hints.insert(0, RMS)
    return Inspection(
        step=step,
        rows=[*rows, *closed_forms.facts(worked, played), *(Row(one, "muted") for one in hints)],
        table=table_of(step),
        title=text.title(worked, played),
        plain=True,
    )


def _backward(worked: Worked, played: Played) -> list[object]:
    rows: list[object] = []
    upstream = worked.gradient(played.node)
    if upstream is not None and played.phase == "backward":
        rows.append(_about(f"upstream {slope(worked.graph, played.node)}", upstream, "text"))
    operation = worked.operations[played.operation]
    if played.input is not None:
        edges: tuple[Edge, ...] = ((played.node, played.input),)
    else:  # a carrier's own edges, as in its formula, then the operation's
        own = [edge for edge in worked.edges if edge[0] == played.node]
        edges = tuple(dict.fromkeys((*own, *operation.reads)))
    for edge in edges:
        flow = worked.flow(edge)
        if flow is not None:
            partial = slope(worked.graph, worked.target(edge))
            rows.append(_about(f"contribution to {partial}", flow, "accent"))
    return rows


def _about(name: str, array: np.ndarray, role: str) -> Equation:
    """Returns a number, or an array's shape and the RMS of its numbers."""
    if array.size == 1:
        return Equation(name, float(array.reshape(-1)[0]), role)
    finite = array[np.isfinite(array)]
    size = float(np.sqrt(np.mean(finite**2))) if finite.size else 0.0
    shape = shape_text(array.shape).replace(" ", "")
    return Equation(name, shape, role, f"RMS {format_significant(size, 2)}")


def of_cell(worked: Worked, played: Played, cell: Cell, pinned: bool, place: str) -> Inspection:
    """Returns one number and how it was computed."""
    number, rows = cell_arithmetic.made(worked, cell)
    number = played.step if number is None else number
    step = replace(worked.steps[number], formula=formula(worked, number))
    return Inspection(
        step=step, rows=rows, table=table_of(step), cell=place, pinned=pinned,
        title=_cell_title(worked, cell), plain=True,
    )  # fmt: skip


def _cell_title(worked: Worked, cell: Cell) -> str:
    kind, where = cell.what
    name = f"\u201c{short(worked.graph, worked.node_of(cell.what))}\u201d"
    if kind == "value":
        return f"One number in {name}"
    if kind == "gradient":
        return f"How strongly one number in {name} affects the loss"
    reader = short(worked.graph, where[0])
    return f"What flows back from \u201c{reader}\u201d to one number in {name}"


def shares_of(worked: Worked, played: Played) -> tuple[Edge, ...]:
    """Returns the edges along which an operation passes its gradient on."""
    if played.phase != "backward" or played.input is not None:
        return ()
    reads = worked.operations[played.operation].reads
    return tuple(edge for edge in reads if edge[0] == played.node and edge in worked.edges)


def formula_of(worked: Worked, played: Played) -> str:
    """Returns the formula of a player's step: one line per contribution that flows back."""
    shares = shares_of(worked, played)
    if len(shares) < 2:
        return formula(worked, played.step, whole=played.input is None)
    lines = r" \\ \, \\ ".join(formula(worked, worked.edges[edge], whole=True) for edge in shares)
    return rf"\begin{{array}}{{l}} {lines} \end{{array}}"


def formula(worked: Worked, number: int, *, whole: bool = False) -> str:
    """Returns the formula of a step; `whole` includes the sum over the copies of a broadcast input,
    which is a step of its own inside the operation.
    """
    step, place = worked.steps[number], worked.explained.trace.about["places"][number]
    if place.phase not in ("forward", "backward"):
        if place.phase == "seed":
            return r"\frac{\partial L}{\partial L} = 1"
        return step.formula if place.input is None else _part(worked, place)
    node = worked.graph.nodes[place.node]
    operation = node.tensor.operation
    assert operation is not None
    names = [latex(worked, before) for before in node.inputs]
    out = latex(worked, place.node)
    if place.phase == "forward":
        return operation.latex(out, *names)
    target, partial = _slope(names[place.input]), _slope(out)
    flow = operation.latex_flow(place.input, target, partial, out, *names)
    if flow.count(partial) > 1:  # a letter keeps the line readable
        flow = operation.latex_flow(place.input, target, "g", out, *names)
        return rf"\begin{{array}}{{l}} {flow}, \\ g = {partial} \end{{array}}"
    if whole and place.input == copied_input(worked.graph, place.node):
        flow = flow.replace("{=} \\; ", r"{=} \; \sum_{\text{tokens}} ", 1)
    return _turned_back(flow)


def _turned_back(written: str) -> str:
    """Drops the transpose of a transpose, except in a fraction's denominator."""
    return re.sub(r"(?<!\})\{([^{}]+(?:\{[^{}]*\})?)\^\\top\}\^\\top", r"\1", written)


def _part(worked: Worked, place: Any) -> str:
    partial = _slope(latex(worked, worked.target((place.node, place.input))))
    if place.phase == "copies":
        return rf"{partial} = \sum_{{\text{{tokens}}}} \text{{contribution}}"
    return rf"{partial} = \sum_{{\text{{uses}}}} \text{{contribution}}"


def _slope(name: str) -> str:
    return rf"\frac{{\partial L}}{{\partial {name}}}"


def latex(worked: Worked, node: int) -> str:
    """Returns a node's name in LaTeX: letters in italics, words upright."""
    name = short(worked.graph, node)
    if name == "loss":
        return "L"
    if name.startswith("1/"):
        return r"\frac{1}{\sqrt{D}}"
    if name.startswith("normalized"):
        return r"\hat{x}"
    plain = name.replace("\u1d40", "")
    if len(plain) > 1 and not plain.replace(".", "").isdigit():
        plain = rf"\mathrm{{{plain.replace('_', chr(92) + '_').replace(' ', '~')}}}"
    return plain + (r"^\top" if plain != name and name.endswith("\u1d40") else "")


def table_of(step: Step) -> dict[str, np.ndarray]:
    """Returns every value of the step as a table."""
    return {name: step.value(name) for name in step.values if name != "local"}


def prepare_formulas(worked: Worked) -> None:
    """Typesets every formula of an example, on another thread, so that no step waits for one."""
    steps = [formula(worked, number) for number in range(len(worked.steps))]
    played = [formula_of(worked, one) for one in worked.timeline]
    set_formulas(dict.fromkeys(steps + played), plain=True)
