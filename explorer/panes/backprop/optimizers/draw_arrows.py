"""Paints arrows and bars at the selected optimizer's head: its gradient and memory."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from explorer import theme
from explorer.panes.backprop.optimizers.draw_trails import Trail
from explorer.panes.backprop.optimizers.line_style import color_of
from explorer.panes.backprop.optimizers.scene import Arrows, arrow_length
from explorer.widgets.base import put_text

CAP = 4.0  # px: half of the cap at a bar's end


def draw_arrows(painter: QPainter, arrows: Arrows, trail: Trail) -> None:
    """Draws the bars, then the arrows, then the letters."""
    now, head = theme.current(), trail.points[-1]
    letters: list[tuple[np.ndarray, np.ndarray, str, QColor]] = []  # tip, direction, letter, color
    if arrows.second is not None:
        muted, halves = now.color("muted"), [_length(size, arrows) / 2 for size in arrows.second]
        for half, unit in zip(halves, np.eye(2), strict=True):
            _draw_bar(painter, head - half * unit, head + half * unit, unit, muted)
        longer = int(halves[1] > halves[0])
        unit = np.array([(1.0, 0.0), (0.0, -1.0)][longer])
        letters.append((head + halves[longer] * unit, unit, arrows.letters[2], muted))
    for vector, letter, color in (
        (arrows.downhill, arrows.letters[0], now.color("text")),
        (arrows.first, arrows.letters[1], color_of(trail.name)),
    ):
        long = 0.0 if vector is None else _length(math.hypot(*vector), arrows)
        if vector is not None and long >= 2:
            unit = np.array([vector[0], -vector[1]]) / math.hypot(*vector)
            _draw_arrow(painter, head, head + unit * long, unit, color)
            letters.append((head + unit * long, unit, letter, color))
    for tip, unit, letter, color in letters:
        _draw_letter(painter, tip, unit, letter, color)


def _length(size: float, arrows: Arrows) -> float:
    return arrow_length(float(size), arrows.largest) * theme.current().zoom


def _draw_bar(
    painter: QPainter, begin: np.ndarray, end: np.ndarray, unit: np.ndarray, color: QColor
) -> None:
    """Draws a line with caps at both ends, outlined in the map's color."""
    now, cap = theme.current(), CAP * unit[::-1]
    for ink, width in ((now.color("surface"), 4.0), (color, 1.5)):
        painter.setPen(now.pen(ink, width))
        for one, two in ((begin, end), (begin - cap, begin + cap), (end - cap, end + cap)):
            painter.drawLine(QPointF(*one), QPointF(*two))


def _draw_arrow(
    painter: QPainter, begin: np.ndarray, tip: np.ndarray, unit: np.ndarray, color: QColor
) -> None:
    now, across = theme.current(), np.array([-unit[1], unit[0]])
    for ink, width, grow in ((now.color("surface"), 5.0, 2.0), (color, 2.0, 0.0)):
        painter.setPen(now.pen(ink, width))
        painter.drawLine(QPointF(*begin), QPointF(*tip))
        size = 7.0 + grow
        back = tip - unit * size
        corners = [
            tip + unit * (1 + grow),
            back + across * size * 0.55,
            back - across * size * 0.55,
        ]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))


def _draw_letter(
    painter: QPainter, tip: np.ndarray, unit: np.ndarray, letter: str, color: QColor
) -> None:
    """Draws a letter beyond the tip, in any direction."""
    now = theme.current()
    font, metrics = now.font("label", 600), now.metrics("label", 600)
    wide, high = metrics.horizontalAdvance(letter) + now.px(4), metrics.height()
    center = tip + unit * (now.px(5) + np.abs(unit) @ np.array([wide, high]) / 2)
    box = QRectF(center[0] - wide / 2, center[1] - high / 2, wide, high)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("surface", 0.85))
    painter.drawRoundedRect(box, 3, 3)
    put_text(painter, box, letter, font, color)
