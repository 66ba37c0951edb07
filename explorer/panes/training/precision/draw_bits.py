"""Paints numbers one below the other, bit below bit: where two do not overlap, their sum keeps
nothing of the smaller one.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.training.precision import text
from explorer.panes.training.precision.scene import BitsScene
from explorer.widgets.base import LEFT, RIGHT, put_text

NAME, VALUE, AXIS, GAP, TALLEST, WIDEST = 84, 236, 20, 6, 30, 18  # px


class BitsLayout:
    """Where rows and bits stand in an area."""

    def __init__(self, area: QRectF, scene: BitsScene) -> None:
        now = theme.current()
        self.area, self.scene = area, scene
        self.left = area.left() + now.px(NAME)
        room = area.right() - now.px(VALUE) - self.left
        count = max(scene.first - scene.end + 1, 1)
        self.column = min(room / count, now.px(WIDEST))
        pitch = (area.height() - now.px(AXIS)) / max(len(scene.rows), 1)
        self.pitch = min(pitch, now.px(TALLEST + GAP))
        self.top = area.top() + now.px(AXIS)

    def bit(self, row: int, power: int) -> QRectF:
        x = self.left + (self.scene.first - power) * self.column
        high = self.pitch - theme.current().px(GAP)
        return QRectF(x, self.top + row * self.pitch, self.column, high)


def draw_bits(painter: QPainter, layout: BitsLayout, current: int) -> None:
    """The rows that are there at a step of the track, the newest of them marked."""
    now, scene = theme.current(), layout.scene
    there = [place for place, row in enumerate(scene.rows) if row.event <= current]
    _draw_powers(painter, layout)
    for place in there:
        row, newest = scene.rows[place], place == there[-1]
        line = layout.bit(place, scene.first)
        name = QRectF(layout.area.left(), line.top(), now.px(NAME) - now.px(8), line.height())
        role = "text" if newest else "muted"
        font = now.font("body", 600 if newest else 400)
        put_text(painter, name, row.name, font, now.color(role), RIGHT)
        for at, bit in enumerate(row.bits):
            cell = layout.bit(place, row.power - at).adjusted(0.5, 0, -0.5, 0)
            beyond = row.is_cut and row.power - at < scene.last
            color = now.series(1 if beyond else 0)
            color.setAlphaF(0.9 if bit else 0.18)
            painter.fillRect(cell, color)
            if layout.column >= now.px(9):
                ink = theme.ink_on(color) if bit else now.color("muted")
                put_text(painter, cell, str(bit), now.font("label", mono=True), ink)
        x = layout.area.right() - now.px(VALUE) + now.px(12)
        words = QRectF(x, line.top(), now.px(VALUE) - now.px(12), line.height())
        put_text(painter, words, row.words, now.font("body", 600), now.color(role), LEFT)
        fields = words.adjusted(now.px(84), 0, 0, 0)
        put_text(painter, fields, row.fields, now.font("mono", mono=True), now.color("muted"), LEFT)


def _draw_powers(painter: QPainter, layout: BitsLayout) -> None:
    """Above the rows, and where the format's last bit is."""
    now, scene = theme.current(), layout.scene
    apart = 4 if layout.column * 4 >= now.px(40) else 8
    for power in range(scene.end, scene.first + 1):
        if power % apart == 0:
            cell = layout.bit(0, power)
            place = QRectF(
                cell.center().x() - now.px(24), layout.area.top(), now.px(48), now.px(16)
            )
            put_text(painter, place, text.power_text(power), now.font("label"), now.color("muted"))
    x = layout.bit(0, scene.last).right()
    pen = now.pen("warning", 1.5)
    pen.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(pen)
    below = layout.top + len(scene.rows) * layout.pitch
    painter.drawLine(QPointF(x, layout.top - now.px(2)), QPointF(x, below))
