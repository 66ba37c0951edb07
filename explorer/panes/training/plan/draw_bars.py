"""Paints the memory of one device as stacked bars against its capacity."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from core.numbers import format_bytes
from explorer import theme
from explorer.panes.training.plan import text
from explorer.panes.training.plan.scene import PARTS, Scene
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

NAME, END, LEGEND, HEAD = 108, 132, 40, 20  # px: titles, totals, the legend, the capacity's name
TALLEST, GAP = 64, 14  # px


class BarLayout:
    """Where bars and parts stand in an area."""

    def __init__(self, area: QRectF, scene: Scene) -> None:
        now = theme.current()
        self.area, self.scene = area, scene
        self.left = area.left() + now.px(NAME)
        self.right = area.right() - now.px(END)
        self.top = area.top() + now.px(LEGEND + HEAD)
        count = max(len(scene.bars), 1)
        self.pitch = min((area.bottom() - self.top) / count, now.px(TALLEST + GAP))
        self.height = max(self.pitch - now.px(GAP), 4.0)

    def x(self, size: float) -> float:
        share = min(size / self.scene.axis, 1.0)
        return self.left + share * (self.right - self.left)

    def row(self, place: int) -> QRectF:
        """A bar's whole row."""
        top = self.top + place * self.pitch
        return QRectF(self.area.left(), top, self.area.width(), self.height)

    def part(self, place: int, part: int) -> QRectF:
        """One part of a bar, as far as the picture reaches."""
        sizes, row = self.scene.bars[place].sizes, self.row(place)
        start, end = self.x(sum(sizes[:part])), self.x(sum(sizes[: part + 1]))
        return QRectF(start, row.top(), end - start, row.height())

    def bar_at(self, point: QPointF) -> int | None:
        """The bar in whose row a point lies."""
        rows = range(len(self.scene.bars))
        return next((place for place in rows if self.row(place).contains(point)), None)

    def part_at(self, point: QPointF) -> tuple[int, int] | None:
        """(bar, part) at a point."""
        place = self.bar_at(point)
        if place is None:
            return None
        parts = range(len(PARTS))
        found = next((one for one in parts if self.part(place, one).contains(point)), None)
        return None if found is None else (place, found)


def draw_bars(painter: QPainter, layout: BarLayout, position: float) -> None:
    """The bars, the part that the step tells of, and how much has been added up."""
    scene = layout.scene
    step = min(int(position), len(scene.current) - 1)
    current = scene.current[step] if scene.current else ""
    _draw_legend(painter, layout, current)
    for place in range(len(scene.bars)):
        _draw_bar(painter, layout, place, current if place == scene.chosen else "")
    _draw_capacity(painter, layout)
    _draw_sum(painter, layout, scene.sum_at(position))


def _draw_legend(painter: QPainter, layout: BarLayout, current: str) -> None:
    """Each part's color, name, and bytes under the chosen stage."""
    now, scene = theme.current(), layout.scene
    wide, line = layout.area.width() / len(PARTS), now.px(LEGEND) / 2
    for place, (part, size) in enumerate(zip(PARTS, scene.bars[scene.chosen].sizes, strict=True)):
        x, top, square = layout.area.left() + place * wide, layout.area.top(), now.px(10)
        box = QRectF(x, top + (line - square) / 2, square, square)
        painter.fillRect(box, now.series(place))
        room, font = wide - now.px(16), now.font("label")
        name = QRectF(x + now.px(14), top, room, line)
        ink = now.color("text" if part == current else "muted")
        put_text(painter, name, elide(text.PARTS[part], font, room), font, ink, LEFT)
        below = name.translated(0, line - now.px(3))
        put_text(painter, below, format_bytes(size), now.font("body", 600), now.color("text"), LEFT)


def _draw_bar(painter: QPainter, layout: BarLayout, place: int, current: str) -> None:
    now, scene = theme.current(), layout.scene
    bar, row, is_chosen = scene.bars[place], layout.row(place), place == scene.chosen
    if is_chosen and len(scene.bars) > 1:
        painter.fillRect(row.adjusted(0, -now.px(4), 0, now.px(4)), now.color("selected"))
    name = QRectF(row.left() + now.px(4), row.top(), now.px(NAME - 12), row.height())
    font = now.font("body", 600 if is_chosen else 400)
    put_text(painter, name, elide(bar.title, font, name.width()), font, now.color("text"), LEFT)
    for part in range(len(PARTS)):
        painter.fillRect(layout.part(place, part), now.series(part))
    end = layout.x(bar.total)
    too_much = scene.capacity is not None and bar.total > scene.capacity
    if bar.total > scene.axis:
        _draw_cut(painter, layout.right, row)
    words = format_bytes(bar.total) + (", too much" if too_much else "")
    wide, start = QFontMetricsF(font).horizontalAdvance(words), end + now.px(6)
    limit = layout.x(scene.capacity) if scene.shows_capacity and scene.capacity else -1.0
    if end < limit < start + wide:  # beyond the line of the capacity
        start = limit + now.px(6)
    total = QRectF(start, row.top(), wide + 1, row.height())
    put_text(painter, total, words, font, now.color("warning" if too_much else "text"), LEFT)
    if current in PARTS:
        painter.setPen(now.pen("text", 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(layout.part(place, PARTS.index(current)).adjusted(1, 1, -1, -1))


def _draw_cut(painter: QPainter, right: float, row: QRectF) -> None:
    """A bar that goes on beyond the picture is cut by two slanted lines."""
    now = theme.current()
    painter.setPen(now.pen("surface", 3))
    for back in (10, 18):
        x = right - now.px(back)
        painter.drawLine(QPointF(x - 3, row.bottom() + 1), QPointF(x + 3, row.top() - 1))


def _draw_capacity(painter: QPainter, layout: BarLayout) -> None:
    now, scene = theme.current(), layout.scene
    if scene.capacity is None:
        return
    words = f"capacity {format_bytes(scene.capacity)}"
    top, font = layout.top - now.px(HEAD), now.font("label", 600)
    wide = now.metrics("label", 600).horizontalAdvance(words)
    if not scene.shows_capacity:
        words = f"{words}, far to the right \u2192"
        place = QRectF(layout.left, top, layout.area.right() - layout.left, now.px(HEAD - 4))
        put_text(painter, place, words, font, now.color("muted"), RIGHT)
        return
    x = layout.x(scene.capacity)
    painter.setPen(now.pen("text", 2))
    painter.drawLine(
        QPointF(x, top + now.px(HEAD - 6)),
        QPointF(x, layout.row(len(scene.bars) - 1).bottom() + now.px(6)),
    )
    left = min(max(x - wide / 2, layout.left), layout.area.right() - wide - 1)
    place = QRectF(left, top - now.px(2), wide + 1, now.px(HEAD - 4))
    put_text(painter, place, words, font, now.color("text"), LEFT)


def _draw_sum(painter: QPainter, layout: BarLayout, size: float) -> None:
    """A mark below the chosen bar: how much has been added up so far."""
    now, row = theme.current(), layout.row(layout.scene.chosen)
    x, y, half = layout.x(size), row.bottom() + 1, now.px(5)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("accent"))
    corners = (QPointF(x, y), QPointF(x - half, y + 2 * half), QPointF(x + half, y + 2 * half))
    painter.drawPolygon(QPolygonF(corners))
