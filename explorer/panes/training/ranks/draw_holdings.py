"""Paints who holds what: for each rank its weights, gradients and optimizer memory, as far as it
holds them, beside what it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from core.training.estimates.step_timeline import NUMBER, STATES, Held
from explorer import theme
from explorer.panes.training.ranks.scene import Scene
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

NAME, HEAD, GAP = 84, 18, 12  # px: the names of the rows, those of the ranks, between two ranks
ROW, TALLEST = 10, 24  # px
COUNTS = {"weights": 1, "gradients": 1, "optimizer": 2}  # numbers a weight, with Adam


@dataclass(frozen=True)
class Cell:
    """One part of the model in one row of one rank: all of it, and what of it is held."""

    held: Held | None
    rank: int
    part: int
    state: str
    whole: QRectF
    filled: QRectF

    @property
    def share(self) -> float:
        return self.held.end - self.held.begin if self.held is not None else 0.0


class HoldingsLayout:
    """Where the ranks and their rows stand in an area."""

    def __init__(self, area: QRectF, scene: Scene) -> None:
        now = theme.current()
        self.area, self.scene = area, scene
        self.left = area.left() + now.px(NAME)
        ranks = max(scene.ranks, 1)
        self.wide = (area.right() - self.left - now.px(GAP) * (ranks - 1)) / ranks
        room = (area.height() - now.px(HEAD)) / len(STATES)
        self.row = min(max(room, now.px(ROW)), now.px(TALLEST))

    def rank_left(self, rank: int) -> float:
        return self.left + rank * (self.wide + theme.current().px(GAP))

    def row_top(self, row: int) -> float:
        return self.area.top() + theme.current().px(HEAD) + row * self.row

    def cells(self) -> Iterator[Cell]:
        """Every part of the model in every row of every rank."""
        scene = self.scene
        total = sum(part.weights for part in scene.parts) or 1
        held = {(one.device, one.part, one.state): one for one in scene.held}
        for rank in range(scene.ranks):
            for row, state in enumerate(STATES):
                x = self.rank_left(rank)
                for place, part in enumerate(scene.parts):
                    wide = self.wide * part.weights / total
                    if not wide:
                        continue
                    whole = QRectF(x, self.row_top(row), wide, self.row - 3)
                    mine = held.get((rank, place, state))
                    yield Cell(mine, rank, place, state, whole, _filled(whole, mine))
                    x += wide

    def size(self, cell: Cell) -> float:
        """Bytes that are held."""
        return NUMBER * COUNTS[cell.state] * self.scene.parts[cell.part].weights * cell.share


def _filled(whole: QRectF, held: Held | None) -> QRectF:
    """Its share of a part's width; of columns, as of all numbers, one beside the other."""
    if held is None:
        return QRectF()
    left = whole.left() + held.begin * whole.width()
    return QRectF(left, whole.top(), (held.end - held.begin) * whole.width(), whole.height())


def draw_holdings(painter: QPainter, layout: HoldingsLayout, noun: str) -> None:
    """`noun`: what the owners are called, "rank" or "device"."""
    now = theme.current()
    for rank in range(layout.scene.ranks):
        place = QRectF(layout.rank_left(rank), layout.area.top(), layout.wide, now.px(HEAD))
        name, bold = f"{noun} {rank}", now.font("label", 600)
        put_text(painter, place, name, bold, now.color("text"), LEFT)
        if rank < len(layout.scene.notes):
            used = now.metrics("label", 600).horizontalAdvance(name) + now.px(8)
            rest = place.adjusted(used, 0, 0, 0)
            note = elide(layout.scene.notes[rank], now.font("label"), rest.width())
            put_text(painter, rest, note, now.font("label"), now.color("muted"), LEFT)
    for row, words in enumerate(("weights", "gradients", "optimizer")):
        place = QRectF(
            layout.area.left(), layout.row_top(row), now.px(NAME) - now.px(8), layout.row - 3
        )
        put_text(painter, place, words, now.font("label"), now.color("muted"), RIGHT)
    for cell in layout.cells():
        painter.setPen(Qt.PenStyle.NoPen)
        painter.fillRect(cell.whole, now.color("raised"))
        if cell.share:
            painter.fillRect(cell.filled, now.color("attention"))
        painter.setPen(now.pen("surface"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(cell.whole)
