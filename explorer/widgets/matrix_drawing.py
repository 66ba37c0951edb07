"""Matrices as images, vectors as stripes, and what flows between them along arrows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPolygonF

from explorer import theme
from explorer.widgets.base import packed_image, packed_table

SIZE = 2.5  # of a stripe's vector, whose root mean square is 1: where its colors end
HEAD, PULSE = 4, 6  # px: half an arrow's head; a pulse


def colors_of(values: np.ndarray, kind: str = "diverging", limit: float = 0.0) -> np.ndarray:
    """Packed colors of numbers: "diverging", symmetric round 0 up to `limit` (0: the largest), or
    "attention", 0 to 1. What is not finite is gray.
    """
    now, known = theme.current(), np.isfinite(values)
    shown = np.where(known, values, 0.0)
    if kind == "diverging":
        shown = shown / (2 * (limit or float(np.abs(shown).max(initial=0)) or 1.0)) + 0.5
    table = now.attention_table if kind == "attention" else now.diverging_table
    packed = packed_table(table)[np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)]
    packed[~known] = now.color("raised").rgb()
    return packed


def draw_matrix(
    painter: QPainter,
    place: QRectF,
    values: np.ndarray | None,
    kind: str = "diverging",
    limit: float = 0.0,
    framed: bool = True,
) -> None:
    """Numbers (R, C) as colors, in a frame; None, of a model without weights: plain."""
    now = theme.current()
    if values is None or not values.size:
        painter.fillRect(place, now.color("raised"))
    else:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(place, packed_image(colors_of(values, kind, limit)))
    if framed:
        painter.setPen(now.pen("divider"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(place)


def draw_stripe(painter: QPainter, place: QRectF, vector: np.ndarray | None) -> None:
    """A vector of root mean square 1 from top to bottom."""
    draw_matrix(painter, place, None if vector is None else vector[:, None], limit=SIZE)


def draw_arrow(
    painter: QPainter, points: Sequence[QPointF], color: QColor, width: float = 1.5
) -> None:
    """A line with a head at its end."""
    now = theme.current()
    painter.setPen(now.pen(color, width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(points))
    end, away = points[-1], points[-2] - points[-1]
    long = max((away.x() ** 2 + away.y() ** 2) ** 0.5, 1e-6)
    along = away / long * now.px(HEAD) * 1.6
    across = QPointF(-away.y(), away.x()) / long * now.px(HEAD)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([end, end + along + across, end + along - across]))


def draw_pulse(painter: QPainter, points: Sequence[QPointF], progress: float) -> None:
    """What flows, on its way along a line; nothing where motion is reduced."""
    now, path = theme.current(), QPainterPath(points[0])
    if not now.travels:
        return
    for point in points[1:]:
        path.lineTo(point)
    painter.setPen(now.pen("surface", 2))
    painter.setBrush(now.color("accent"))
    side = now.px(PULSE)
    painter.drawEllipse(path.pointAtPercent(theme.ease_out(progress)), side, side)
