"""The geometry of the steps, the same for all of them, so that nothing jumps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF

from explorer import theme
from explorer.panes.attention.scene import Downstream, Scene, keys_to_show
from explorer.widgets.base import visible_text

LOWEST_ROW, HIGHEST_ROW = 17, 35
BAR = 4  # px: least width of a bar in a strip
HEADING, LINE = 28, 26  # px: above the matrix, with its color bar; the line at the bottom
STRIPS = ("written", "others", "residual", "added")  # from top to bottom


@dataclass(frozen=True)
class Layout:
    """Rectangles in widget coordinates; `rows` are the keys shown, top to bottom."""

    rows: tuple[int, ...]
    row_height: float
    top: float  # top of the first row
    label: QRectF  # the columns, each as high as all rows
    left: QRectF  # k, then the products
    score: QRectF
    scaled: QRectF
    weight: QRectF
    right: QRectF  # v, then the weighted values
    query_y: float
    output_y: float
    band: float  # height of the q and the o strip
    line_y: float  # top of the line with live numbers

    def y(self, place: int) -> float:
        return self.top + place * self.row_height

    def row_rect(self, place: int) -> QRectF:
        return QRectF(0, self.y(place), self.right.right() + 4, self.row_height)

    def place_at(self, y: float) -> int:
        """Returns the row at height `y`, or -1."""
        place = int((y - self.top) // self.row_height)
        return place if y >= self.top and place < len(self.rows) else -1


def lay_out(scene: Scene, width: float, height: float) -> Layout:
    """Lays out the steps up to the head's output."""
    px = theme.current().px
    heading, gap, line = px(20), px(8), px(LINE)
    band = px(32)
    above = heading + band + gap
    free = height - above - (gap + band + line)
    rows = tuple(keys_to_show(scene.weights, scene.query, int(free // px(LOWEST_ROW))))
    # Odd, so that the middle of a strip is on a row of pixels: a shrunk strip stays visible.
    row_height = float(int((min(px(HIGHEST_ROW), free / len(rows)) - 1) / 2) * 2 + 1)
    metrics = theme.current().metrics("label")
    texts = (visible_text(scene.labels[row]) for row in rows)
    longest = max(map(metrics.horizontalAdvance, texts), default=0)
    label = min(max(longest, px(36)), px(88)) + px(10)
    number, space, near = px(48), px(14), px(6)
    fixed = label + 2 * number + 3 * space + 2 * near + px(4)
    weight = max(float(px(64)), (width - fixed) * 0.2)
    block = (width - fixed - weight) / 2
    cell = block / scene.size
    block = int(cell * 2) / 2 * scene.size if cell >= 2 else block
    weight = max(weight, width - fixed - 2 * block)  # whole or half pixels a dimension
    tall = row_height * len(rows)
    x = 0.0

    def column(wide: float, after: float = float(space)) -> QRectF:
        nonlocal x
        rect = QRectF(x, above, wide, tall)
        x += wide + after
        return rect

    return Layout(
        rows=rows,
        row_height=row_height,
        top=above,
        label=column(label, near),
        left=column(block, space / 2),
        score=column(number, near),
        scaled=column(number),
        weight=column(weight),
        right=column(block),
        query_y=heading,
        output_y=above + tall + gap,
        band=band,
        line_y=above + tall + gap + band + px(6),
    )


@dataclass(frozen=True)
class DownstreamLayout:
    """Rectangles in widget coordinates. Columns of the matrix are aligned with the bars below.

    group    number of stream dimensions that one bar averages
    upright  o as a column beside the rows of W_O that it multiplies
    strips   strips by name, from top to bottom
    above    final place of the stream
    flow     words for the layers between the stream and the tokens
    bars     bars of the tokens
    """

    group: int
    label: QRectF
    upright: QRectF
    matrix: QRectF
    strips: dict[str, QRectF]
    above: QRectF
    flow: QRectF
    bars: QRectF


def lay_out_downstream(one: Downstream, width: float, height: float) -> DownstreamLayout:
    """Lays out the last steps: W_O, the stream, the likeliest tokens."""
    px = theme.current().px
    label, upright, gap = px(92), px(34), px(6)
    left = label + gap
    room = width - left - px(4)
    group = max(1, -(-one.written.size // max(1, int(room // px(BAR)))))
    top, free = px(HEADING), height - px(HEADING) - px(LINE)
    band = min(free * 0.13, px(48))
    tall = free - len(STRIPS) * (band + gap) - gap
    tops = [top + tall + gap + place * (band + gap) for place in range(len(STRIPS))]
    above = QRectF(left, px(4), room, band)
    flow = QRectF(left, above.bottom() + px(2), room, px(22))
    return DownstreamLayout(
        group=group,
        label=QRectF(0, 0, label, band),
        upright=QRectF(left - gap / 2 - upright, top, upright, tall),
        matrix=QRectF(left, top, room, tall),
        strips={name: QRectF(left, y, room, band) for name, y in zip(STRIPS, tops, strict=True)},
        above=above,
        flow=flow,
        bars=QRectF(0, flow.bottom() + px(4), width, height - flow.bottom() - px(4) - px(LINE)),
    )


def grouped(values: np.ndarray, group: int) -> np.ndarray:
    """Averages each `group` dimensions, (..., C) -> (..., ceil(C / group)), so that bars add up as
    their dimensions do.
    """
    starts = np.arange(0, values.shape[-1], group)
    sizes = np.minimum(group, values.shape[-1] - starts)
    return np.add.reduceat(values, starts, axis=-1) / sizes
