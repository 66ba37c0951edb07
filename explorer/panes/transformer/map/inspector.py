"""What the inspector shows for a step of the forward pass."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.substitution import Arithmetic
from core.trace import Step
from explorer.panes.base import Inspection, Row
from explorer.widgets.live_numbers import in_a_line
from explorer.widgets.pooling import Matrix

MOST = 500_000  # cells of an array that is listed


def inspection(
    step: Step, matrices: Mapping[str, Matrix], told: Arithmetic | None, cell: str
) -> Inspection:
    """`told`: the line with the numbers of `cell`."""
    rows = [Row(in_a_line(told), "accent")] if told is not None and told.pieces else []
    small = {name: one.values for name, one in matrices.items() if one.values.size <= MOST}
    table = {name: np.atleast_1d(values) for name, values in small.items()}
    return Inspection(step, rows, table, cell or None, title=step.title, plain=True)
