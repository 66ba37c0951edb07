"""A small line plot of the output after each gradient step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number
from core.tokenization.telling import count
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture, put_text


class LossPicture(Picture):
    """Plots `set_losses(losses, name)`."""

    def __init__(self, name: str = "The output after each step", parent: QWidget | None = None):
        super().__init__(name, parent)
        self._losses: np.ndarray = np.zeros(0)
        self._output = "L"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_losses(self, losses: Sequence[float], output: str) -> None:
        found = np.array(losses, dtype=np.float64)
        if output == self._output and np.array_equal(found, self._losses, equal_nan=True):
            return
        self._losses, self._output = found, output
        if self._losses.size:
            first, last = format_number(self._losses[0]), format_number(self._losses[-1])
            steps = count(self._losses.size - 1, "step")
            self.setAccessibleDescription(f"{output} went from {first} to {last} in {steps}")
        self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        if not self._losses.size:
            return {}
        return Columns({"step": np.arange(self._losses.size), self._output: self._losses})

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(180), theme.current().px(104))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(32), theme.current().px(64))

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        small, muted = now.font("label"), now.color("muted")
        area = QRectF(self.rect()).adjusted(now.px(6), now.px(15), -now.px(6), -now.px(16))
        painter.setPen(now.pen("divider", 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.bottomLeft())
        below = QRectF(area.left(), area.bottom() + 1, area.width(), now.px(15))
        finite = self._losses[np.isfinite(self._losses)]
        if not finite.size:
            painter.setFont(small)
            painter.setPen(muted)
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area, wrapped, "no steps yet")
            return
        low, high = float(finite.min()), float(finite.max())
        if high - low < 1e-12:
            low, high = low - 1, high + 1
        steps = max(1, self._losses.size - 1)
        points = [
            QPointF(
                area.left() + step / steps * area.width(),
                area.bottom() - (loss - low) / (high - low) * area.height(),
            )
            for step, loss in enumerate(self._losses)
            if np.isfinite(loss)
        ]
        painter.setPen(now.pen(now.series(0), 2))
        painter.drawPolyline(QPolygonF(points))
        painter.setBrush(now.series(0))
        painter.drawEllipse(points[-1], 3, 3)
        put_text(painter, below, "step 0", small, muted, LEFT)
        put_text(painter, below, str(self._losses.size - 1), small, muted, RIGHT)
        above = QRectF(area.left() + 3, area.top() - now.px(15), area.width(), now.px(14))
        put_text(painter, above, f"{self._output}  {format_number(high)}", small, muted, LEFT)
