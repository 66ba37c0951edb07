"""What the inspector shows: a step of the life of a gradient or of a weight, with its numbers."""

from __future__ import annotations

import numpy as np

from core.numbers import format_significant
from core.trace import Step, Trace
from core.training.exponents import powers
from explorer.panes.base import Inspection, Row
from explorer.panes.training.precision.compute import Numbers
from explorer.panes.training.precision.scene import BitsScene

LIFE = (
    ("gradient", "g"),
    ("scaled", "s g"),
    ("stored", "s g, stored"),
    ("unscaled", "g, unscaled"),
)
SUM = (("weight", "w"), ("update", "Δw"), ("total", "w + Δw"), ("result", "stored"))


def inspection(step: Step, trace: Trace, bits: BitsScene, numbers: Numbers | None) -> Inspection:
    """The numbers that are known of it, bit by bit, and the histogram as a table."""
    names = LIFE if "gradient" in trace.about else SUM
    rows = [Row(f"{short} = {format_significant(trace.about[name], 5)}") for name, short in names]
    rows += [Row(f"{row.name}: {row.fields}") for row in bits.rows if row.fields]
    table = {}
    if numbers is not None:
        counted = np.flatnonzero(numbers.histogram.counts)
        table = {"power of two": powers()[counted], "count": numbers.histogram.counts[counted]}
    return Inspection(step=step, rows=rows, table=table, plain=True)
