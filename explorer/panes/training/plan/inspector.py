"""What the inspector shows for a term: its line, its arithmetic, and every number of it."""

from __future__ import annotations

import numpy as np

from core.substitution import arithmetic
from core.trace import Step
from explorer.panes.base import Inspection
from explorer.widgets.live_numbers import Equation, in_a_line


def inspection(step: Step) -> Inspection:
    """Of one term of the sum."""
    told = arithmetic(step)
    values = {name: float(step.value(name)) for name in step.values}
    rows = [
        Equation(name.replace("_", " "), value, "accent" if name == told.name else "text")
        for name, value in values.items()
    ]
    table = {name: np.array([value]) for name, value in values.items()}
    return Inspection(step=step, rows=[in_a_line(told), *rows], table=table, title=step.title,
                      plain=True)  # fmt: skip
