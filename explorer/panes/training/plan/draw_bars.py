"""Paints the memory of one device as stacked bars against its capacity."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from core.numbers import format_bytes
from explorer import theme
from explorer.panes.training.plan import text
from explorer.panes.training.plan.scene import PARTS, Scene
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

NAME, END, LEGEND, HEAD = 108, 132, 40, 20  # px: titles, totals, legend, label of the capacity
TALLEST, GAP = 64, 14  # px
SERIES = (0, 1, 2, 3, 5)  # colors of the parts: series 4 would be a second blue


class BarLayout:
    """The positions of bars and parts in an area."""

    def __init__(self, area: QRectF, scene: Scene) -> None:
        now = theme.current()
        self.area, self.scene = area, scene
        self.left = area.left() + now.px(NAME)
        self.right = area.right() - now.px(END)
        self.top = area.top() + now.px(LEGEND + HEAD)
        self.pitch = min((area.bottom() - self.top) / len(scene.sizes), now.px(TALLEST + GAP))
        self.height = max(self.pitch - now.px(GAP), 4.0)

    def x(self, size: float) -> float:
        return self.left + min(size / self.scene.axis, 1.0) * (self.right - self.left)

    def row(self, place: int) -> QRectF:
        """Returns the row of a bar."""
        top = self.top + place * self.pitch
        return QRectF(self.area.left(), top, self.area.width(), self.height)

    def part(self, place: int, part: int) -> QRectF:
        """Returns a part of a bar; those of a broken bar are scaled to its drawn length."""
        row, sizes = self.row(place), self.scene.sizes[place]
        sizes = sizes * float(self.scene.lengths[place]) / max(float(sizes.sum()), 1.0)
        start, end = self.x(float(sizes[:part].sum())), self.x(float(sizes[: part + 1].sum()))
        return QRectF(start, row.top(), end - start, row.height())

    def at(self, point: QPointF) -> tuple[int | None, int | None]:
        """Returns (bar, part) at a point, each None if there is none."""
        rows, parts = range(len(self.scene.sizes)), range(len(PARTS))
        bar = next((place for place in rows if self.row(place).contains(point)), None)
        if bar is None:
            return None, None
        return bar, next((one for one in parts if self.part(bar, one).contains(point)), None)


def draw_bars(painter: QPainter, layout: BarLayout, position: float) -> None:
    """Draws the bars, highlights the part of the current step, and marks the sum so far."""
    scene = layout.scene
    current = scene.terms[min(int(position), len(scene.terms) - 1)]
    _draw_legend(painter, layout, current)
    for place in range(len(scene.sizes)):
        _draw_bar(painter, layout, place, current if place == scene.chosen else "")
    _draw_capacity(painter, layout)
    _draw_sum(painter, layout, scene.sum_at(position))


def _draw_legend(painter: QPainter, layout: BarLayout, current: str) -> None:
    """Draws each part's color, name, and bytes under the selected stage."""
    now, scene = theme.current(), layout.scene
    wide, line, square = layout.area.width() / len(PARTS), now.px(LEGEND) / 2, now.px(10)
    for place, part in enumerate(PARTS):
        x, top, font = layout.area.left() + place * wide, layout.area.top(), now.font("label")
        box = QRectF(x, top + (line - square) / 2, square, square)
        painter.fillRect(box, now.series(SERIES[place]))
        name = QRectF(x + now.px(14), top, wide - now.px(16), line)
        words, ink = elide(text.PARTS[part], font, name.width()), "muted"
        if part == current:
            ink = "text"
        put_text(painter, name, words, font, now.color(ink), LEFT)
        below, size = name.translated(0, line - now.px(3)), scene.sizes[scene.chosen, place]
        put_text(painter, below, format_bytes(size), now.font("body", 600), now.color("text"), LEFT)


def _draw_bar(painter: QPainter, layout: BarLayout, place: int, current: str) -> None:
    now, scene = theme.current(), layout.scene
    row, is_chosen, total = layout.row(place), place == scene.chosen, scene.sizes[place].sum()
    font = now.font("body", 600 if is_chosen else 400)
    if is_chosen and len(scene.sizes) > 1:
        painter.fillRect(row.adjusted(0, -now.px(4), 0, now.px(4)), now.color("selected"))
    name = QRectF(row.left() + now.px(4), row.top(), now.px(NAME - 12), row.height())
    title = elide(text.bar_title(place, len(scene.sizes)), font, name.width())
    put_text(painter, name, title, font, now.color("text"), LEFT)
    for part in range(len(PARTS)):
        painter.fillRect(layout.part(place, part), now.series(SERIES[part]))
    right = layout.x(float(scene.lengths[place]))
    if scene.is_broken(place):  # two slanted lines
        painter.setPen(now.pen("surface", 3))
        for back in (10, 18):
            x = right - now.px(back)
            painter.drawLine(QPointF(x - 3, row.bottom() + 1), QPointF(x + 3, row.top() - 1))
    too_much = scene.capacity is not None and total > scene.capacity
    words = format_bytes(total) + (", too much" if too_much else "")
    wide, start = QFontMetricsF(font).horizontalAdvance(words), right + now.px(6)
    limit = layout.x(scene.capacity) if scene.shows_capacity and scene.capacity else -1.0
    if right < limit < start + wide:  # moves the text beyond the line of the capacity
        start = limit + now.px(6)
    end = QRectF(start, row.top(), wide + 1, row.height())
    put_text(painter, end, words, font, now.color("warning" if too_much else "text"), LEFT)
    if current in PARTS:
        painter.setPen(now.pen("text", 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(layout.part(place, PARTS.index(current)).adjusted(1, 1, -1, -1))


def _draw_capacity(painter: QPainter, layout: BarLayout) -> None:
    now, scene = theme.current(), layout.scene
    if scene.capacity is None:
        return
    words, font = text.capacity(scene.capacity, scene.shows_capacity), now.font("label", 600)
    wide = now.metrics("label", 600).horizontalAdvance(words)
    top, high = layout.top - now.px(HEAD), now.px(HEAD - 4)
    if not scene.shows_capacity:
        place = QRectF(layout.left, top, layout.area.right() - layout.left, high)
        put_text(painter, place, words, font, now.color("muted"), RIGHT)
        return
    x, bottom = layout.x(scene.capacity), layout.row(len(scene.sizes) - 1).bottom()
    painter.setPen(now.pen("text", 2))
    painter.drawLine(QPointF(x, top + now.px(HEAD - 6)), QPointF(x, bottom + now.px(6)))
    left = min(max(x - wide / 2, layout.left), layout.area.right() - wide - 1)
    place = QRectF(left, top - now.px(2), wide + 1, high)
    put_text(painter, place, words, font, now.color("text"), LEFT)


def _draw_sum(painter: QPainter, layout: BarLayout, size: float) -> None:
    """Draws the mark of the sum so far, below the selected bar."""
    now, row = theme.current(), layout.row(layout.scene.chosen)
    x, y, half = layout.x(size), row.bottom() + 1, now.px(5)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("accent"))
    corners = (QPointF(x, y), QPointF(x - half, y + 2 * half), QPointF(x + half, y + 2 * half))
    painter.drawPolygon(QPolygonF(corners))
