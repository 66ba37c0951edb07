"""The flow through the model, forward or backward, as a column of its parts; next to backward, the
exchanges in which ranks add up their gradients.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF

from core.training.recorded_step import Part, RecordedStep
from explorer.panes.training.step import text
from explorer.widgets.block_column import BlockColumn, BlockRow


def flow(area: QRectF, recorded: RecordedStep, phase: str) -> BlockColumn:
    """Returns the column of the model's parts, in the order in which a phase visits them."""
    rows = [_row(part) for part in recorded.parts(phase)]
    if phase == "forward":
        return BlockColumn(area, rows, text.SIZES)
    exchanges, came = recorded.exchanges, [part.came for part in recorded.parts(phase)]
    places = (np.searchsorted(came, exchanges[name]) - 1 for name in ("start", "end"))
    first, last = (np.maximum(place, 0) for place in places)  # some precede the first part
    title = text.EXCHANGES if len(exchanges) else ""
    spans = list(zip(first.tolist(), last.tolist(), strict=True))
    return BlockColumn(area, rows, text.GRADIENTS, text.NORMS, title, spans)


def _row(part: Part) -> BlockRow:
    """Returns a part's row, with the bars of the first sequence."""
    sizes = part.sizes[0] if part.sizes.ndim > 1 else np.atleast_1d(part.sizes)
    return BlockRow(part.label, sizes, np.array(list(part.norms.values())), text.part(part))
