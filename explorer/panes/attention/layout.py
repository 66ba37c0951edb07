"""Where everything of the steps stands: one geometry for all of them, so that nothing jumps."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF

from explorer import theme
from explorer.panes.attention.model import rows_to_show
from explorer.panes.attention.story import Story
from explorer.widgets.base import visible_text

LOWEST_ROW = 17
HIGHEST_ROW = 34


@dataclass(frozen=True)
class Layout:
    """Rectangles in widget coordinates; `rows` are the keys shown, top to bottom."""

    rows: tuple[int, ...]
    row_height: float
    top: float  # of the first row
    label: QRectF  # the columns, as wide as they are and as high as all rows
    left: QRectF  # k, then the products
    score: QRectF
    scaled: QRectF
    weight: QRectF
    right: QRectF  # v, then the weighted values
    query_y: float
    output_y: float
    band: float  # height of the q and the o strip
    line_y: float  # of the line with live numbers

    def y(self, place: int) -> float:
        return self.top + place * self.row_height

    def row_rect(self, place: int) -> QRectF:
        return QRectF(0, self.y(place), self.right.right() + 4, self.row_height)

    def place_at(self, y: float) -> int:
        """The row under a height, or -1."""
        place = int((y - self.top) // self.row_height)
        return place if y >= self.top and place < len(self.rows) else -1


def lay_out(story: Story, width: float, height: float) -> Layout:
    now = theme.current()
    px = now.px
    heading, gap, line = px(20), px(8), px(26)
    # The two vectors that are the picture's start and end get the height that the rows leave.
    band = px(30) if height < px(440) else px(40)
    above = heading + band + gap
    below = gap + band + line
    free = height - above - below
    rows = tuple(rows_to_show(story.weights, story.query, max(4, int(free // px(LOWEST_ROW)))))
    row_height = min(float(px(HIGHEST_ROW)), max(6.0, free / max(1, len(rows))))
    row_height = float(int(row_height)) if row_height >= 8 else row_height
    metrics = now.metrics("label")
    longest = max(
        (metrics.horizontalAdvance(visible_text(story.labels[r])) for r in rows), default=0
    )
    label = min(max(longest, px(36)), px(88)) + px(10)
    number, space, near = px(48), px(14), px(6)
    fixed = label + 2 * number + 3 * space + 2 * near + px(4)
    weight = max(float(px(64)), (width - fixed) * 0.2)
    block = (width - fixed - weight) / 2
    cell = block / story.size
    block = int(cell * 2) / 2 * story.size if cell >= 2 else max(block, float(px(24)))
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
