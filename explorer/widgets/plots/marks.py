"""Marks on a plot and on the scrubber: small diamonds, and a labeled rule across a plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from explorer import theme
from explorer.widgets.base import LEFT, elide, put_text

NEAR = 5.0  # px: a mark within this distance of the pointer is hovered
SIZE = 4.0  # px from a diamond's center to its corners


@dataclass(frozen=True)
class Mark:
    """A mark at `x`: a diamond on the bottom axis with the tooltip `text`, a `cross` there, or a
    `rule` across the plot with `text` at its top.
    """

    x: float
    text: str
    rule: bool = False
    cross: bool = False


def draw_diamond(
    painter: QPainter, middle: QPointF, ink: QColor, filled: bool, size: float = SIZE
) -> None:
    now = theme.current()
    size = now.px(size)
    painter.setPen(now.pen(ink, 1.5))
    painter.setBrush(ink if filled else now.color("surface"))
    corners = ((0, -size), (size, 0), (0, size), (-size, 0))
    painter.drawPolygon(QPolygonF([middle + QPointF(x, y) for x, y in corners]))


def draw_marks(
    painter: QPainter,
    marks: Sequence[Mark],
    place: Callable[[float], float],
    rect: QRectF,
    words: bool = True,
) -> None:
    """Draws every mark inside `rect`; `place` maps an x value to a pixel. Without `words` the space
    at the top is left to the readout.
    """
    now = theme.current()
    for mark in marks:
        x = place(mark.x)
        if not rect.left() <= x <= rect.right():
            continue
        if mark.rule:
            _draw_rule(painter, x, mark.text if words else "", rect)
        elif mark.cross:
            _draw_cross(painter, QPointF(x, rect.bottom()))
        else:
            draw_diamond(painter, QPointF(x, rect.bottom()), now.color("muted"), filled=False)


def _draw_cross(painter: QPainter, middle: QPointF) -> None:
    """Draws a cross above the axis, so that a diamond at the same place can be told from it."""
    now = theme.current()
    size = now.px(SIZE)
    painter.setPen(now.pen("warning", 2))
    middle = middle - QPointF(0, 3 * size)
    for way in (-1, 1):
        end = QPointF(size, way * size)
        painter.drawLine(middle - end, middle + end)


def _draw_rule(painter: QPainter, x: float, text: str, rect: QRectF) -> None:
    now = theme.current()
    pen = now.pen("muted")
    pen.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
    if not text:
        return
    font, gap = now.font("label"), now.px(6)
    wide = now.metrics("label").horizontalAdvance(text) + 2
    right = x + gap + wide <= rect.right() or rect.right() - x >= x - rect.left()
    room = (rect.right() - x if right else x - rect.left()) - gap
    left = x + gap if right else x - gap - min(wide, room)
    line = QRectF(left, rect.top() - now.px(2), min(wide, room), now.px(16))
    put_text(painter, line, elide(text, font, line.width()), font, now.color("muted"), LEFT)


def mark_near(marks: Sequence[Mark], pixel: float, place: Callable[[float], float]) -> Mark | None:
    """Returns the mark near a pointer at `pixel`, or None."""
    near = min(marks, key=lambda mark: abs(place(mark.x) - pixel), default=None)
    return near if near is not None and abs(place(near.x) - pixel) <= NEAR else None
