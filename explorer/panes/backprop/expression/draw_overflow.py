"""Draws, at the sides where a graph goes on out of sight, how many nodes are there."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.backprop.expression.layout import Layout
from explorer.panes.backprop.expression.viewport import Camera
from explorer.widgets.base import put_text

LEAST = 8.0  # pixels out of sight that count
WORDS = {
    "left": "\u2039 {}more",
    "right": "{}more \u203a",
    "above": "{}more above",
    "below": "{}more below",
}


def sides_of(camera: Camera, size: tuple[float, float], room: tuple[float, float]) -> list[str]:
    """Where a picture of that size is cut off by the room."""
    left, top = camera.seen(0.0, 0.0)
    right, bottom = camera.seen(*size)
    cut = {
        "left": -left,
        "right": right - room[0],
        "above": -top,
        "below": bottom - room[1],
    }
    return [side for side, hidden in cut.items() if hidden > LEAST]


def words_of(side: str, camera: Camera, layout: Layout, room: tuple[float, float]) -> str:
    """How many nodes there are of which less than half is in sight."""
    count = 0
    for left, top, width, height in layout.places:
        x, y = camera.seen(left + width / 2, top + height / 2)
        count += {"left": x < 0, "right": x > room[0], "above": y < 0, "below": y > room[1]}[side]
    return WORDS[side].format(f"{count} " if count else "")


def draw_overflow(painter: QPainter, camera: Camera, layout: Layout, room: QRectF) -> None:
    size = layout.width, layout.height
    now = theme.current()
    metrics, high = now.metrics("label"), float(now.px(20))
    sight = room.width(), room.height()
    for side in sides_of(camera, size, sight):
        words = words_of(side, camera, layout, sight)
        wide = metrics.horizontalAdvance(words) + now.px(16)
        across, down = room.center().x() - wide / 2, room.center().y() - high / 2
        x = {"left": room.left() + 4, "right": room.right() - wide - 4}.get(side, across)
        y = {"above": room.top() + 4, "below": room.bottom() - high - 4}.get(side, down)
        box = QRectF(x, y, wide, high)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("raised", 0.92))
        painter.drawRoundedRect(box, high / 2, high / 2)
        put_text(painter, box, words, now.font("label"), now.color("muted"))
