"""Vectors as rows of small bars. They are rendered once, so the steps only move pixmaps."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from explorer import theme


class Strips:
    """Rows (n, D) in one role's color: positive bars go up, solid; negative ones go down, lighter.
    The absolute value `limit` has the full length; `height` is the px of a row.
    """

    def __init__(
        self, values: np.ndarray, role: str, limit: float, width: float, height: float, ratio: float
    ) -> None:
        self.values = np.atleast_2d(values)
        self.width = width
        self.height = height
        self._ratio = ratio
        self.pixmap = theme.device_pixmap(width, height * len(self.values), ratio)
        painter = QPainter(self.pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        self._render(painter, role, limit or 1.0)
        painter.end()

    def _render(self, painter: QPainter, role: str, limit: float) -> None:
        now, count = theme.current(), len(self.values)
        middles = (np.arange(count) + 0.5) * self.height
        painter.setBrush(now.color("divider"))
        painter.drawRects([QRectF(0, y - 0.25, self.width, 0.5) for y in middles.tolist()])
        pitch = self.width / self.values.shape[1]
        wide = pitch - (1.0 if pitch >= 3 else 0.0)
        reach = self.height / 2 - 0.5
        lengths = np.clip(np.abs(self.values) / limit, 0.0, 1.0) * reach  # (n, D)
        tops = middles[:, None] - np.where(self.values >= 0, lengths, 0.0)
        for shown, alpha in ((self.values >= 0, 1.0), (self.values < 0, 0.68)):
            rows, places = np.nonzero(shown & (lengths >= 0.2))
            bars = np.stack([places * pitch, tops[rows, places], lengths[rows, places]], axis=1)
            if len(bars):
                painter.setBrush(now.color(role, alpha))
                painter.drawRects([QRectF(x, y, wide, length) for x, y, length in bars.tolist()])

    def draw(
        self,
        painter: QPainter,
        row: int,
        x: float,
        y: float,
        *,
        width: float | None = None,
        scale: float = 1.0,
        alpha: float = 1.0,
    ) -> None:
        """Draws row `row` with its top left at (x, y); `scale` shrinks bars about their middle."""
        if alpha <= 0.004:
            return
        height = self.height * max(scale, 0.02)
        ratio = self._ratio
        source = QRectF(0, row * self.height * ratio, self.width * ratio, self.height * ratio)
        target = QRectF(x, y + (self.height - height) / 2, width or self.width, height)
        painter.setOpacity(alpha)
        painter.drawPixmap(target, self.pixmap, source)
        painter.setOpacity(1.0)

    def draw_all(self, painter: QPainter, x: float, y: float, alpha: float = 1.0) -> None:
        if alpha > 0.004:
            painter.setOpacity(alpha)
            painter.drawPixmap(QPointF(x, y), self.pixmap)
            painter.setOpacity(1.0)
