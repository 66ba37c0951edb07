"""Paints what each rank holds of the weights, gradients and optimizer memory, within outlines of
the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from core.training.estimates.step_timeline import STATES
from core.training.lane_trace import LaneTrace
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, put_longest, put_text

NAME, HEAD, GAP = 60, 18, 12  # px: names of rows, names of ranks, gap between ranks
ROW, TALLEST = 10, 60  # px


class HoldingsLayout:
    """The positions of ranks and their rows in an area."""

    def __init__(self, area: QRectF, lanes: LaneTrace) -> None:
        now = theme.current()
        self.area, self.lanes = area, lanes
        self.left = area.left() + now.px(NAME)
        ranks = max(lanes.ranks, 1)
        self.wide = (area.right() - self.left - now.px(GAP) * (ranks - 1)) / ranks
        room = (area.height() - now.px(HEAD)) / len(STATES)
        self.row = min(max(room, now.px(ROW)), now.px(TALLEST))

    def rank_left(self, rank: int) -> float:
        return self.left + rank * (self.wide + theme.current().px(GAP))

    def row_top(self, row: int) -> float:
        return self.area.top() + theme.current().px(HEAD) + row * self.row

    def whole(self, one: np.void) -> QRectF:
        """Returns the box of a part of the model in a rank's row; weights set its width."""
        x, wide = self.rank_left(one["rank"]), (one["right"] - one["left"]) * self.wide
        top = self.row_top(one["state"])
        return QRectF(x + one["left"] * self.wide, top, wide, self.row - 3)

    def held(self, one: np.void) -> QRectF:
        """Returns the held share of the box; columns are drawn as one contiguous share, too."""
        whole = self.whole(one)
        left = whole.left() + one["begin"] * whole.width()
        wide = (one["end"] - one["begin"]) * whole.width()
        return QRectF(left, whole.top(), wide, whole.height())


def draw_holdings(
    painter: QPainter, layout: HoldingsLayout, notes: Sequence[Sequence[str]]
) -> None:
    """Draws the holdings. `notes` has facts for each rank, shown next to its name if they fit."""
    now, label = theme.current(), theme.current().font("label")
    for rank, words in enumerate(notes):
        place = QRectF(layout.rank_left(rank), layout.area.top(), layout.wide, now.px(HEAD))
        name, bold = f"{layout.lanes.noun} {rank}", now.font("label", 600)
        put_text(painter, place, name, bold, now.color("text"), LEFT)
        used = now.metrics("label", 600).horizontalAdvance(name) + now.px(8)
        rest = place.adjusted(used, 0, 0, 0)
        heads = (", ".join(words[:count]) for count in range(len(words), -1, -1))
        put_longest(painter, rest, heads, label, now.color("muted"), LEFT)
    for row, state in enumerate(STATES):
        wide = now.px(NAME) - now.px(8)
        place = QRectF(layout.area.left(), layout.row_top(row), wide, layout.row - 3)
        put_text(painter, place, state, label, now.color("muted"), RIGHT)
    painter.setPen(now.pen("surface"))
    for one in layout.lanes.holdings:
        painter.fillRect(layout.whole(one), now.color("raised"))
        painter.fillRect(layout.held(one), now.color("attention"))
        painter.drawRect(layout.whole(one))
