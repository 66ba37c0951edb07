"""Bars of signed numbers: to the right what pushes up, to the left what pushes down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_fixed
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture, elide, put_text
from explorer.widgets.grid_keys import arrow, is_enter
from explorer.widgets.signed_bar import SignedBar

LINE, NAME, NUMBER, GAP, LEAST = 18, 84, 40, 3, 7  # px; lines
DOWN, UP = 0, 1  # series


class SignedBars(Picture):
    """`chosen(place)`: a bar that is not fixed was clicked, or Enter was pressed on it;
    `opened(place)`: with the other button, or the right arrow.

    Where not all have room, the others are one bar, and the wheel goes on to them; rests stay at
    the bottom.
    """

    chosen = Signal(int)
    opened = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._bars: tuple[SignedBar, ...] = ()
        self._first = 0
        self._at = -1
        self._marked: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_bars(self, bars: Sequence[SignedBar]) -> None:
        """In the order in which they stand; rests last."""
        self._bars = tuple(bars)
        self._scroll(0)
        self.data_changed()

    def set_marked(self, place: int | None) -> None:
        """Its name has the accent's color; None: that of no bar."""
        self._marked = place
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        columns = {
            "part": np.array([one.name for one in self._bars]),
            "value": np.array([one.value for one in self._bars]),
            "off": np.array([one.is_off for one in self._bars]),
        }
        if any(one.before is not None for one in self._bars):
            before = [one.value if one.before is None else one.before for one in self._bars]
            columns["before"] = np.array(before)
        return Columns(columns)

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(NAME + NUMBER), now.px(LINE) * LEAST)

    # where things stand

    @property
    def _rests(self) -> int:
        return sum(one.is_rest for one in self._bars)

    @property
    def _room(self) -> int:
        """Lines for bars that are no rest, and are not one of the others."""
        count, lines = len(self._bars), int(self.height() // theme.current().px(LINE))
        return count - self._rests if count <= lines else max(1, lines - self._rests - 1)

    def _places(self) -> list[int]:
        """Of the bars that are shown, in order."""
        first_rest = len(self._bars) - self._rests
        shown = range(self._first, min(self._first + self._room, first_rest))
        return [*shown, *range(first_rest, len(self._bars))]

    def _others(self) -> SignedBar | None:
        shown = set(self._places())
        rest = [one for place, one in enumerate(self._bars) if place not in shown]
        if not rest:
            return None
        before = [one.value if one.before is None else one.before for one in rest]
        is_changed = any(one.before is not None for one in rest)
        total = sum(one.value for one in rest)
        tip = "The others together; the wheel goes on to them"
        was = sum(before) if is_changed else None
        return SignedBar(f"{len(rest)} others", total, was, is_fixed=True, is_rest=True, tip=tip)

    def _lines(self) -> list[tuple[int, SignedBar]]:
        """What stands in each line: a bar's place, or -1 for the others, and the bar."""
        lines = [(place, self._bars[place]) for place in self._places()]
        others = self._others()
        if others is not None:
            lines.insert(len(lines) - self._rests, (-1, others))
        return lines

    def place_at(self, point: QPointF) -> int:
        """The bar at a point; -1 for none."""
        line = int(point.y() // theme.current().px(LINE))
        lines = self._lines()
        return lines[line][0] if 0 <= line < len(lines) else -1

    def _scroll(self, by: int) -> None:
        most = len(self._bars) - self._rests - self._room
        self._first = min(max(self._first + by, 0), max(most, 0))
        self.update()

    # what a person does

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta, before = event.angleDelta().y(), self._first
        self._scroll((delta < 0) - (delta > 0))
        event.setAccepted(self._first != before)  # else the page scrolls

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.place_at(event.position()))

    def leaveEvent(self, event: object) -> None:
        self._hover(-1)

    def _hover(self, place: int) -> None:
        if place != self._at:
            self._at = place
            self.setAccessibleDescription(self._said(place))
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._hover(self.place_at(event.position()))
        if event.button() == Qt.MouseButton.LeftButton:
            self._tell(self.chosen)
        elif event.button() == Qt.MouseButton.RightButton:
            self._tell(self.opened)

    def _tell(self, signal: SignalInstance) -> None:
        if self._at >= 0 and not self._bars[self._at].is_fixed:
            signal.emit(self._at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if move is not None and move[0] and self._bars:
            place = min(max(self._at + move[0], 0), len(self._bars) - 1)
            if place < len(self._bars) - self._rests:
                first = min(max(self._first, place - self._room + 1), place)
                self._scroll(first - self._first)
            self._hover(place)
        elif is_enter(event):
            self._tell(self.chosen)
        elif move == (0, 1):
            self._tell(self.opened)
        else:
            super().keyPressEvent(event)

    def _said(self, place: int) -> str:
        if place < 0:
            return ""
        one = self._bars[place]
        return f"{one.name}: {format_fixed(one.value)}"

    def said_at(self, point: QPointF) -> str:
        line = int(point.y() // theme.current().px(LINE))
        lines = self._lines()
        return lines[line][1].tip if 0 <= line < len(lines) else ""

    # the picture

    def draw(self, painter: QPainter) -> None:
        now, lines = theme.current(), self._lines()
        values = [one for _, bar in lines for one in (bar.value, bar.before or 0.0)]
        low, high = min([0.0, *values]), max([1e-9, *values])
        left, right = now.px(NAME), self.width() - now.px(NUMBER)
        scale = (right - left) / (high - low)
        zero = left - low * scale
        for line, (place, one) in enumerate(lines):
            row = QRectF(0, line * now.px(LINE), self.width(), now.px(LINE))
            if place >= 0 and place == self._at and not one.is_fixed:
                painter.fillRect(row, now.color("raised"))
            self._draw_bar(painter, row, one, zero, scale)
            is_quiet = one.is_off or one.is_rest
            role = "accent" if place == self._marked else "muted" if is_quiet else "text"
            self._draw_words(painter, row, one, now.color(role))
        painter.setPen(now.pen("outline"))
        bottom = len(lines) * now.px(LINE)
        painter.drawLine(QPointF(zero, 0), QPointF(zero, bottom))
        if self.shows_focus:
            now.focus_ring(painter, QRectF(self.rect()), 4, -2)

    def _draw_bar(
        self, painter: QPainter, row: QRectF, one: SignedBar, zero: float, scale: float
    ) -> None:
        now = theme.current()

        def bar(value: float) -> QRectF:
            long = value * scale
            place = QRectF(min(zero, zero + long), row.top() + GAP, abs(long), row.height())
            return place.adjusted(0, 0, 0, -2 * GAP)

        color = now.color("muted") if one.is_rest else now.series(UP if one.value > 0 else DOWN)
        painter.fillRect(bar(one.value), color)
        if one.before is not None:
            painter.setPen(now.pen("muted", 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(bar(one.before).adjusted(0, -1, 0, 1))

    def _draw_words(self, painter: QPainter, row: QRectF, one: SignedBar, ink: QColor) -> None:
        now = theme.current()
        font = QFont(now.font("label"))  # the theme's own stays as it is
        font.setStrikeOut(one.is_off)
        name = QRectF(0, row.top(), now.px(NAME - 8), row.height())
        put_text(painter, name, elide(one.name, font, name.width()), font, ink, RIGHT)
        number = QRectF(self.width() - now.px(NUMBER - 6), row.top(), now.px(NUMBER), row.height())
        words = "off" if one.is_off else format_fixed(one.value)
        put_text(painter, number, words, now.font("label"), now.color("muted"), LEFT)
