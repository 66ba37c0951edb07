"""Draws a piece as a box in the color of its bytes, for all pictures of this pane.

A piece that is not text is drawn as its bytes, each in a cell, like the tokens of a text.
"""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter

from explorer import theme
from explorer.panes.tokenizers.pieces import is_text
from explorer.widgets import token_colors
from explorer.widgets.base import CENTER, elide, put_text
from explorer.widgets.flow_painting import GROUND
from explorer.widgets.token_faces import PADDING

RADIUS = 3


def draw_box(
    painter: QPainter,
    box: QRectF,
    data: bytes,
    *,
    fill: str = "ink",
    pen: str = "",
    width: float = 2,
) -> None:
    """Draws the box without its content.

    fill  "ink" (the color of `data`), "surface" or "hatch"
    pen   the border's color in the theme, "" for that of `data`; `width`: px of the border
    """
    now = theme.current()
    ink = token_colors.ink(data)
    brushes = {"ink": ink.fill, "surface": now.color("surface"), "hatch": now.hatch()}
    painter.setBrush(QBrush(brushes[fill]))
    painter.setPen(now.pen(pen, width) if pen else ink.edge)
    painter.drawRoundedRect(box, RADIUS, RADIUS)


def draw_piece(
    painter: QPainter,
    box: QRectF,
    text: str,
    data: bytes,
    *,
    fill: str = "ink",
    pen: str = "",
    width: float = 2,
    bold: bool = False,
    color: str = "text",
    align: Qt.AlignmentFlag = CENTER,
) -> None:
    """Draws a box as draw_box does, with the piece in it as text or as cells of bytes."""
    now = theme.current()
    draw_box(painter, box, data, fill=fill, pen=pen, width=width)
    if not is_text(data):
        draw_bytes(painter, box, data, color, align)
        return
    font = now.font(12, 600 if bold else 400, mono=True)
    put_text(painter, box, elide(text, font, box.width() - 2), font, now.color(color), CENTER)


def byte_width() -> float:
    """Returns the width of a byte's cell."""
    now = theme.current()
    return now.metrics("label", mono=True).horizontalAdvance("FF") + now.px(4)


def piece_width(text: str, data: bytes) -> float:
    """Returns the width that draw_piece needs for a piece."""
    now = theme.current()
    padding = 2 * now.px(PADDING)
    if is_text(data):
        return now.metrics(12, mono=True).horizontalAdvance(text) + padding
    return len(data) * byte_width() + padding / 2


def draw_bytes(
    painter: QPainter,
    box: QRectF,
    data: bytes,
    color: str = "text",
    align: Qt.AlignmentFlag = CENTER,
) -> None:
    """Draws two digits for each byte and a thin line between bytes, for as many as fit."""
    now = theme.current()
    wide = byte_width()
    count = max(1, min(len(data), int(box.width() // wide)))
    left = box.left() + now.px(PADDING) / 2
    if align == CENTER:
        left = box.center().x() - count * wide / 2
    font = now.font("label", mono=True)
    for place, byte in enumerate(data[:count]):
        cell = QRectF(left + place * wide, box.top(), wide, box.height())
        painter.fillRect(cell.adjusted(1.5, 3, -1.5, -3), now.color("surface", GROUND))
        last = place == count - 1 and count < len(data)
        put_text(painter, cell, "\u2026" if last else f"{byte:02X}", font, now.color(color), CENTER)
    painter.setPen(now.pen(token_colors.ink(data).edge))
    for place in range(1, count):
        x = round(left + place * wide) + 0.5
        painter.drawLine(QLineF(QPointF(x, box.top() + 1), QPointF(x, box.bottom() - 1)))
