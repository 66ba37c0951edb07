"""The inspector's content for a step of the forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.equation import Cell
from core.marked_line import marked_line
from core.trace import Step
from explorer.panes.base import Inspection, Row
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.map import text
from explorer.widgets.pooling import Matrix

MOST = 500_000  # cells of the largest array that is listed


def inspection(step: Step, matrices: Mapping[str, Matrix], cell: Cell) -> Inspection:
    """Returns the step's line with the numbers of one cell of its result; for a line without
    arithmetic, the sizes of that row's vectors.
    """
    values = {name: one.values for name, one in matrices.items()}
    shown = inspection_of(replace(step, values=values), cell)
    listed = {name: one for name, one in values.items() if one.size <= MOST}
    if shown.rows:
        words = f"{marked_line(step.code).made}[{cell[0]}, {cell[1]}]"
        return replace(shown, step=step, table=listed, cell=words)
    rows = [Row(line, "accent") for line in text.sizes(values, cell[0])]
    return replace(shown, step=step, table=listed, rows=rows)
