"""The words on a line plot: axes, names at the lines' ends, the readout under the pointer."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, elide, put_text


def spread_apart(middles: list[float], height: float, lowest: float) -> list[float]:
    """Sorted label positions moved down, then up, so that none touch and none pass `lowest`."""
    spread = list(middles)
    for index in range(1, len(spread)):
        spread[index] = max(spread[index], spread[index - 1] + height)
    if spread and spread[-1] > lowest:
        spread[-1] = lowest
        for index in range(len(spread) - 2, -1, -1):
            spread[index] = min(spread[index], spread[index + 1] - height)
    return spread


def draw_axes(
    painter: QPainter,
    rect: QRectF,
    x_ticks: list[tuple[float, str]],
    y_ticks: list[tuple[float, str]],
    titles: tuple[str, str],
    width: float,
) -> None:
    """Left and bottom axis round `rect` with ticks given as (pixel, text), and a faint grid.

    `titles` are those of x and y: one right of the bottom axis, one above the left axis.
    """
    now = theme.current()
    font, muted = now.font("label"), now.color("muted")
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for pixel, text in y_ticks:
        y = round(pixel)
        grid = QRectF(round(rect.left()), y, round(rect.width()), 1)
        painter.fillRect(grid, now.color("text", theme.GRID_OPACITY))
        put_text(painter, QRectF(0, y - 8, rect.left() - now.px(6), 16), text, font, muted, RIGHT)
    line = now.color("outline")
    painter.fillRect(QRectF(rect.left(), round(rect.bottom()), rect.width(), 1), line)
    painter.fillRect(QRectF(round(rect.left()), rect.top(), 1, rect.height()), line)
    metrics = now.metrics("label")
    title_width = metrics.horizontalAdvance(titles[0])
    title_left = min(rect.right() + now.px(6), width - title_width - now.px(4))
    place = QRectF(title_left, rect.bottom() + 4, title_width + 2, 16)
    put_text(painter, place, titles[0], font, muted, LEFT)
    for pixel, text in x_ticks:
        painter.fillRect(QRectF(round(pixel), round(rect.bottom()), 1, 4), line)
        if pixel + metrics.horizontalAdvance(text) / 2 < title_left - now.px(6):
            put_text(painter, QRectF(pixel - 40, rect.bottom() + 4, 80, 16), text, font, muted)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    put_text(painter, QRectF(0, 0, width, 18), titles[1], font, muted, LEFT)


def draw_end_labels(
    painter: QPainter,
    ends: list[tuple[float, float, str, QColor]],
    rect: QRectF,
    width: float,
) -> None:
    """Names beside line ends given as (y, x, name, color); `width` is the widget's."""
    now = theme.current()
    ends = sorted(ends, key=lambda end: end[0])
    height = now.metrics("label").height() - 1
    middles = spread_apart([end[0] for end in ends], height, rect.bottom() - 4)
    font = now.font("label", 600)
    for (_, x, name, color), middle in zip(ends, middles, strict=True):
        room = width - x - now.px(8)
        place = QRectF(x + now.px(6), middle - 9, room, 18)
        put_text(painter, place, elide(name, font, room), font, color, LEFT)


def draw_readout(
    painter: QPainter,
    x: float,
    rect: QRectF,
    head: str,
    rows: list[tuple[str, str, QColor]],
    width: float,
) -> None:
    """A thin rule at `x` and a small box with `head` and (name, value, color) rows."""
    now = theme.current()
    painter.setPen(now.pen("outline"))
    painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
    metrics = now.metrics("label", 600)
    line = now.px(16)
    widest = max([metrics.horizontalAdvance(f"{name}   {value}") for name, value, _ in rows] + [0])
    room = max(widest, metrics.horizontalAdvance(head)) + now.px(18)
    left = x + 8 if x + 8 + room < width else x - 8 - room
    box = QRectF(left, rect.top() + 4, room, (len(rows) + 1) * line + now.px(8))
    painter.setPen(now.pen("divider"))
    painter.setBrush(now.color("surface", 0.95))
    painter.drawRoundedRect(box, 6, 6)
    place = QRectF(box.x() + 8, box.y() + 4, room - 16, line)
    put_text(painter, place, head, now.font("label"), now.color("muted"), LEFT)
    for name, value, color in rows:
        place.translate(0, line)
        put_text(painter, place, name, now.font("label"), color, LEFT)
        put_text(painter, place, value, now.font("label", 600), now.color("text"), RIGHT)
