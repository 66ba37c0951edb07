"""What flows through the model, forward and backward, as a column of its parts; beside backward,
between which parts ranks add gradients up.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF

from core.training.recorded_step import Part, RecordedStep
from explorer.panes.training.step import text
from explorer.widgets.block_column import BlockColumn, BlockRow


def flow(area: QRectF, recorded: RecordedStep, phase: str) -> BlockColumn:
    """The parts of the model, in the order in which a phase comes through them."""
    rows = [_row(part) for part in recorded.parts(phase)]
    if phase == "forward":
        return BlockColumn(area, rows, text.SIZES)
    exchanges, came = recorded.exchanges, [part.came for part in recorded.parts(phase)]
    places = (np.searchsorted(came, exchanges[name]) - 1 for name in ("start", "end"))
    first, last = (np.maximum(place, 0) for place in places)  # some come before the first part
    title = text.EXCHANGES if len(exchanges) else ""
    spans = list(zip(first.tolist(), last.tolist(), strict=True))
    return BlockColumn(area, rows, text.GRADIENTS, text.NORMS, title, spans)


def _row(part: Part) -> BlockRow:
    """Its bars are those of the first sequence."""
    sizes = part.sizes[0] if part.sizes.ndim > 1 else np.atleast_1d(part.sizes)
    return BlockRow(part.label, sizes, np.array(list(part.norms.values())), text.part(part))
