"""Positions of the names of lines: in a column right of the plot, or beside an end far from it.

No name overlaps a line or another name; a name that was moved has a leader of gray dots to its end.
If the plot is too low for all names, the upper ones are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from explorer import theme
from explorer.widgets.base import LEFT, elide, put_text

GAP = 6.0  # px between a line's end and its name
FAR = 48.0  # px left of the column from which a name may be beside its own end
SHIFTS = (0.0, -0.8, 0.8, -1.6, 1.6)  # shifts of such a name, in line heights


@dataclass(frozen=True)
class End:
    """The end of a line in pixels, its name and the name's width."""

    x: float
    y: float
    name: str
    wide: float


def spread_apart(middles: list[float], height: float, lowest: float) -> list[float]:
    """Moves sorted label positions down, then up, until none overlap and none pass `lowest`."""
    spread = list(middles)
    for index in range(1, len(spread)):
        spread[index] = max(spread[index], spread[index - 1] + height)
    if spread and spread[-1] > lowest:
        spread[-1] = lowest
        for index in range(len(spread) - 2, -1, -1):
            spread[index] = min(spread[index], spread[index + 1] - height)
    return spread


def place_names(
    ends: Sequence[End], lines: Sequence[np.ndarray], area: QRectF, height: float
) -> list[QPointF | None]:
    """Returns the left center of every end's name, or None if it does not fit. `lines` are (n, 2)
    pixels with x ascending.
    """
    column = max((end.x for end in ends), default=0.0) + GAP
    places: list[QPointF | None] = [None] * len(ends)
    boxes: list[QRectF] = []
    far = [i for i, end in enumerate(ends) if end.x + GAP <= column - FAR]
    gone = -np.inf  # y of the last end whose name went to the column
    for index in sorted(far, key=lambda i: ends[i].y):
        end = ends[index]
        if end.y - gone < 3 * height:  # its neighbor goes there too, or they would swap places
            gone = end.y
            continue
        for shift in SHIFTS:
            middle = end.y + shift * height
            box = QRectF(end.x + GAP, middle - height / 2, end.wide, height)
            free = area.top() <= box.top() and box.bottom() <= area.bottom()
            free = free and box.right() < column - GAP
            # Names must keep the vertical order of their lines' ends.
            free = free and all(_clear(box, above) for above in boxes)
            if free and not any(_crosses(line, box) for line in lines):
                places[index] = QPointF(box.left(), middle)
                boxes.append(box)
                break
        else:
            gone = end.y
    rest = sorted((i for i, place in enumerate(places) if place is None), key=lambda i: ends[i].y)
    middles = spread_apart([ends[i].y for i in rest], height, area.bottom() - height / 2)
    for index, middle in zip(rest, middles, strict=True):
        if middle >= area.top():  # the title of the axis is above it
            places[index] = QPointF(column, middle)
    return places


def _clear(box: QRectF, above: QRectF) -> bool:
    beside = box.right() <= above.left() or box.left() >= above.right()
    return beside or box.top() >= above.bottom() - 1e-9


def _crosses(line: np.ndarray, box: QRectF) -> bool:
    """Returns True if a line may cross a box, judged by the heights of its segments there."""
    first = max(0, int(np.searchsorted(line[:, 0], box.left())) - 1)
    last = int(np.searchsorted(line[:, 0], box.right(), side="right")) + 1
    y = line[first:last, 1]
    low, high = np.fmin(y[:-1], y[1:]), np.fmax(y[:-1], y[1:])
    return bool(((low <= box.bottom()) & (high >= box.top())).any())


def leader(end: End, place: QPointF) -> list[QPointF]:
    """Returns the path from a line's end horizontally to the column of names, and there to its
    name; no line of the plot looks like this.
    """
    return [
        QPointF(end.x + 3, end.y),
        QPointF(max(place.x() - GAP, end.x + 3), end.y),
        QPointF(place.x() - 2, place.y()),
    ]


def _leader_pen() -> QPen:
    """Returns a pen of gray dots, which no line of a plot uses."""
    pen = theme.current().pen("muted")
    pen.setDashPattern([1.0, 3.0])
    return pen


def draw_names(
    painter: QPainter,
    ends: Sequence[tuple[float, float, str, QColor]],
    lines: Sequence[np.ndarray],
    area: QRectF,
    width: float,
) -> None:
    """Draws names beside line ends given as (x, y, name, color); `width` is the widget's."""
    now = theme.current()
    font, metrics = now.font("label", 600), now.metrics("label", 600)
    measured = [End(x, y, name, metrics.horizontalAdvance(name) + 2) for x, y, name, _ in ends]
    places = place_names(measured, lines, area, metrics.height() - 1)
    for end, place, (_, _, _, color) in zip(measured, places, ends, strict=True):
        if place is None:
            continue
        if abs(place.y() - end.y) > 3 or place.x() - end.x > GAP + 3:
            painter.setPen(_leader_pen())
            painter.drawPolyline(leader(end, place))
        room = width - place.x() - 2
        box = QRectF(place.x(), place.y() - 9, room, 18)
        put_text(painter, box, elide(end.name, font, room), font, color, LEFT)
