"""The bars: gradient, first and second moment, and the last step of one optimizer, in x and y."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.panes.backprop.optimizers.looks import color_of
from explorer.panes.backprop.optimizers.remembering import Quantity
from explorer.panes.backprop.optimizers.words import short
from explorer.theme_numbers import format_number
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture, elide, put_text

DECADES = 4.0  # of the scale: what is smaller than the largest by more is no bar
LINE = 15  # pixels of one bar's row
LOW = 134  # pixels high, below which the note about the scale is left out


class MomentsView(Picture):
    """`set_lane(name, title, quantities)`, `set_position(position, places)`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("What the chosen optimizer remembers", parent)
        self._name, self._title = "", ""
        self._quantities: tuple[Quantity, ...] = ()
        self._position = 0.0
        self._places: dict[str, float] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_lane(self, name: str, title: str, quantities: tuple[Quantity, ...]) -> None:
        self._name, self._title, self._quantities = name, title, quantities
        self.setAccessibleDescription(self.described())
        self.data_changed()

    def set_position(self, position: float, places: Mapping[str, float] | None = None) -> None:
        """`places`: by kind where that is not `position`, inside of a step."""
        kept = dict(places or {})
        if (position, kept) != (self._position, self._places):
            self._position, self._places = position, kept
            self.update()

    def shown(self, one: Quantity) -> np.ndarray:
        """(2,): what a quantity is at the cursor."""
        return one.at(self._places.get(one.kind, self._position))

    def displayed(self) -> dict[str, np.ndarray]:
        """A row for each step."""
        return Columns(
            {
                f"{one.title} {axis}": one.values[:, place]
                for one in self._quantities
                for place, axis in enumerate("xy")
            }
        )

    def describe(self) -> None:
        """For screen readers: as often as a person can hear it."""
        self.setAccessibleDescription(self.described())

    def described(self) -> str:
        parts = []
        for one in self._quantities:
            x, y = self.shown(one)
            parts.append(f"{one.title} {format_number(x)}, {format_number(y)}")
        return f"{self._title}: {'; '.join(parts)}" if parts else ""

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(280), theme.current().px(150))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(200), theme.current().px(100))

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        if not self._quantities:
            text = "Let one race and choose it: what it remembers is shown here."
            painter.setFont(now.font("body"))
            painter.setPen(now.color("muted"))
            flags = int(Qt.AlignmentFlag.AlignCenter) | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()), flags, text)
            return
        rows = 2 * len(self._quantities)
        low = self.height() < now.px(LOW)
        gap = now.px(3 if low else 5)
        room = self.height() - gap * (len(self._quantities) - 1) - (0 if low else now.px(14))
        line = min(now.px(LINE), room / rows)
        top = 0.0
        for one in self._quantities:
            self._draw_quantity(painter, one, top, line)
            top += 2 * line + gap
        note = f"log scale, {DECADES:.0f} decades; fixed for the race"
        font = now.font("label")
        box = QRectF(0, self.height() - now.px(14), self.width(), now.px(14))
        if not low:
            put_text(painter, box, elide(note, font, box.width()), font, now.color("muted"), LEFT)

    def _draw_quantity(self, painter: QPainter, one: Quantity, top: float, line: float) -> None:
        now = theme.current()
        bold, font, mono = now.font("label", 600), now.font("label"), now.font("label", mono=True)
        words, number = now.px(88), now.px(56)
        put_text(
            painter, QRectF(0, top, now.px(24), line), one.letter, bold, now.color("text"), LEFT
        )
        name = elide(one.title, font, words - now.px(26))
        put_text(
            painter, QRectF(now.px(24), top, words, line), name, font, now.color("muted"), LEFT
        )
        left = words + now.px(14)
        area = QRectF(left, top, max(10.0, self.width() - left - number), 2 * line)
        middle = area.left() if one.kind == "second" else area.center().x()
        reach = area.width() if one.kind == "second" else area.width() / 2
        values, largest = self.shown(one), one.largest
        for place, axis in enumerate("xy"):
            row = QRectF(area.left(), top + place * line, area.width(), line)
            put_text(
                painter, QRectF(words, row.top(), now.px(12), line), axis, font,
                now.color("muted"), LEFT,
            )  # fmt: skip
            value = float(values[place])
            long = reach * share_of(value, largest)
            bar = QRectF(middle, row.top() + 3, long, line - 5).normalized()
            painter.fillRect(bar, self._color(one, value))
            box = QRectF(area.right(), row.top(), number, line)
            put_text(painter, box, short(value), mono, now.color("text"), RIGHT)
        painter.setPen(now.pen("divider"))
        painter.drawLine(round(middle), round(area.top()), round(middle), round(area.bottom()))

    def _color(self, one: Quantity, value: float) -> QColor:
        """Signed ones as in every map, by their sign; squares in gray; the step in its own."""
        now = theme.current()
        if one.kind == "step":
            return color_of(self._name)
        if one.kind == "second":
            return now.color("outline")
        return QColor(now.palette.diverging_stops[0 if value < 0 else 2])


def share_of(value: float, largest: float) -> float:
    """-1..1: the bar's length, by the logarithm."""
    if not np.isfinite(value) or value == 0 or largest <= 0:
        return 0.0
    size = max(0.0, 1 + np.log10(abs(value) / largest) / DECADES)
    return float(np.sign(value) * size)
