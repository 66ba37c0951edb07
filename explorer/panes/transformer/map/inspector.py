"""What the inspector shows for a step of the forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.equation import Cell
from core.marked_line import marked_line
from core.trace import Step
from explorer.panes.base import Inspection, Row
from explorer.panes.step_inspection import calculated
from explorer.panes.transformer.map import text
from explorer.widgets.pooling import Matrix

MOST = 500_000  # cells of an array that is listed


def inspection(step: Step, matrices: Mapping[str, Matrix], cell: Cell) -> Inspection:
    """Its line with the numbers of a cell of what it makes, where it computes, else how large the
    vectors of that row are; its arrays.
    """
    values = {name: one.values for name, one in matrices.items()}
    rows = calculated(replace(step, values=values), cell) if values else []
    if values and not rows:
        rows = [Row(line, "accent") for line in text.sizes(values, cell[0])]
        return Inspection(step, rows, _table(values), title=step.title, plain=True)
    words = f"{marked_line(step.code).made}[{cell[0]}, {cell[1]}]" if rows else None
    return Inspection(step, rows, _table(values), words, title=step.title, plain=True)


def _table(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: one for name, one in values.items() if one.size <= MOST}
