"""L as a function of one leaf, with its tangent: the gradient is the slope, a nudge tests it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.panes.backprop.expression.curve import HUGE, Curve
from explorer.panes.backprop.expression.number_text import numeral
from explorer.panes.backprop.expression.what_if import WhatIf
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture, elide, put_text

DOT, BESIDE = 4.0, 6.0  # a dot at the edge is seen whole
TITLE = 14  # px of the line above the curve
FARTHEST = 2 * HUGE  # a difference of two such numbers is one still
FAR = 100.0  # times the curve's height: further it is not drawn


class CurvePicture(Picture):
    """`set_what_if(what)`; None shows nothing. Dragged, the input goes where the pointer is.

    moved(value)    the input is to have this value
    released()      the drag is over
    """

    moved = Signal(float)
    released = Signal()

    def __init__(self, name: str = "The output along one input", parent: QWidget | None = None):
        super().__init__(name, parent)
        self._what: WhatIf | None = None
        self._output = "L"
        self._hovered: float | None = None  # x under the pointer
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setToolTip("Drag sideways to move the input along its curve")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def _curve(self) -> Curve | None:
        return self._what.curve if self._what is not None else None

    def set_what_if(self, what: WhatIf | None, output: str = "L") -> None:
        self._what, self._output = what, output
        if what is not None:
            self.setAccessibleDescription(
                f"{output} against {what.called}: at {numeral(what.value)} it is "
                f"{numeral(what.result)}, with slope {numeral(what.gradient)}"
            )
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
        what, curve = self._what, self._curve
        if what is None or curve is None:
            return
        low, high = curve.heights(what.value, what.result)
        ends = (low, high, what.result if np.isfinite(what.result) else 0.0)
        if np.isfinite(curve.ys).sum() < 2:
            self._draw_words(painter, f"{self._output} is not finite here")
        elif max(map(abs, ends)) >= HUGE:
            self._draw_words(painter, f"{self._output} is too large to be drawn here")
        else:
            self._draw_plot(painter, what, curve, low, high)

    def _draw_words(self, painter: QPainter, words: str) -> None:
        now = theme.current()
        put_text(painter, QRectF(self.rect()), words, now.font("label"), now.color("muted"))

    def _draw_plot(
        self, painter: QPainter, what: WhatIf, curve: Curve, low: float, high: float
    ) -> None:
        now, area = theme.current(), self._area()
        x0, x1 = float(curve.xs[0]), float(curve.xs[-1])
        beyond = FAR * (high - low)  # no coordinate is so large that it cannot be drawn
        least, most = max(low - beyond, -FARTHEST), min(high + beyond, FARTHEST)

        def at(x: float, y: float) -> QPointF:
            y = min(max(y, least), most)
            return QPointF(
                area.left() + (x - x0) / (x1 - x0) * area.width(),
                area.bottom() - (y - low) / (high - low) * area.height(),
            )

        self._draw_axes(painter, area, what, curve, high)
        painter.save()
        painter.setClipRect(area.adjusted(-1, -3, 1, 3))
        painter.setPen(now.pen(now.series(0), 2))
        for run in curve.runs(low, high):
            points = zip(curve.xs[run].tolist(), curve.ys[run].tolist(), strict=True)
            painter.drawPolyline(QPolygonF([at(x, y) for x, y in points]))
        known = np.isfinite(what.result) and np.isfinite(what.gradient)
        pen = now.pen(now.series(1) if known else now.color("warning"), 1.5)
        pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        if known:
            slope = what.gradient
            reach = beyond / abs(slope) if slope else np.inf
            ends = max(x0, what.value - reach), min(x1, what.value + reach)
            painter.drawLine(*(at(x, what.result + slope * (x - what.value)) for x in ends))
        else:  # there is no slope where there is no value
            painter.drawLine(at(what.value, low), at(what.value, high))
        painter.restore()
        if known:
            painter.setClipRect(area.adjusted(-BESIDE, -BESIDE, BESIDE, BESIDE))
            self._draw_nudge(painter, at, what)
            painter.setClipping(False)

    def _draw_nudge(self, painter: QPainter, at, what: WhatIf) -> None:
        """Where the tangent says that a nudge leads, and where it does lead."""
        now = theme.current()
        here = at(what.value, what.result)
        x = what.value + what.nudge
        painter.setPen(Qt.PenStyle.NoPen)
        if what.nudge and np.isfinite(what.true) and np.isfinite(what.predicted):
            said = at(x, what.result + what.predicted)
            true = at(x, what.result + what.true)
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
        painter.drawEllipse(here, DOT + 1, DOT + 1)

    def _draw_axes(
        self, painter: QPainter, area: QRectF, what: WhatIf, curve: Curve, high: float
    ) -> None:
        """With a rule under the pointer, and what the curve is there."""
        now = theme.current()
        small, muted = now.font("label"), now.color("muted")
        painter.setPen(now.pen("divider", 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.bottomLeft())
        below = QRectF(area.left(), area.bottom() + 1, area.width(), now.px(15))
        ends = numeral(curve.xs[0]), numeral(curve.xs[-1])
        put_text(painter, below, ends[0], small, muted, LEFT)
        put_text(painter, below, ends[1], small, muted, RIGHT)
        wide = now.metrics("label").horizontalAdvance
        if below.width() / 2 - max(map(wide, ends)) > wide(what.called) / 2 + now.px(4):
            put_text(painter, below, what.called, small, muted)
        title, role = self._title(curve, high), "muted"
        if self._hovered is not None:
            share = (self._hovered - curve.xs[0]) / (curve.xs[-1] - curve.xs[0])
            x = area.left() + float(share) * area.width()
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            there = numeral(float(np.interp(self._hovered, curve.xs, curve.ys)))
            title = f"{what.called} {numeral(self._hovered)}: {self._output} {there}"
            role = "text"
        above = QRectF(area.left() + 3, 0, area.width(), now.px(TITLE))
        put_text(painter, above, elide(title, small, above.width()), small, now.color(role), LEFT)

    def _title(self, curve: Curve, high: float) -> str:
        """What is said above the curve."""
        if curve.is_too_fast:
            return f"{self._output} swings too fast to be drawn"
        most = float(np.max(curve.ys, initial=-np.inf, where=np.isfinite(curve.ys)))
        return f"{self._output} up to {numeral(min(high, most))}"  # it may go on above the picture

    # the mouse

    def _area(self) -> QRectF:
        now = theme.current()
        above = now.px(TITLE) + BESIDE
        return QRectF(self.rect()).adjusted(now.px(6), above, -now.px(6), -now.px(16))

    def _at(self, x: float) -> float:
        """The value under a place of the widget, with as many digits as a pixel can tell."""
        assert self._curve is not None
        area, xs = self._area(), self._curve.xs
        share = min(1.0, max(0.0, (x - area.left()) / max(1.0, area.width())))
        value = float(xs[0] + share * (xs[-1] - xs[0]))
        return float(f"{value:.3g}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._curve is None or event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        self.moved.emit(self._at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._curve is None:
            return
        self._hovered = self._at(event.position().x())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.moved.emit(self._hovered)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.released.emit()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()
