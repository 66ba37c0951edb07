"""A painter with the theme, for drawings of boxes, arrows, matrices and vectors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPolygonF

from explorer import theme
from explorer.widgets.base import CENTER, elide, packed_image, packed_table

FAINT = 0.35  # opacity of what is still to come
SIZE = 2.5  # where the colors of a vector with a root mean square of 1 end
HEAD, PULSE, RADIUS = 4, 6, 6  # px: half an arrow's head; a pulse; a box's corners

Ink = str | QColor


def colors_of(values: np.ndarray, kind: str = "diverging", limit: float = 0.0) -> np.ndarray:
    """Returns packed colors of numbers: "diverging", symmetric about 0 up to `limit` (0: the
    largest), or "attention", 0 to 1. Non-finite numbers are gray.
    """
    now, known = theme.current(), np.isfinite(values)
    shown = np.where(known, values, 0.0)
    if kind == "diverging":
        shown = shown / (2 * (limit or float(np.abs(shown).max(initial=0)) or 1.0)) + 0.5
    table = now.attention_table if kind == "attention" else now.diverging_table
    packed = packed_table(table)[np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)]
    packed[~known] = now.color("raised").rgb()
    return packed


def around(x: float, y: float, wide: float, high: float) -> QRectF:
    """Returns the rectangle with center (x, y)."""
    return QRectF(x - wide / 2, y - high / 2, wide, high)


class Sketch:
    """Draws shapes; colors are names of roles, or colors themselves."""

    def __init__(self, painter: QPainter) -> None:
        self.painter, self.now = painter, theme.current()

    def color(self, ink: Ink) -> QColor:
        return self.now.color(ink) if isinstance(ink, str) else ink

    def _fill_with(self, ink: Ink) -> None:
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(self.color(ink))

    @contextmanager
    def faint(self, on: bool, opacity: float = FAINT) -> Iterator[None]:
        """Draws what is still to come at low opacity."""
        self.painter.setOpacity(opacity if on else 1.0)
        yield
        self.painter.setOpacity(1.0)

    def text(
        self, place: QRectF, words: str, ink: Ink = "muted", align: Qt.AlignmentFlag = CENTER,
        size: str = "label", weight: int = 400, mono: bool = False, cut: bool = False,
    ) -> None:  # fmt: skip
        """Draws one line of text; if too long, it overflows its place or is `cut`."""
        font = self.now.font(size, weight, mono)
        self.painter.setFont(font)
        self.painter.setPen(self.color(ink))
        flags = int(align) | Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip
        self.painter.drawText(place, flags, elide(words, font, place.width()) if cut else words)

    def line(
        self, start: QPointF, end: QPointF, ink: Ink, width: float = 1, alpha: float = 1
    ) -> None:
        self.painter.setPen(self.now.pen(ink, width, alpha))
        self.painter.drawLine(start, end)

    def frame(self, place: QRectF, ink: Ink, width: float = 1.5, radius: float = RADIUS) -> None:
        self.painter.setPen(self.now.pen(ink, width))
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawRoundedRect(place, self.now.px(radius), self.now.px(radius))

    def box(self, place: QRectF, ink: Ink, words: str = "", back: Ink = "surface") -> None:
        """Draws a part with its name; its background is opaque at any opacity."""
        opacity = self.painter.opacity()
        self.painter.setOpacity(1.0)
        self._fill_with(back)
        self.painter.drawRoundedRect(place, self.now.px(RADIUS), self.now.px(RADIUS))
        self.painter.setOpacity(opacity)
        self.frame(place, ink)
        self.text(place, words, "text", weight=600)

    def fill(self, place: QRectF, ink: Ink, alpha: float = 1.0) -> None:
        color = QColor(self.color(ink))
        color.setAlphaF(alpha)
        self.painter.fillRect(place, color)

    def dot(self, center: QPointF, side: float, ink: Ink) -> None:
        self._fill_with(ink)
        self.painter.drawEllipse(center, side, side)

    def matrix(
        self, place: QRectF, values: np.ndarray | None, kind: str = "diverging", limit: float = 0.0,
        framed: bool = True,
    ) -> None:  # fmt: skip
        """Draws numbers (R, C) as colors; None, for a model without weights, as a plain area."""
        if values is None or not values.size:
            self.painter.fillRect(place, self.now.color("raised"))
        else:
            self.painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            self.painter.drawImage(place, packed_image(colors_of(values, kind, limit)))
        if framed:
            self.frame(place, "divider", 1, 0)

    def arrow(self, points: Sequence[QPointF], ink: Ink = "outline", width: float = 1.5) -> None:
        self.painter.setPen(self.now.pen(ink, width))
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawPolyline(QPolygonF(points))
        end, away = points[-1], points[-2] - points[-1]
        away *= self.now.px(HEAD) / max(math.hypot(away.x(), away.y()), 1e-6)
        along, across = 1.6 * away, QPointF(-away.y(), away.x())
        self._fill_with(ink)
        self.painter.drawPolygon(QPolygonF([end, end + along + across, end + along - across]))

    def pulse(self, points: Sequence[QPointF], progress: float) -> None:
        """Draws a pulse on its way along a line, but not at its ends or with reduced motion."""
        if not self.now.travels or not 0 < progress < 1:
            return
        path = QPainterPath()
        path.addPolygon(QPolygonF(points))
        self.painter.setPen(self.now.pen("surface", 2))
        self.painter.setBrush(self.now.color("accent"))
        side = self.now.px(PULSE)
        self.painter.drawEllipse(path.pointAtPercent(theme.ease_out(progress)), side, side)
