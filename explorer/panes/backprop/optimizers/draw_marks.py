"""What is written on the map: heights of levels, minima, saddles, and the bar of its tints."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPolygonF

from explorer import theme
from explorer.panes.backprop.optimizers.looks import inks
from explorer.panes.backprop.optimizers.relief import Relief
from explorer.panes.backprop.optimizers.words import short
from explorer.theme_numbers import format_number
from explorer.widgets.base import LEFT, RIGHT, put_text

BAR = (112, 8)


def draw_labels(painter: QPainter, relief: Relief, area: QRectF) -> None:
    """The height of each level, along its line."""
    now = theme.current()
    font, metrics = now.font("label"), now.metrics("label")
    for label in relief.labels:
        text = level_text(label.value)
        wide, high = metrics.horizontalAdvance(text) + 6, metrics.height() - 1
        painter.save()
        painter.translate(
            area.left() + label.x * area.width(), area.top() + label.y * area.height()
        )
        painter.rotate(label.angle)
        box = QRectF(-wide / 2, -high / 2, wide, high)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("surface", 0.75))
        painter.drawRoundedRect(box, 3, 3)
        put_text(painter, box, text, font, now.color("muted"))
        painter.restore()


def level_text(value: float) -> str:
    """A level is a round number: 0.06, not 0.0600."""
    text = format_number(value)
    if "." in text and "e" not in text:
        text = text.rstrip("0").rstrip(".")
    return text


def draw_places(
    painter: QPainter,
    seen: Callable[[np.ndarray], np.ndarray],
    minima: Sequence[tuple[float, float]],
    saddles: Sequence[tuple[float, float]],
    clip: QRectF,
) -> None:
    """A star where the surface is lowest, a diamond at a saddle, each with its word."""
    now = theme.current()
    size = now.px(6)
    for places, word in ((minima, "minimum"), (saddles, "saddle")):
        for place in places:
            x, y = seen(np.array(place))
            if not clip.contains(QPointF(x, y)):
                continue
            painter.setBrush(now.color("surface"))
            painter.setPen(now.pen("text", 1.5))
            if word == "minimum":
                painter.drawPolygon(_star(x, y, size + 1))
            else:
                corners = ((x, y - size), (x + size, y), (x, y + size), (x - size, y))
                painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
            wide = now.metrics("label").horizontalAdvance(word) + 6
            box = QRectF(x - wide / 2, y + size + 3, wide, now.px(14))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(now.color("surface", 0.7))
            painter.drawRoundedRect(box, 3, 3)
            put_text(painter, box, word, now.font("label"), now.color("muted"))


def _star(x: float, y: float, size: float) -> QPolygonF:
    angles = np.pi * (np.arange(10) / 5 - 0.5)
    radii = np.where(np.arange(10) % 2, 0.45, 1.15) * size
    return QPolygonF(
        [QPointF(x + r * np.cos(a), y + r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]
    )


def draw_bar(painter: QPainter, relief: Relief, frame: QRectF) -> None:
    """What the tints mean: the lowest and the highest that is seen."""
    now = theme.current()
    if not relief.is_finite:
        return
    font, metrics = now.font("label"), now.metrics("label")
    ends = short(relief.low), short(relief.high)
    taken = sum(metrics.horizontalAdvance(text) for text in (*ends, "height")) + now.px(16)
    wide, high = max(now.px(BAR[0]), taken), now.px(BAR[1])
    box = QRectF(frame.left() + 12, frame.bottom() - high - now.px(22), wide, high)
    back = box.adjusted(-6, -4, 6, now.px(18))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("surface", 0.85))
    painter.drawRoundedRect(back, 4, 4)
    tones = inks()
    bands = max(2, relief.levels.size + 1)
    for band in range(bands):
        share = band / (bands - 1)
        mixed = [round(a + share * (b - a)) for a, b in zip(tones.low, tones.high, strict=True)]
        color = now.color("surface")
        color.setRgb(*mixed)
        left = box.left() + box.width() * band / bands
        painter.fillRect(QRectF(left, box.top(), box.width() / bands + 1, high), color)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(now.pen("outline"))
    painter.drawRect(box)
    words = QRectF(box.left(), box.bottom() + 2, box.width(), now.px(14))
    muted = now.color("muted")
    put_text(painter, words, ends[0], font, muted, LEFT)
    put_text(painter, words, "height", font, muted)
    put_text(painter, words, ends[1], font, muted, RIGHT)
