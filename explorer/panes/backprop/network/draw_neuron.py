"""Draws one neuron: its map, a cross if it is dead, its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
)

from explorer import theme
from explorer.panes.backprop.network.scene import Box
from explorer.widgets.base import put_text


def draw_map(
    painter: QPainter, box: Box, image: QImage | QPixmap, *, edge: str = "outline"
) -> None:
    rect = QRectF(*box)
    if isinstance(image, QPixmap):
        painter.drawPixmap(rect, image, QRectF(image.rect()))
    else:
        painter.drawImage(rect, image)
    draw_outline(painter, rect, edge)


def draw_outline(painter: QPainter, rect: QRectF, edge: str = "outline") -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(theme.current().pen(edge))
    painter.drawRect(rect)


def draw_dead(painter: QPainter, box: Box) -> None:
    """Draws a neuron that is 0 for every point: hatched and crossed out."""
    now = theme.current()
    rect = QRectF(*box)
    painter.fillRect(rect, now.color("surface"))
    painter.fillRect(rect, now.hatch())
    painter.setPen(now.pen("text", 2))
    inner = rect.adjusted(5, 5, -5, -5)
    painter.drawLine(inner.topLeft(), inner.bottomRight())
    painter.drawLine(inner.topRight(), inner.bottomLeft())
    draw_outline(painter, rect)


def draw_ring(painter: QPainter, box: Box) -> None:
    now = theme.current()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(now.color("accent"), 2))
    painter.drawRect(QRectF(*box).adjusted(-2.5, -2.5, 2.5, 2.5))


def draw_numbers(painter: QPainter, box: Box, lines: Sequence[tuple[str, QColor]]) -> None:
    """Draws a neuron's numbers line by line, each on its own background color."""
    now = theme.current()
    rect = QRectF(*box)
    outline = QPainterPath()
    outline.addRoundedRect(rect, 4, 4)
    for number in range(max(1, len(lines))):
        ground = lines[number][1] if lines else now.color("surface")
        below = QPainterPath()
        below.addRect(rect.adjusted(0, number * rect.height() / max(1, len(lines)), 0, 0))
        painter.fillPath(outline & below if number else outline, ground)
    painter.strokePath(outline, now.pen("outline"))
    if not lines:
        return
    ink = now.color("text")
    each = rect.height() / len(lines)
    size = min(12.0, each * 0.72 / now.zoom)
    for number, (text, _) in enumerate(lines):
        line = QRectF(rect.x(), rect.y() + number * each, rect.width(), each)
        put_text(painter, line, text, now.font(size, 600 if number == 0 else 400), ink)
