"""What the inspector shows for a step of the forward pass."""

from __future__ import annotations

from core.trace import Step
from explorer.panes.base import Inspection, Row
from explorer.panes.transformer.map.compute import Level
from explorer.widgets.live_numbers import in_a_line

MOST = 500_000  # cells of an array that is listed


def line_of(level: Level | None) -> str:
    """The step's line with the numbers of the chosen cell; "" where it does not compute."""
    told = level.told if level is not None else None
    return in_a_line(told) if told is not None and told.pieces else ""


def inspection(step: Step, level: Level | None) -> Inspection:
    """`level`: what is known of the steps beside it."""
    line, table = line_of(level), {}
    if level is not None and level.at in level.matrices:
        matrices = level.matrices[level.at].items()
        table = {name: one.values for name, one in matrices if one.values.size <= MOST}
    cell = ""
    if line and level is not None and level.told is not None:
        cell = f"{level.told.name}[{', '.join(map(str, level.told.cell))}]"
    rows = [Row(line, "accent")] if line else []
    return Inspection(step, rows, table, cell or None, title=step.title, plain=True)
