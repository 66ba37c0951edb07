"""The inspection of any Step: its marked line with real numbers, and all values that it reads."""

from __future__ import annotations

import numpy as np

from core.marked_line import marked_line
from core.substitution import Cell, arithmetic
from core.trace import Step
from explorer.panes.base import Inspection, Row
from explorer.widgets.live_numbers import Equation, in_a_line


def calculated(step: Step, cell: int | Cell | None = None) -> list[Row]:
    """Returns the marked line with its numbers, those of one cell if it computes an array. Empty
    if it computes nothing, or if a recording lacks some of its values.
    """
    try:
        line = marked_line(step.code)
        if not line.computes:
            return []
        if line.made in step.values and not step.value(line.made).ndim:
            cell = None
        return [Row(in_a_line(arithmetic(step, cell)), "accent")]
    except ValueError:  # an older run recorded less
        return []


def inspection_of(step: Step, cell: int | Cell | None = None, said: str = "") -> Inspection:
    """Returns `said` of the cell, the line, a row for each number, and a table for each array."""
    made = marked_line(step.code).made
    values = {name: step.value(name) for name in step.values}
    rows = [
        Equation(name.replace("_", " "), float(value), "accent" if name == made else "text")
        for name, value in values.items()
        if not value.ndim
    ]
    return Inspection(
        step=step,
        rows=[*filter(None, [said]), *calculated(step, cell), *rows],
        table={name: np.atleast_1d(value) for name, value in values.items()},
        title=step.title,
        plain=True,
    )
