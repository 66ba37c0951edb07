"""What the inspector shows of any Step: its marked line with its numbers, and all that it read."""

from __future__ import annotations

import numpy as np

from core.marked_line import marked_line
from core.substitution import Cell, arithmetic
from core.trace import Step
from explorer.panes.base import Inspection, Row
from explorer.widgets.live_numbers import Equation, in_a_line


def calculated(step: Step, cell: int | Cell | None = None) -> list[Row]:
    """The line with the numbers of one cell, where it makes more than one number; none where it
    does not compute, or where what was recorded lacks some of them.
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
    """What is `said` of the cell, the line, each single number in a row, each array as a table."""
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
