"""The inspector's content: a step in the trace of a gradient or weight, with its numbers."""

from __future__ import annotations

from core.numbers import format_significant
from core.trace import Step
from core.training.bits import AlignedNumbers, fields_text
from core.training.exponents import powers
from explorer.panes.base import Inspection, Row
from explorer.panes.step_inspection import calculated, inspection_of
from explorer.panes.training.precision.scene import Scene


def inspection(step: Step, shown: AlignedNumbers | None, scene: Scene | None) -> Inspection:
    """Returns the step's line with its numbers, the traced values, and the histogram's table."""
    if shown is None:  # a step of the loss scale
        return inspection_of(step)
    rows = calculated(step)
    for name, value, format, *_ in shown.numbers:
        rows.append(Row(f"{name} = {format_significant(value, 5)}  {fields_text(value, format)}"))
    table = {}
    if scene is not None:
        counts = scene.counted.histogram.counts
        table = {"power of two": powers()[counts > 0], "count": counts[counts > 0]}
    return Inspection(step=step, rows=rows, table=table, plain=True)
