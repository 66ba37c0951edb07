"""A horizontal bar for every language and tokenizer; hundreds scroll, only visible ones are drawn.

A bar's length is the premium; as far as text is lost, unknown or dropped, it is hatched.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QScrollBar, QSizePolicy, QToolTip, QWidget

from core.tokenization.analysis import Premium
from explorer import theme
from explorer.panes.tokenizers.languages import text
from explorer.panes.tokenizers.languages.draw_bars import (
    LEGEND,
    MARK,
    SCROLL,
    between,
    draw_bar,
    draw_legend,
)
from explorer.panes.tokenizers.languages.model import Line, columns
from explorer.widgets.base import RIGHT, Columns, Picture, elide, put_text

NAME, BAR, GAP = 168, 14, 10  # px: the names' column, a bar's height, between two languages
TOP = 24  # px: the axis
WHEEL_ROWS = 3
WORDS = 248  # px that stay free for the words behind the longest bar

Place = tuple[str, int]  # a language's code, and which of the tokenizers
NOWHERE: Place = ("", 0)


class PremiumChart(Picture):
    """`chosen(code, place)`: a bar was clicked or reached by the keyboard; `entered(code, place)`:
    it was double-clicked; `hovered(code, place)`: the mouse is on it, ("", 0) for none;
    `nameClicked(place)`: a tokenizer in the legend.
    """

    chosen = Signal(str, int)
    entered = Signal(str, int)
    hovered = Signal(str, int)
    nameClicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Premium of each language against English", parent)
        self.lines: list[Line] = []
        self.names: list[str] = []
        self.badges: list[tuple[str, str]] = []
        self.told: list[str] = []
        self._colors: Sequence[int] = ()
        self._limit = 2.0
        self._rows: dict[str, int] = {}  # of the languages, by code
        self._current = self._before = NOWHERE
        self._share = 1.0
        self._note = ""
        self._under = NOWHERE  # the mouse
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.valueChanged.connect(lambda _: self.update())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_lines(
        self,
        lines: Sequence[Line],
        names: Sequence[str],
        badges: Sequence[tuple[str, str]],
        told: Sequence[str] = (),
        colors: Sequence[int] = (),
    ) -> None:
        """The languages in order, the tokenizers' names, each one's (icon, words), what is told of
        it where there is room, and its place among the colors of series: its own where none is
        given.
        """
        self.lines, self.names, self.badges = list(lines), list(names), list(badges)
        self.told = list(told) or self.names
        self._colors = list(colors) or range(len(self.names))
        self._rows = {line.language.code: row for row, line in enumerate(self.lines)}
        fair = [one.premium for line in lines for one in line.results if one and one.honest]
        self._limit = max(2.0, max(fair, default=0.0))
        self._fit()
        self.data_changed()

    def set_current(
        self,
        current: Place,
        before: Place = NOWHERE,
        share: float = 1.0,
        note: str = "",
    ) -> None:
        """The bar that is looked at, and how far the way is made to it from the one `before`.

        `note` stands behind it in place of its premium.
        """
        self._current, self._before = current, before
        self._share, self._note = share, note
        code, place = current
        result = self.result(code, place)
        self.setAccessibleDescription(text.described(self.names[place], result) if result else "")
        self.update()

    def color(self, place: int) -> QColor:
        """Of the bars of one tokenizer."""
        return theme.current().series(self._colors[place])

    def result(self, code: str, place: int) -> Premium | None:
        row = self._rows.get(code)
        if row is None or place >= len(self.lines[row].results):
            return None
        return self.lines[row].results[place]

    def current_rect(self) -> QRectF:
        """The bar that is looked at, or between two of them; empty where there is none."""
        here = self._rect_of(self._current)
        start = self._rect_of(self._before)
        if here.isNull() or start.isNull() or self._share >= 1:
            return here
        return between(start, here, self._share)

    def _rect_of(self, place: Place) -> QRectF:
        row = self._rows.get(place[0])
        there = row is not None and place[1] < len(self.lines[row].results)
        return self.bar_rect(row, place[1]) if row is not None and there else QRectF()

    def reveal(self) -> None:
        """Scrolls as little as shows the language that is looked at, with all its bars."""
        row = self._rows.get(self._current[0])
        if row is not None:
            start = self._rows.get(self._before[0], row)
            self._reveal(self._pitch * (start + (row - start) * self._share))

    def _reveal(self, top: float) -> None:
        seen = self.height() - self._head
        self._bar.setValue(round(min(max(self._bar.value(), top + self._pitch - seen), top)))

    def displayed(self) -> dict[str, np.ndarray]:
        return Columns(columns(self.lines, self.names))

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(640), theme.current().px(480))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(420), theme.current().px(200))

    # places

    @property
    def _pitch(self) -> int:
        now = theme.current()
        return max(1, len(self.names)) * now.px(BAR) + now.px(GAP)

    @property
    def _head(self) -> int:
        return theme.current().px(TOP) + theme.current().px(LEGEND)

    def _x(self, premium: float) -> float:
        now = theme.current()
        room = self.width() - now.px(NAME) - now.px(WORDS)
        return now.px(NAME) + min(premium / self._limit, 1.0) * max(room, now.px(80))

    def bar_rect(self, row: int, place: int) -> QRectF:
        """The bar of one language under one tokenizer, in what is seen now."""
        now = theme.current()
        top = self._head + row * self._pitch - self._bar.value() + now.px(GAP) / 2
        result = self.lines[row].results[place]
        end = self._x(result.premium) if result is not None else now.px(NAME)
        height = now.px(BAR)
        return QRectF(now.px(NAME), top + place * height, end - now.px(NAME), height - now.px(3))

    def _fit(self) -> None:
        seen = self.height() - self._head
        self._bar.setRange(0, max(0, len(self.lines) * self._pitch - seen))
        self._bar.setPageStep(max(1, seen))
        self._bar.setSingleStep(self._pitch)
        self._bar.setVisible(self._bar.maximum() > 0)

    def _visible(self) -> range:
        first = self._bar.value() // self._pitch
        count = (self.height() - self._head) // self._pitch + 2
        return range(first, min(len(self.lines), first + count))

    def at(self, point: QPointF) -> tuple[int, int]:
        """The language's row and the tokenizer's place there; (-1, -1) for none."""
        now = theme.current()
        y = point.y() - self._head + self._bar.value()
        row = int(y // self._pitch)
        if point.y() < self._head or not 0 <= row < len(self.lines):
            return -1, -1
        place = int((y - row * self._pitch - now.px(GAP) / 2) // now.px(BAR))
        return row, min(max(place, 0), len(self.names) - 1)

    # drawing

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        draw_legend(painter, self)
        painter.save()
        painter.setClipRect(QRectF(0, self._head, self.width(), self.height() - self._head))
        self._draw_grid(painter)
        for row in self._visible():
            self._draw_row(painter, row)
        current = self.current_rect()
        if not current.isNull():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(now.pen("accent", 2))
            painter.drawRect(current.adjusted(-2, -2, 2, 2))
        painter.restore()
        axis = QRectF(0, now.px(LEGEND), now.px(NAME) - now.px(12), now.px(TOP))
        put_text(painter, axis, "tokens / English", now.font("label"), now.color("muted"), RIGHT)
        if self.shows_focus:
            now.focus_ring(painter, QRectF(self.rect()).adjusted(3, 3, -3, -3))

    def _draw_grid(self, painter: QPainter) -> None:
        now = theme.current()
        step = next(s for s in (0.5, 1, 2, 5, 10, 20, 50, 1e9) if self._limit / s <= 6)
        for tick in np.arange(0, self._limit + 1e-9, step):
            x = round(self._x(float(tick))) + 0.5
            painter.setPen(now.pen("text", 1, 0.1))
            painter.drawLine(QPointF(x, self._head), QPointF(x, self.height()))
            painter.setClipping(False)
            place = QRectF(x - 40, now.px(LEGEND), 80, now.px(TOP))
            text = f"{tick:g}\u00d7"
            put_text(painter, place, text, now.font("label"), now.color("muted"))
            painter.setClipping(True)
        x = round(self._x(1.0)) + 0.5  # what English costs
        painter.setPen(now.pen("muted", 1))
        painter.drawLine(QPointF(x, self._head), QPointF(x, self.height()))

    def _draw_row(self, painter: QPainter, row: int) -> None:
        now = theme.current()
        line = self.lines[row]
        first = self.bar_rect(row, 0) if self.names else QRectF()
        whole = QRectF(0, first.top() - now.px(GAP) / 2, self.width() - now.px(SCROLL), self._pitch)
        if self._current[0] == line.language.code:
            painter.fillRect(whole, now.color("selected"))
        name = QRectF(now.px(4), whole.top(), now.px(NAME) - now.px(16), self._pitch)
        text = elide(line.language.name, now.font("body"), name.width())
        put_text(painter, name, text, now.font("body"), now.color("text"), RIGHT)
        for place, result in enumerate(line.results):
            bar = self.bar_rect(row, place)
            if result is not None:
                note = self._note if self._current == (line.language.code, place) else ""
                draw_bar(painter, self, bar, place, result, note)
            elif self.badges[place][0] == "error":
                at = QPointF(bar.left() + now.px(4), bar.center().y() - now.px(MARK) / 2)
                painter.drawPixmap(at, self.icon_pixmap("error", "error", MARK))

    # the mouse and the keyboard

    def name_at(self, point: QPointF) -> int:
        """The tokenizer in the legend at this point; -1 for none."""
        if not self.names or not 0 <= point.y() < theme.current().px(LEGEND):
            return -1
        return min(int(point.x() / self.width() * len(self.names)), len(self.names) - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        name = self.name_at(event.position())
        if name >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.nameClicked.emit(name)
        row, place = self.at(event.position())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._choose(row, place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        row, place = self.at(event.position())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.entered.emit(self.lines[row].language.code, place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row, place = self.at(event.position())
        self._point_at((self.lines[row].language.code, place) if row >= 0 else NOWHERE)
        QToolTip.showText(event.globalPosition().toPoint(), self.said_at(event.position()), self)

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(NOWHERE)
        super().leaveEvent(event)

    def _point_at(self, place: Place) -> None:
        if place != self._under:
            self._under = place
            self.hovered.emit(*place)

    def said_at(self, point: QPointF) -> str:
        """What a tooltip says: about a bar, or about a tokenizer in the legend."""
        name = self.name_at(point)
        if name >= 0:
            return self.told[name]
        return self.describe(*self.at(point))

    def describe(self, row: int, place: int) -> str:
        """One bar in words, or why there is none; "" where it is still to come."""
        if row < 0 or place < 0:
            return ""
        result = self.lines[row].results[place]
        if result is not None:
            return text.described(self.names[place], result)
        return self.told[place] if self.badges[place][0] == "error" else ""

    def wheelEvent(self, event: QWheelEvent) -> None:
        rows = -event.angleDelta().y() / 120 * WHEEL_ROWS
        pixels = -event.pixelDelta().y() or rows * self._pitch
        self._bar.setValue(round(self._bar.value() + pixels))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        page = max(1, (self.height() - self._head) // self._pitch)
        steps = {
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
        }
        turns = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier or not self.lines:
            super().keyPressEvent(event)
            return
        codes = [line.language.code for line in self.lines]
        row = codes.index(self._current[0]) if self._current[0] in codes else -1
        if key in steps:
            self._choose(min(max(row + steps[key], 0), len(codes) - 1), self._current[1])
        elif key in turns and row >= 0:
            place = self._current[1] + turns[key]
            self._choose(row, min(max(place, 0), len(self.names) - 1))
        else:
            super().keyPressEvent(event)

    def _choose(self, row: int, place: int) -> None:
        self._reveal(row * self._pitch)
        self.chosen.emit(self.lines[row].language.code, place)

    def resizeEvent(self, event) -> None:
        bar = theme.current().px(SCROLL)
        self._bar.setGeometry(self.width() - bar, self._head, bar, self.height() - self._head)
        self._fit()

    def on_theme_changed(self) -> None:
        super().on_theme_changed()
        self._fit()
