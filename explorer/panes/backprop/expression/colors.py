"""Fonts and colors of the graph: a gradient below 0 is blue, above 0 orange, as in every map."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFont, QPainter

from explorer import theme
from explorer.theme.fonts import MONO, SANS, font
from explorer.widgets.base import put_text


def sans(pixels: int, weight: int = 400) -> QFont:
    """Returns a font in the picture's own units: the view scales it."""
    return font(SANS, pixels, weight)


def mono(pixels: int, weight: int = 400) -> QFont:
    return font(MONO, pixels, weight)


def sign_color(value: float) -> QColor:
    """Returns the color of a gradient by its sign, infinite ones included; 0 is muted. NaN, which
    has no sign, gets the color of an error: the warning color looks too much like the positive one.
    """
    now = theme.current()
    if math.isnan(value):
        return now.color("error")
    if value == 0:
        return now.color("muted")
    return QColor(now.palette.diverging_stops[0 if value < 0 else 2])


def sign_text(value: float) -> QColor:
    """Returns the same color with enough contrast for text."""
    now = theme.current()
    color = sign_color(value)
    return color if value == 0 or math.isnan(value) else theme.mix(color, now.color("text"), 0.15)


def chip(
    painter: QPainter, x: float, y: float, text: str, color: QColor, opacity: float = 1.0
) -> None:
    """Draws a moving number, centered at (x, y)."""
    now = theme.current()
    face = mono(11, 600)
    width = max(24.0, 7.0 * len(text) + 12)
    box = QRectF(x - width / 2, y - 10, width, 20)
    painter.setOpacity(opacity)
    painter.setPen(now.pen(color, 1.5))
    painter.setBrush(now.color("surface"))
    painter.drawRoundedRect(box, 10, 10)
    put_text(painter, box, text, face, now.color("text"))
    painter.setOpacity(1.0)
