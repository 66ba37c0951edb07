"""What the inspector shows: a step of the life of a gradient or of a weight, with its numbers."""

from __future__ import annotations

from core.marked_line import marked_line
from core.numbers import format_significant
from core.substitution import arithmetic
from core.trace import Step
from core.training.bits import AlignedNumbers, fields_text
from core.training.exponents import powers
from explorer.panes.base import Inspection, Row
from explorer.panes.training.precision.scene import Scene
from explorer.widgets.live_numbers import in_a_line


def inspection(step: Step, shown: AlignedNumbers, scene: Scene | None) -> Inspection:
    """The step's line with its numbers, all that is traced, and the histogram as a table."""
    computes = marked_line(step.code).computes
    rows = [Row(in_a_line(arithmetic(step)), "accent")] if computes else []
    for name, value, format, *_ in shown.numbers:
        rows.append(Row(f"{name} = {format_significant(value, 5)}  {fields_text(value, format)}"))
    table = {}
    if scene is not None:
        counts = scene.counted.histogram.counts
        table = {"power of two": powers()[counts > 0], "count": counts[counts > 0]}
    return Inspection(step=step, rows=rows, table=table, plain=True)
