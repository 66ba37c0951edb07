"""The inspector's content for a step of the forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.equation import Cell
from core.trace import Step
from explorer.panes.base import Inspection, Row
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.map import text
from explorer.widgets.pooling import Matrix

MOST = 500_000  # cells of the largest array that is listed


def inspection(
    step: Step, matrices: Mapping[str, Matrix], cell: Cell, where: tuple[str | None, str]
) -> Inspection:
    """Returns the step's line with the numbers of one cell of its result; for a line without
    arithmetic, the sizes of that row's vectors. `where`: names of the row and of the cell.
    """
    values = {name: one.values for name, one in matrices.items()}
    shown = inspection_of(replace(step, values=values), cell)
    listed = {name: one for name, one in values.items() if one.size <= MOST}
    if shown.rows:
        return replace(shown, step=step, table=listed, cell=where[1])
    rows = [Row(line, "accent") for line in text.sizes(values, cell[0])]
    return replace(shown, step=step, table=listed, rows=rows, cell=where[0])
