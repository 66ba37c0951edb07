"""Draws how many nodes are hidden beyond each side of the view."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.backprop.expression.layout import Layout, Size
from explorer.panes.backprop.expression.viewport import Camera
from explorer.widgets.base import put_text

LEAST = 8.0  # px that must be hidden to count
WORDS = {
    "left": "\u2039 {}more",
    "right": "{}more \u203a",
    "above": "{}more above",
    "below": "{}more below",
}


def hidden(camera: Camera, layout: Layout, room: Size) -> dict[str, int]:
    """Returns, for each side the graph extends beyond, how many node centers are hidden there."""
    left, top = camera.seen(0.0, 0.0)
    right, bottom = camera.seen(layout.width, layout.height)
    x, y, width, height = np.array(layout.places).T
    x, y = camera.seen(x + width / 2, y + height / 2)
    sides = {
        "left": (-left, x < 0),
        "right": (right - room[0], x > room[0]),
        "above": (-top, y < 0),
        "below": (bottom - room[1], y > room[1]),
    }
    return {side: int(out.sum()) for side, (cut, out) in sides.items() if cut > LEAST}


def draw_overflow(painter: QPainter, camera: Camera, layout: Layout, room: QRectF) -> None:
    now = theme.current()
    metrics, high = now.metrics("label"), float(now.px(20))
    for side, count in hidden(camera, layout, (room.width(), room.height())).items():
        words = WORDS[side].format(f"{count} " if count else "")
        wide = metrics.horizontalAdvance(words) + now.px(16)
        across, down = room.center().x() - wide / 2, room.center().y() - high / 2
        x = {"left": room.left() + 4, "right": room.right() - wide - 4}.get(side, across)
        y = {"above": room.top() + 4, "below": room.bottom() - high - 4}.get(side, down)
        box = QRectF(x, y, wide, high)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("raised", 0.92))
        painter.drawRoundedRect(box, high / 2, high / 2)
        put_text(painter, box, words, now.font("label"), now.color("muted"))
