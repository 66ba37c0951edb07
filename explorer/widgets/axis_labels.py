"""The token labels on a heat map's two axes: elided, slanted where cells are narrow, thinned."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.widgets.base import CENTER, LEFT, RIGHT, elide, put_slanted, put_text


def has_label(index: int, every: int, chosen: int | None) -> bool:
    """Whether a label is written where there is room for one in `every`: the chosen one always,
    and none that would run into it."""
    near = chosen is not None and abs(index - chosen) < every
    return index == chosen or (index % every == 0 and not near)


class AxisLabels:
    """Draws labels round `grid`, whose cells are `side` px wide and high."""

    def __init__(self, painter: QPainter, grid: QRectF, side: float) -> None:
        self._painter, self._grid, self._side = painter, grid, side
        self._height = theme.current().metrics("label").height()
        self._every = max(1, math.ceil(self._height * 0.9 / side))

    def draw_rows(self, texts: Sequence[str], chosen: int | None, room: float, title: str) -> None:
        """Labels left of the rows, at most `room` px; the chosen row in the query's color."""
        now, grid = theme.current(), self._grid
        room -= now.px(16) if title else 0
        for index, text in enumerate(texts):
            if not has_label(index, self._every, chosen):
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
        """Labels above the columns, level from 48 px; the chosen column in the key's color."""
        now, grid, side = theme.current(), self._grid, self._side
        level = side >= now.px("cell_straight_labels")
        for index, text in enumerate(texts):
            if not has_label(index, self._every, chosen):
                continue
            font = now.font("label", 600 if index == chosen else 400)
            ink = now.color("k" if index == chosen else "muted")
            left = grid.x() + index * side
            if level:
                place = QRectF(left, grid.y() - self._height - now.px(4), side, self._height)
                put_text(self._painter, place, elide(text, font, side - 4), font, ink)
            else:
                foot = QPointF(left + side / 2 - now.px(1), grid.y() - now.px(7))
                put_slanted(self._painter, foot, elide(text, font, now.px(88)), font, ink)
        if title:
            place = QRectF(grid.x(), 0, max(grid.width(), now.px(160)), now.px(18))
            put_text(self._painter, place, title, now.font("label"), now.color("muted"), LEFT)
