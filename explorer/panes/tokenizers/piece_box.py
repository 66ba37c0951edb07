"""A piece as a box in the color of its bytes: drawn in one way in every picture of this pane."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QBrush, QPainter

from explorer import theme
from explorer.widgets import token_colors
from explorer.widgets.base import CENTER, elide, put_text

RADIUS = 3
FILLS = ("ink", "surface", "hatch")


def draw_box(
    painter: QPainter,
    box: QRectF,
    data: bytes,
    *,
    fill: str = "ink",
    pen: str = "",
    width: float = 2,
) -> None:
    """The box alone. fill: "ink" (the color of `data`), "surface" or "hatch"; pen: a color of the
    theme that the border has, of this width; "" is that of `data`.
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
) -> None:
    """A box as draw_box has it, with the piece in it."""
    now = theme.current()
    draw_box(painter, box, data, fill=fill, pen=pen, width=width)
    font = now.font(12, 600 if bold else 400, mono=True)
    put_text(painter, box, elide(text, font, box.width() - 2), font, now.color(color), CENTER)
