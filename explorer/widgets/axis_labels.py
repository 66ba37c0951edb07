"""Token labels on the two axes of a heat map: elided, thinned, and slanted above narrow cells."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.widgets.base import CENTER, LEFT, RIGHT, elide, put_slanted, put_text

NAMES = 132  # px: the longest label that is a name


def has_label(index: int, every: int, chosen: int | None) -> bool:
    """Returns True for the chosen index and every `every`-th one that does not collide with it."""
    near = chosen is not None and abs(index - chosen) < every
    return index == chosen or (index % every == 0 and not near)


def one_in(apart: float, side: float) -> int:
    """Returns n such that labels of every n-th cell of `side` px are `apart` px or more apart."""
    return max(1, math.ceil(apart / side))


def slanted_room(named: bool) -> float:
    """Returns the greatest length (px) of a label above a column."""
    return theme.current().px(NAMES if named else 88)


def slanted_length(width: float) -> float:
    """Returns how long a slanted label may be with `width` px to its right, less its height."""
    return max(0.0, width - theme.current().metrics("label").height()) * math.sqrt(2)


def label_room(
    rows: Sequence[str], columns: Sequence[str], titles: tuple[str, str], named: bool
) -> tuple[float, float]:
    """Returns the px left of the cells and above them, for labels and axis titles."""
    now, metrics = theme.current(), theme.current().metrics("label", 600 if named else 400)
    longest = max((metrics.horizontalAdvance(text) for text in rows), default=0.0)
    left = min(longest, now.px(NAMES if named else 96)) + now.px(16)
    left += now.px(16) if titles[0] else 0
    tallest = max((metrics.horizontalAdvance(text) for text in columns), default=0.0)
    top = now.px(12) + (now.px(18) if titles[1] else 0)
    if columns:
        top += min(tallest, slanted_room(named)) * 0.72 + metrics.height()
    return left, round(top)


class AxisLabels:
    """Draws labels around `grid`, whose cells are `side` px squares; `width` is the picture's."""

    def __init__(
        self, painter: QPainter, grid: QRectF, side: float, width: float, named: bool = False
    ) -> None:
        self._painter, self._grid, self._side, self._named = painter, grid, side, named
        self._width = width
        self._height = theme.current().metrics("label").height()
        self._apart = self._height * 0.9  # px from one line of text to the next

    def draw_rows(self, texts: Sequence[str], chosen: int | None, room: float, title: str) -> None:
        """Draws labels left of the rows within `room` px, the chosen one in the query's color."""
        now, grid = theme.current(), self._grid
        room -= now.px(16) if title else 0
        for index, text in enumerate(texts):
            if not has_label(index, one_in(self._apart, self._side), chosen):
                continue
            font = now.font("label", 600 if index == chosen else 400)
            middle = grid.y() + (index + 0.5) * self._side
            left = grid.x() - room - now.px(6)
            place = QRectF(left, middle - self._height / 2, room, self._height)
            ink = now.color("q" if index == chosen else "muted")
            put_text(self._painter, place, elide(text, font, room), font, ink, RIGHT)
        if title:
            self._painter.save()
            self._painter.translate(grid.x() - room - now.px(16), grid.center().y())
            self._painter.rotate(-90)
            place = QRectF(-100, -self._height / 2, 200, self._height)
            put_text(self._painter, place, title, now.font("label"), now.color("muted"), CENTER)
            self._painter.restore()

    def draw_columns(self, texts: Sequence[str], chosen: int | None, title: str) -> None:
        """Draws labels above the columns, the chosen one in the key's color: horizontal for cells
        of 48 px or more, unless a name would be elided, and slanted otherwise."""
        now, grid, side = theme.current(), self._grid, self._side
        level = side >= now.px("cell_straight_labels")
        if self._named:
            metrics = now.metrics("label", 600)
            level &= all(metrics.horizontalAdvance(text) <= side - 4 for text in texts)
        every = 1 if level else one_in(self._apart * math.sqrt(2), side)  # slanted: can be closer
        for index, text in enumerate(texts):
            if not has_label(index, every, chosen):
                continue
            font = now.font("label", 600 if index == chosen else 400)
            ink = now.color("k" if index == chosen else "muted")
            left = grid.x() + index * side
            if level:
                place = QRectF(left, grid.y() - self._height - now.px(4), side, self._height)
                put_text(self._painter, place, elide(text, font, side - 4), font, ink)
            else:
                foot = QPointF(left + side / 2 - now.px(1), grid.y() - now.px(7))
                room = min(slanted_room(self._named), slanted_length(self._width - foot.x()))
                put_slanted(self._painter, foot, elide(text, font, room), font, ink)
        if title:
            place = QRectF(grid.x(), 0, max(grid.width(), now.px(160)), now.px(18))
            put_text(self._painter, place, title, now.font("label"), now.color("muted"), LEFT)
