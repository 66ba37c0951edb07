"""Live numbers below a formula: native text in aligned columns that never jitter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import TIMES, format_significant
from core.substitution import Arithmetic
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Picture, elide, put_text
from explorer.widgets.equations import Equation, Terms, largest_terms, products_of


def in_a_line(one: Arithmetic) -> str:
    """Formats arithmetic as one line in which a line break keeps a result with its sign."""
    return f"{one.expression} {one.sign}\u00a0{one.result}"


class LiveNumbers(Picture):
    """Rows of `Terms`, `Equation`, plain strings, or objects with `text` and `role`; a text that is
    too wide is wrapped.
    """

    def __init__(self, name: str = "Live numbers", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._rows: list[Any] = []
        self._broken_up: dict[str, list[str]] = {}  # texts that need more than one line
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Shows other numbers; call it at most 8 times a second during playback."""
        self._rows = list(rows)
        self.setAccessibleDescription(self.text)
        self._fit()
        self.data_changed()

    def _fit(self) -> None:
        """Sets the height that the rows need at the current width."""
        metrics, room = theme.current().metrics("body"), float(self.width())
        texts = {_said(row) for row in self._rows if not isinstance(row, Terms | Equation)}
        wide = [text for text in texts if metrics.horizontalAdvance(text) > room]
        self._broken_up = {text: broken_up(text, metrics.horizontalAdvance, room) for text in wide}
        self.setFixedHeight(self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def on_theme_changed(self) -> None:
        """Refits the rows, whose height depends on the zoom."""
        self._fit()
        super().on_theme_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        shown: dict[str, np.ndarray] = {}
        for row in self._rows:
            if isinstance(row, Terms):
                shown[row.name] = products_of(row)
        return shown

    @property
    def text(self) -> str:
        """All rows as plain text, for clipboard and screen reader."""
        return "\n".join(row_text(row) for row in self._rows)

    def sizeHint(self) -> QSize:
        now = theme.current()
        lines = sum(self._lines(row) for row in self._rows)
        return QSize(now.px(320), round(lines * now.px(20) + (now.px(8) if lines else 0)))

    def _lines(self, row: Any) -> int:
        if isinstance(row, Terms):
            shown, _, more, _ = largest_terms(row)
            return len(shown) + (1 if more else 0) + 1
        if isinstance(row, Equation):
            return 1
        return len(self._broken_up.get(_said(row), "1"))

    def occupied(self) -> QRect:
        """Returns the rectangle of the rows."""
        return QRect(0, 0, min(self.width(), self.sizeHint().width()), self.sizeHint().height())

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        y, height = now.px(4), now.px(20)
        for row in self._rows:
            if isinstance(row, Terms):
                y = self._draw_terms(painter, row, y)
            elif y + self._lines(row) * height < self.exposed.top() or y > self.exposed.bottom():
                y += self._lines(row) * height  # a hundred rows may be outside the visible part
            else:
                y = self._draw_line(painter, row, y)

    def _draw_line(self, painter: QPainter, row: Any, y: float) -> float:
        now = theme.current()
        height = now.px(20)
        rect = QRectF(0, y, self.width(), height)
        if isinstance(row, Equation):
            font, bold = now.font("body"), now.font("body", 600)
            name = elide(f"{row.name} =", font, self.width() * 0.6)
            width = now.metrics("body").horizontalAdvance(name) + now.px(6)
            put_text(painter, rect, name, font, now.color("muted"), LEFT)
            value = row.value if isinstance(row.value, str) else format_significant(row.value)
            put_text(painter, rect.adjusted(width, 0, 0, 0), value, bold, now.color(row.role), LEFT)
            width += now.metrics("body", 600).horizontalAdvance(value) + now.px(8)
            put_text(
                painter,
                rect.adjusted(width, 0, 0, 0),
                elide(row.note, now.font("label"), self.width() - width),
                now.font("label"),
                now.color("muted"),
                LEFT,
            )
        else:
            role = "text" if isinstance(row, str) else row.role
            font, color, said = now.font("body"), now.color(role), _said(row)
            for text in self._broken_up.get(said, [said]):
                put_text(painter, rect, elide(text, font, self.width()), font, color, LEFT)
                rect.translate(0, height)
        return y + height * self._lines(row)

    def _draw_terms(self, painter: QPainter, row: Terms, y: float) -> float:
        """Draws the columns: name, left factor, x, right factor, =, product."""
        now = theme.current()
        font, bold, small = now.font("body"), now.font("body", 600), now.font("label")
        shown, rest, more, total = largest_terms(row)
        products = products_of(row)
        numbers = [(row.left[index], row.right[index], products[index]) for index in shown]
        written = [[format_significant(number) for number in line] for line in numbers]
        height, result = now.px(20), format_significant(total)
        cell = _cell([result, *(text for line in written for text in line)])
        label = min(now.px(96), self.width() - 3 * cell - now.px(44))
        columns = [0.0, label, label + cell, label + cell + now.px(20)]
        columns += [columns[3] + cell, columns[3] + cell + now.px(20)]
        muted, text = now.color("muted"), now.color("text")
        widths = [label, cell, now.px(20), cell, now.px(20), cell]

        def put(column: int, content: str, ink, use=font, align=RIGHT) -> None:
            rect = QRectF(columns[column], y, widths[column], height)
            put_text(painter, rect, elide(content, use, widths[column]), use, ink, align)

        for index, (left, right, product) in zip(shown, written, strict=True):
            name = row.labels[index] if index < len(row.labels) else f"dimension {index}"
            put(0, name, muted, small, LEFT)
            put(1, left, now.color(row.roles[0]))
            put(2, f" {TIMES} ", muted)
            put(3, right, now.color(row.roles[1]))
            put(4, "=", muted)
            put(5, product, text)
            y += height
        if more:
            put(0, f"+ {more} more", muted, small, LEFT)
            put(4, "=", muted)
            put(5, format_significant(rest), text)
            y += height
        line = y
        painter.setPen(now.pen("divider"))
        painter.drawLine(
            QRectF(0, line, columns[5] + cell, 0).topLeft(),
            QRectF(0, line, columns[5] + cell, 0).topRight(),
        )
        rect = QRectF(0, y, columns[4], height)
        put_text(painter, rect, elide(row.name, bold, columns[4]), bold, now.color(row.role), LEFT)
        put(4, "=", muted)
        put(5, result, now.color(row.role), bold)
        return y + height


def broken_up(text: str, wide: Callable[[str], float], room: float) -> list[str]:
    """Breaks a text between words into lines that fit into `room`."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1].strip() and wide(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _said(row: Any) -> str:
    return row if isinstance(row, str) else str(row.text)


def _cell(numbers: Sequence[str]) -> float:
    """Returns the width of a column, the same for most numbers; 1.20e-10 needs more."""
    now = theme.current()
    metrics = now.metrics("body", 600)
    return max(now.px(66), *(metrics.horizontalAdvance(text) + now.px(8) for text in numbers))


def row_text(row: Any) -> str:
    """Returns one row as plain text."""
    if isinstance(row, str):
        return row
    if isinstance(row, Equation):
        value = row.value if isinstance(row.value, str) else format_significant(row.value)
        return f"{row.name} = {value} {row.note}".strip()
    if isinstance(row, Terms):
        shown, rest, more, total = largest_terms(row)
        factors = [(row.left[one], row.right[one]) for one in shown]
        parts = [f"{format_significant(a)} {TIMES} {format_significant(b)}" for a, b in factors]
        tail = f" + ({more} more = {format_significant(rest)})" if more else ""
        return f"{row.name} = {' + '.join(parts)}{tail} = {format_significant(total)}"
    return str(row.text)
