"""Where everything of the last steps stands: W_O, the stream, the likeliest tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF

from explorer import theme
from explorer.panes.attention.story import After

BAR = 4  # px: the least that a bar of a strip takes
HEADING, LINE = 28, 26  # px: above the matrix, with its color bar; the line below everything
STRIPS = ("written", "others", "residual", "added")  # from top to bottom


@dataclass(frozen=True)
class DownstreamLayout:
    """Rectangles in widget coordinates. Columns of the matrix stand above their bars.

    group    how many dimensions of the stream one bar is the mean of
    upright  o beside the rows of W_O that it multiplies
    strips   by name, from top to bottom
    above    where the stream goes at last
    flow     what lies between the stream and the tokens, in words
    bars     of the tokens
    """

    group: int
    label: QRectF
    upright: QRectF
    matrix: QRectF
    strips: dict[str, QRectF]
    above: QRectF
    flow: QRectF
    bars: QRectF


def lay_out_downstream(after: After, width: float, height: float) -> DownstreamLayout:
    px = theme.current().px
    label, upright, gap = px(92), px(34), px(4) if height < px(240) else px(6)
    left = label + gap
    room = width - left - px(4)
    group = max(1, -(-after.written.size // max(1, int(room // px(BAR)))))
    top, free = px(HEADING), height - px(HEADING) - px(LINE)
    band = min(max(free * 0.13, px(15)), px(48))
    tall = max(free - len(STRIPS) * (band + gap) - gap, px(16))
    y = top + tall + gap
    strips = {}
    for name in STRIPS:
        strips[name] = QRectF(left, y, room, band)
        y += band + gap
    above = QRectF(left, px(4), room, band)
    flow = QRectF(left, above.bottom() + px(2), room, px(22))
    return DownstreamLayout(
        group=group,
        label=QRectF(0, 0, label, band),
        upright=QRectF(left - gap / 2 - upright, top, upright, tall),
        matrix=QRectF(left, top, room, tall),
        strips=strips,
        above=above,
        flow=flow,
        bars=QRectF(0, flow.bottom() + px(4), width, height - flow.bottom() - px(4) - px(LINE)),
    )


def grouped(values: np.ndarray, group: int) -> np.ndarray:
    """(..., C) -> (..., ceil(C / group)): the mean of each `group` dimensions, so that bars add up
    as their dimensions do.
    """
    starts = np.arange(0, values.shape[-1], group)
    sizes = np.minimum(group, values.shape[-1] - starts)
    return np.add.reduceat(values, starts, axis=-1) / sizes
