"""What the inspector shows for a step of the forward pass."""

from __future__ import annotations

from core.trace import Step
from explorer.panes.base import Inspection, Row
from explorer.panes.transformer.map.compute import Level
from explorer.widgets.live_numbers import in_a_line

MOST = 500_000  # cells of an array that is listed


def inspection(step: Step, level: Level | None) -> Inspection:
    """`level`: what is known of the step, its line with the numbers of the chosen cell among it."""
    matrices = level.matrices[level.at].items() if level is not None else ()
    table = {name: one.values for name, one in matrices if one.values.size <= MOST}
    told, rows, cell = level.told if level is not None else None, [], None
    if told is not None and told.pieces:  # else the line does not compute
        rows = [Row(in_a_line(told), "accent")]
        cell = f"{told.name}[{', '.join(map(str, told.cell))}]"
    return Inspection(step, rows, table, cell, title=step.title, plain=True)
