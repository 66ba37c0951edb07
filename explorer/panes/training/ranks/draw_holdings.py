"""Paints who holds what: for each rank its weights, gradients and optimizer memory, as far as it
holds them, beside what it does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from core.training.estimates.step_timeline import STATES, Shard, shard_bytes
from core.training.lane_trace import LaneTrace
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, put_text

NAME, HEAD, GAP = 60, 18, 12  # px: the names of the rows, those of the ranks, between two ranks
ROW, TALLEST = 10, 24  # px


@dataclass(frozen=True)
class Cell:
    """A part of the model in one row of a rank, and the shard of it that the rank holds."""

    rank: int
    part: int
    state: str
    whole: QRectF
    shard: Shard | None

    @property
    def share(self) -> float:
        return self.shard.end - self.shard.begin if self.shard is not None else 0.0

    @property
    def held(self) -> QRectF:
        """As much of its width; of columns, as of all numbers, one beside the other."""
        if self.shard is None:
            return QRectF()
        whole = self.whole
        left = whole.left() + self.shard.begin * whole.width()
        return QRectF(left, whole.top(), self.share * whole.width(), whole.height())


class HoldingsLayout:
    """Where the ranks and their rows stand in an area."""

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

    def cells(self) -> Iterator[Cell]:
        """Every part of the model in every row of every rank, as wide as it has weights."""
        parts = self.lanes.parts
        total = sum(part.weights for part in parts) or 1
        shards = {(one.device, one.part, one.state): one for one in self.lanes.shards}
        for rank in range(self.lanes.ranks):
            for row, state in enumerate(STATES):
                x = self.rank_left(rank)
                for place, part in enumerate(parts):
                    wide = self.wide * part.weights / total
                    whole = QRectF(x, self.row_top(row), wide, self.row - 3)
                    if wide:
                        yield Cell(rank, place, state, whole, shards.get((rank, place, state)))
                    x += wide

    def size(self, cell: Cell) -> float:
        """Bytes that are held."""
        return shard_bytes(cell.shard, self.lanes.parts) if cell.shard is not None else 0.0


def draw_holdings(
    painter: QPainter, layout: HoldingsLayout, notes: Sequence[Sequence[str]]
) -> None:
    """`notes`: of each rank a few words, of which those stand beside its name that have room."""
    now, label = theme.current(), theme.current().font("label")
    for rank, words in enumerate(notes):
        place = QRectF(layout.rank_left(rank), layout.area.top(), layout.wide, now.px(HEAD))
        name, bold = f"{layout.lanes.noun} {rank}", now.font("label", 600)
        put_text(painter, place, name, bold, now.color("text"), LEFT)
        used = now.metrics("label", 600).horizontalAdvance(name) + now.px(8)
        rest = place.adjusted(used, 0, 0, 0)
        heads = [", ".join(words[:count]) for count in range(len(words), -1, -1)]
        fits = (one for one in heads if now.metrics("label").horizontalAdvance(one) <= rest.width())
        put_text(painter, rest, next(fits, ""), label, now.color("muted"), LEFT)
    for row, state in enumerate(STATES):
        wide = now.px(NAME) - now.px(8)
        place = QRectF(layout.area.left(), layout.row_top(row), wide, layout.row - 3)
        put_text(painter, place, state, label, now.color("muted"), RIGHT)
    for cell in layout.cells():
        painter.fillRect(cell.whole, now.color("raised"))
        painter.fillRect(cell.held, now.color("attention"))
        painter.setPen(now.pen("surface"))
        painter.drawRect(cell.whole)
