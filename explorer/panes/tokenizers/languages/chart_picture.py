"""The chart: a horizontal bar for each language and tokenizer, as long as its premium.

It scrolls over hundreds of languages and draws only the visible ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QScrollBar, QSizePolicy, QToolTip, QWidget

from explorer import theme
from explorer.panes.tokenizers.languages import text
from explorer.panes.tokenizers.languages.draw_bars import draw_bar, draw_mark
from explorer.panes.tokenizers.languages.draw_legend import LEGEND, draw_legend
from explorer.panes.tokenizers.languages.scene import Line, Series, columns
from explorer.theme.motion import lerp
from explorer.widgets.base import RIGHT, Columns, Picture, elide, put_text
from explorer.widgets.grid_keys import arrow

NAME, BAR, GAP = 168, 14, 10  # px: width of the names, height of a bar, gap between languages
TOP, SCROLL = 24, 12  # px: height of the axis, width of the scroll bar
WHEEL_ROWS = 3
WORDS = 248  # px for the words after the longest bar

Place = tuple[str, int]  # a language's code and the index of a tokenizer
NOWHERE: Place = ("", 0)


class PremiumChart(Picture):
    """The chart. Emits `chosen(code, place)` when a bar is clicked or reached by the keyboard;
    `entered(code, place)` on a double click; `hovered(code, place)`, ("", 0) for none;
    `nameClicked(place)` for a tokenizer in the legend.
    """

    chosen = Signal(str, int)
    entered = Signal(str, int)
    hovered = Signal(str, int)
    nameClicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Premium of each language against English", parent)
        self.lines: list[Line] = []
        self.series: list[Series] = []
        self._limit = 2.0
        self._rows: dict[str, int] = {}  # index of each language, by code
        self._current = self._before = NOWHERE
        self._share = 1.0
        self._note = ""
        self._under = NOWHERE  # the hovered bar
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.valueChanged.connect(lambda _: self.update())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_lines(self, lines: Sequence[Line], series: Sequence[Series]) -> None:
        """Shows the languages in order, each with a result for each tokenizer of `series`."""
        self.lines, self.series = list(lines), list(series)
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
        """Frames the bar `current`, or a rectangle between it and the bar `before`, `share` of the
        way. A `note` replaces the words after the bar.
        """
        self._current, self._before = current, before
        self._share, self._note = share, note
        row = self._row_of(current)
        said = self.describe(row, current[1]) if row is not None else ""
        self.setAccessibleDescription(said)
        self.update()

    def _row_of(self, place: Place) -> int | None:
        """Returns the row of a bar's language, or None if the chart does not show that bar."""
        row = self._rows.get(place[0])
        return row if row is not None and place[1] < len(self.series) else None

    def current_rect(self) -> QRectF:
        """Returns the frame of the selected bar or between two bars; null if there is none."""
        end, start = self._rect_of(self._current), self._rect_of(self._before)
        if end.isNull() or start.isNull():
            return end
        pairs = zip(start.getRect(), end.getRect(), strict=True)
        return QRectF(*(lerp(one, other, self._share) for one, other in pairs))

    def _rect_of(self, place: Place) -> QRectF:
        row = self._row_of(place)
        return self.bar_rect(row, place[1]) if row is not None else QRectF()

    def reveal(self) -> None:
        """Scrolls to the selected language, as little as needed."""
        row = self._rows.get(self._current[0])
        if row is not None:
            start = self._rows.get(self._before[0], row)
            self._reveal(self._pitch * (start + (row - start) * self._share))

    def _reveal(self, top: float) -> None:
        seen = self.height() - self._head
        self._bar.setValue(round(min(max(self._bar.value(), top + self._pitch - seen), top)))

    def displayed(self) -> dict[str, np.ndarray]:
        return Columns(columns(self.lines, [one.name for one in self.series]))

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(640), theme.current().px(480))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(420), theme.current().px(200))

    # geometry

    @property
    def _pitch(self) -> int:
        now = theme.current()
        return max(1, len(self.series)) * now.px(BAR) + now.px(GAP)

    @property
    def _head(self) -> int:
        return theme.current().px(TOP) + theme.current().px(LEGEND)

    def _x(self, premium: float) -> float:
        now = theme.current()
        room = self.width() - now.px(NAME) - now.px(WORDS)
        return now.px(NAME) + min(premium / self._limit, 1.0) * max(room, now.px(80))

    def bar_rect(self, row: int, place: int) -> QRectF:
        """Returns the rectangle of a language's bar for a tokenizer, at the current scrolling."""
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
        """Returns the row and the tokenizer's index at a point; (-1, -1) for none."""
        now = theme.current()
        y = point.y() - self._head + self._bar.value()
        row = int(y // self._pitch)
        if point.y() < self._head or not 0 <= row < len(self.lines):
            return -1, -1
        place = int((y - row * self._pitch - now.px(GAP) / 2) // now.px(BAR))
        return row, min(max(place, 0), len(self.series) - 1)

    # drawing

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        draw_legend(painter, self.width(), self.series)
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
        put_text(painter, axis, text.AXIS, now.font("label"), now.color("muted"), RIGHT)
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
            put_text(painter, place, f"{tick:g}\u00d7", now.font("label"), now.color("muted"))
            painter.setClipping(True)
        x = round(self._x(1.0)) + 0.5  # the premium of English
        painter.setPen(now.pen("muted", 1))
        painter.drawLine(QPointF(x, self._head), QPointF(x, self.height()))

    def _draw_row(self, painter: QPainter, row: int) -> None:
        now = theme.current()
        line = self.lines[row]
        first = self.bar_rect(row, 0) if self.series else QRectF()
        whole = QRectF(0, first.top() - now.px(GAP) / 2, self.width() - now.px(SCROLL), self._pitch)
        if self._current[0] == line.language.code:
            painter.fillRect(whole, now.color("selected"))
        name = QRectF(now.px(4), whole.top(), now.px(NAME) - now.px(16), self._pitch)
        said = elide(line.language.name, now.font("body"), name.width())
        put_text(painter, name, said, now.font("body"), now.color("text"), RIGHT)
        right = whole.right() - now.px(4)
        for place, result in enumerate(line.results):
            bar = self.bar_rect(row, place)
            if result is not None:
                note = self._note if self._current == (line.language.code, place) else ""
                color = now.series(self.series[place].color)
                draw_bar(painter, bar, right, color, result, note)
            elif self.series[place].badge[0] == "error":
                draw_mark(painter, QPointF(bar.left() + now.px(4), bar.center().y()), "error")

    # mouse and keyboard

    def name_at(self, point: QPointF) -> int:
        """Returns the index of the tokenizer in the legend at a point; -1 for none."""
        if not self.series or not 0 <= point.y() < theme.current().px(LEGEND):
            return -1
        return min(int(point.x() / self.width() * len(self.series)), len(self.series) - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        name = self.name_at(event.position())
        if name >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.nameClicked.emit(name)
        row, place = self.at(event.position())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.choose(row, place)

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
        """Returns the tooltip for a bar or for a tokenizer in the legend."""
        name = self.name_at(point)
        if name >= 0:
            return self.series[name].about
        return self.describe(*self.at(point))

    def describe(self, row: int, place: int) -> str:
        """Describes a bar or its tokenizer's error in words; "" if it is not measured yet."""
        if row < 0 or place < 0:
            return ""
        result = self.lines[row].results[place]
        if result is not None:
            return text.described(self.series[place].name, result)
        one = self.series[place]
        return one.about if one.badge[0] == "error" else ""

    def wheelEvent(self, event: QWheelEvent) -> None:
        rows = -event.angleDelta().y() / 120 * WHEEL_ROWS
        pixels = -event.pixelDelta().y() or rows * self._pitch
        self._bar.setValue(round(self._bar.value() + pixels))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = max(1, (self.height() - self._head) // self._pitch)
        pages = {Qt.Key.Key_PageUp: (-page, 0), Qt.Key.Key_PageDown: (page, 0)}
        turn = arrow(event) or pages.get(Qt.Key(event.key()))
        row, place = self._rows.get(self._current[0], -1), self._current[1]
        if turn is None or not self.lines:
            super().keyPressEvent(event)
            return
        row = min(max(row + turn[0], 0), len(self.lines) - 1)
        self.choose(row, min(max(place + turn[1], 0), len(self.series) - 1))

    def choose(self, row: int, place: int) -> None:
        """Handles the user's choice of a bar: scrolls to it and emits `chosen`."""
        self._reveal(row * self._pitch)
        self.chosen.emit(self.lines[row].language.code, place)

    def resizeEvent(self, event) -> None:
        bar = theme.current().px(SCROLL)
        self._bar.setGeometry(self.width() - bar, self._head, bar, self.height() - self._head)
        self._fit()

    def on_theme_changed(self) -> None:
        super().on_theme_changed()
        self._fit()
