"""The output plotted along one input: the gradient is its slope, and a nudge tests it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number
from explorer import theme
from explorer.panes.backprop.expression.what_if import WhatIf
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture, elide, put_text

DOT, BESIDE = 4.0, 6.0  # px; a dot at the border is drawn in full
TITLE = 14  # px of the line above the curve
FAR = 100.0  # times the curve's height: the tangent is cut beyond it


class CurvePicture(Picture):
    """Plots `set_what_if(what)`; None shows nothing. Dragging sets the input to the pointer's x.

    moved(value)    the new value of the input
    released()      the drag has ended
    """

    moved = Signal(float)
    released = Signal()

    def __init__(self, name: str = "The output along one input", parent: QWidget | None = None):
        super().__init__(name, parent)
        self._what: WhatIf | None = None
        self._output = "L"
        self._heights = (-1.0, 1.0)
        self._hovered: float | None = None  # x under the pointer
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setToolTip("Drag sideways to move the input along its curve")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_what_if(self, what: WhatIf | None, output: str = "L") -> None:
        self._what, self._output = what, output
        if what is not None:
            self.setAccessibleDescription(
                f"{output} against {what.called}: at {what.called} = {format_number(what.value)}, "
                f"{output} is {format_number(what.result)} and the slope is "
                f"{format_number(what.gradient)}"
            )
        if what is not None and what.curve is not None:
            self._heights = what.curve.heights(what.result)
        self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        what = self._what
        if what is None or what.curve is None:
            return {}
        tangent = what.result + what.gradient * (what.curve.xs - what.value)
        return Columns(
            {what.called: what.curve.xs, self._output: what.curve.ys, "tangent": tangent}
        )

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(220), theme.current().px(104))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(32), theme.current().px(64))

    def draw(self, painter: QPainter) -> None:
        what, now = self._what, theme.current()
        if what is None or what.curve is None:
            return
        if np.isfinite(what.curve.ys).sum() < 2:
            words = f"{self._output} is not finite here"
            put_text(painter, QRectF(self.rect()), words, now.font("label"), now.color("muted"))
            return
        area = self._area()
        self._draw_axes(painter, area, what)
        painter.save()
        painter.setClipRect(area.adjusted(-1, -3, 1, 3))
        painter.setPen(now.pen(now.series(0), 2))
        for run in what.curve.runs(*self._heights):
            painter.drawPolyline(self._at(what.curve.xs[run], what.curve.ys[run]))
        known = np.isfinite(what.result) and np.isfinite(what.gradient)
        pen = now.pen(now.series(1) if known else now.color("warning"), 1.5)
        pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        if known:
            low, high = self._heights
            reach = FAR * (high - low) / max(abs(what.gradient), 1e-300)
            ends = np.clip(what.curve.xs[[0, -1]], what.value - reach, what.value + reach)
            tangent = what.result + what.gradient * (ends - what.value)
            painter.drawPolyline(self._at(ends, tangent))
        else:  # no slope without a value
            painter.drawPolyline(self._at([what.value] * 2, self._heights))
        painter.restore()
        if known:
            painter.setClipRect(area.adjusted(-BESIDE, -BESIDE, BESIDE, BESIDE))
            self._draw_nudge(painter, what)
            painter.setClipping(False)

    def _at(self, xs, ys) -> QPolygonF:
        """Returns points of the plot in widget coordinates; distant ones are clipped."""
        assert self._what is not None and self._what.curve is not None
        area, (low, high), curve = self._area(), self._heights, self._what.curve.xs
        far = FAR * (high - low)
        heights = np.clip(ys, low - far, high + far)
        x = area.left() + (np.asarray(xs) - curve[0]) / (curve[-1] - curve[0]) * area.width()
        y = area.bottom() - (heights - low) / (high - low) * area.height()
        return QPolygonF(list(map(QPointF, x.tolist(), y.tolist())))

    def _draw_nudge(self, painter: QPainter, what: WhatIf) -> None:
        """Draws where the tangent predicts a nudge leads, and where it really leads."""
        now = theme.current()
        x = what.value + what.nudge
        ends = [what.result + what.predicted, what.result + what.true]
        if what.nudge and np.isfinite(ends).all():
            said, true = self._at([x, x], ends)
            painter.setPen(now.pen("muted", 1.5))
            painter.drawLine(said, true)
            painter.setPen(now.pen(now.series(1), 2))
            painter.setBrush(now.color("surface"))
            painter.drawEllipse(said, DOT, DOT)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(now.series(0))
            painter.drawEllipse(true, DOT, DOT)
        painter.setPen(now.pen("surface", 1.5))
        painter.setBrush(now.color("text"))
        painter.drawEllipse(self._at([what.value], [what.result])[0], DOT + 1, DOT + 1)

    def _draw_axes(self, painter: QPainter, area: QRectF, what: WhatIf) -> None:
        """Draws the axes, with a rule under the pointer and the curve's value there."""
        now, curve = theme.current(), what.curve
        assert curve is not None
        small, muted = now.font("label"), now.color("muted")
        painter.setPen(now.pen("divider", 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.bottomLeft())
        below = QRectF(area.left(), area.bottom() + 1, area.width(), now.px(15))
        ends = format_number(curve.xs[0]), format_number(curve.xs[-1])
        put_text(painter, below, ends[0], small, muted, LEFT)
        put_text(painter, below, ends[1], small, muted, RIGHT)
        wide = now.metrics("label").horizontalAdvance
        if below.width() / 2 - max(map(wide, ends)) > wide(what.called) / 2 + now.px(4):
            put_text(painter, below, what.called, small, muted)
        title, role = self.title, "muted"
        if self._hovered is not None:
            share = (self._hovered - curve.xs[0]) / (curve.xs[-1] - curve.xs[0])
            x = area.left() + float(share) * area.width()
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            there = format_number(float(np.interp(self._hovered, curve.xs, curve.ys)))
            title = f"{what.called} {format_number(self._hovered)}: {self._output} {there}"
            role = "text"
        above = QRectF(area.left() + 3, 0, area.width(), now.px(TITLE))
        put_text(painter, above, elide(title, small, above.width()), small, now.color(role), LEFT)

    @property
    def title(self) -> str:
        """The largest y in the picture; the curve may continue above."""
        assert self._what is not None and self._what.curve is not None
        ys = self._what.curve.ys
        most = float(np.max(ys, initial=-np.inf, where=np.isfinite(ys)))
        return f"highest {self._output}: {format_number(min(self._heights[1], most))}"

    # the mouse

    def _area(self) -> QRectF:
        now = theme.current()
        above = now.px(TITLE) + BESIDE
        return QRectF(self.rect()).adjusted(now.px(6), above, -now.px(6), -now.px(16))

    def _value_at(self, x: float) -> float | None:
        """Returns the input value at x of the widget, to the precision of a pixel."""
        if self._what is None or self._what.curve is None:
            return None
        area, xs = self._area(), self._what.curve.xs
        share = min(1.0, max(0.0, (x - area.left()) / max(1.0, area.width())))
        return float(f"{float(xs[0] + share * (xs[-1] - xs[0])):.3g}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        value = self._value_at(event.position().x())
        if value is None or event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
        else:
            self.moved.emit(value)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hovered = self._value_at(event.position().x())
        if self._hovered is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.moved.emit(self._hovered)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.released.emit()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()
