"""Paints numbers below each other, with their bits aligned."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from core.numbers import format_power, format_significant
from core.training.bits import AlignedNumbers, fields_text
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, put_text

NAME, VALUE, FIELDS, AXIS, GAP, TALLEST, WIDEST = 84, 236, 84, 20, 6, 30, 18  # px
READABLE = 9  # px: least width of a column for digits


class BitsLayout:
    """The positions of numbers and their digits in an area."""

    def __init__(self, area: QRectF, shown: AlignedNumbers) -> None:
        now = theme.current()
        self.area, self.shown = area, shown
        self.left, self.right = area.left() + now.px(NAME), area.right() - now.px(VALUE)
        self.column = min((self.right - self.left) / len(shown.powers), now.px(WIDEST))
        self.top = area.top() + now.px(AXIS)
        self.pitch = min((area.bottom() - self.top) / len(shown.numbers), now.px(TALLEST + GAP))

    def digit(self, row: int, power: int) -> QRectF:
        x = self.left + (self.shown.first - power) * self.column
        high = self.pitch - theme.current().px(GAP)
        return QRectF(x, self.top + row * self.pitch, self.column, high)


def draw_bits(painter: QPainter, layout: BitsLayout, step: int) -> None:
    """Draws the numbers known at a step of the track, and highlights the newest."""
    known = len(layout.shown.known(step))
    _draw_powers(painter, layout)
    for row in range(known):
        _draw_number(painter, layout, row, is_newest=row == known - 1)


def _draw_number(painter: QPainter, layout: BitsLayout, row: int, is_newest: bool) -> None:
    now, shown = theme.current(), layout.shown
    number = shown.numbers[row]
    ink, font = now.color("text" if is_newest else "muted"), now.font("body", 600)
    line = layout.digit(row, shown.first)
    name = QRectF(layout.area.left(), line.top(), now.px(NAME - 8), line.height())
    put_text(painter, name, number.name, font if is_newest else now.font("body"), ink, RIGHT)
    for power, digit in zip(shown.powers.tolist(), shown.digits[row].tolist(), strict=True):
        if digit >= 0:
            cell = layout.digit(row, power).adjusted(0.5, 0, -0.5, 0)
            color = now.series(1 if number.is_rounded and power < shown.last else 0)
            color.setAlphaF(0.9 if digit else 0.18)
            painter.fillRect(cell, color)
            if layout.column >= now.px(READABLE):
                over = theme.ink_on(color) if digit else now.color("muted")
                put_text(painter, cell, str(digit), now.font("label", mono=True), over)
    value = QRectF(layout.right + now.px(12), line.top(), now.px(VALUE - 12), line.height())
    put_text(painter, value, format_significant(number.value, 5), font, ink, LEFT)
    fields = fields_text(number.value, number.format)
    place, mono = value.adjusted(now.px(FIELDS), 0, 0, 0), now.font("mono", mono=True)
    put_text(painter, place, fields, mono, now.color("muted"), LEFT)


def _draw_powers(painter: QPainter, layout: BitsLayout) -> None:
    """Draws the powers of two above the numbers, and a line after the format's last bit."""
    now, shown = theme.current(), layout.shown
    apart = 4 if layout.column * 4 >= now.px(40) else 8
    for power in shown.powers[shown.powers % apart == 0].tolist():
        middle = layout.digit(0, power).center().x()
        place = QRectF(middle - now.px(24), layout.area.top(), now.px(48), now.px(16))
        put_text(painter, place, format_power(power), now.font("label"), now.color("muted"))
    x = layout.digit(0, shown.last).right()
    pen = now.pen("warning", 1.5)
    pen.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(pen)
    below = layout.top + len(shown.numbers) * layout.pitch
    painter.drawLine(QPointF(x, layout.top - now.px(2)), QPointF(x, below))
