"""Vectors as rows of small bars, rendered once: the steps then only move pixmaps."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

from explorer import theme


class Strips:
    """Rows (n, D) in one role's color: up is positive and full, down is negative and lighter."""

    def __init__(
        self,
        values: np.ndarray,
        role: str,
        limit: float,
        width: float,
        height: float,
        ratio: float,
    ) -> None:
        self.values = np.atleast_2d(values)
        self.width = width
        self.height = height
        self._ratio = ratio
        self.pixmap = self._render(role, limit or 1.0)

    def _render(self, role: str, limit: float) -> QPixmap:
        now = theme.current()
        count, size = self.values.shape
        pixmap = theme.device_pixmap(self.width, self.height * count, self._ratio)
        pitch = self.width / size
        gap = 1.0 if pitch >= 3 else 0.0
        reach = self.height / 2 - 0.5
        lengths = np.clip(np.abs(self.values) / limit, 0.0, 1.0) * reach
        up: list[QRectF] = []
        down: list[QRectF] = []
        for row in range(count):
            middle = (row + 0.5) * self.height
            for place, (value, length) in enumerate(
                zip(self.values[row].tolist(), lengths[row].tolist(), strict=True)
            ):
                if length < 0.2:
                    continue
                x = place * pitch
                if value >= 0:
                    up.append(QRectF(x, middle - length, pitch - gap, length))
                else:
                    down.append(QRectF(x, middle, pitch - gap, length))
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("divider"))
        painter.drawRects(
            [QRectF(0, (row + 0.5) * self.height - 0.25, self.width, 0.5) for row in range(count)]
        )
        painter.setBrush(now.color(role))
        if up:
            painter.drawRects(up)
        painter.setBrush(now.color(role, 0.68))
        if down:
            painter.drawRects(down)
        painter.end()
        return pixmap

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
        """Row `row` with its top left at (x, y); `scale` shrinks its bars about their middle."""
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
