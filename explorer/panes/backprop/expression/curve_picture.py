"""L as a function of one leaf, with its tangent: the gradient is the slope, a nudge tests it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.panes.backprop.expression.sampling import Curve
from explorer.panes.backprop.expression.whatif import HUGE, WhatIf, heights_of
from explorer.panes.backprop.expression.writing import numeral
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture, elide, put_text

DOT, BESIDE = 4.0, 6.0  # a dot at the edge is seen whole
TITLE = 14  # px of the line above the curve
COVERED = 0.55  # of a line's color has the ground that a curve covers
FARTHEST = 2 * HUGE  # a difference of two such numbers is one still
TOLD, MOSTLY = 0.01, 0.7  # shares of the width in which it swings too fast
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
        self._shapes: list[tuple[QPolygonF, bool]] = []  # of the curve, as it was drawn last, ...
        self._shaped: tuple[Curve, QRectF, float, float] | None = None  # and where
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setToolTip("Drag sideways to move the input along its curve")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_what_if(self, what: WhatIf | None, output: str = "L") -> None:
        self._what, self._output = what, output
        if what is not None:
            self.setAccessibleDescription(
                f"{output} against {what.called}: at {numeral(what.value)} it is "
                f"{numeral(what.result)}, with slope {numeral(what.gradient)}"
            )
        self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        if self._what is None:
            return {}
        tangent = self._what.result + self._what.gradient * (self._what.xs - self._what.value)
        return Columns(
            {self._what.called: self._what.xs, self._output: self._what.ys, "tangent": tangent}
        )

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(220), theme.current().px(104))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(120), theme.current().px(64))

    def draw(self, painter: QPainter) -> None:
        what = self._what
        if what is None:
            return
        now = theme.current()
        area = self._area()
        if np.isfinite(what.ys).sum() < 2:
            words = f"{self._output} is not finite here"
            put_text(painter, QRectF(self.rect()), words, now.font("label"), now.color("muted"))
            return
        low, high = heights_of(what.curve, what.value, what.result)
        ends = (low, high, what.result if np.isfinite(what.result) else 0.0)
        if max(map(abs, ends)) >= HUGE:
            words = f"{self._output} is too large to be drawn here"
            put_text(painter, QRectF(self.rect()), words, now.font("label"), now.color("muted"))
            return
        x0, x1 = float(what.xs[0]), float(what.xs[-1])

        def at(x: float, y: float) -> QPointF:
            y = min(max(y, -FARTHEST), FARTHEST)
            return QPointF(
                area.left() + (x - x0) / (x1 - x0) * area.width(),
                area.bottom() - (y - low) / (high - low) * area.height(),
            )

        self._draw_axes(painter, area, what, low, high)
        self._draw_readout(painter, area, what)
        painter.save()
        painter.setClipRect(area.adjusted(-1, -3, 1, 3))
        self._draw_curve(painter, what.curve, area, low, high)
        known = np.isfinite(what.result) and np.isfinite(what.gradient)
        pen = now.pen(now.series(1) if known else now.color("warning"), 1.5)
        pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        if known:
            slope, beyond = what.gradient, FAR * (high - low)
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

    def _draw_curve(
        self, painter: QPainter, curve: Curve, area: QRectF, low: float, high: float
    ) -> None:
        """A line; where it swings faster than can be drawn, the ground that it covers."""
        now = theme.current()
        if self._shaped != (curve, area, low, high):
            self._shaped = (curve, area, low, high)
            self._shapes = _shapes(curve, area, low, high)
        for shape, swings in self._shapes:
            if swings:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.mix(now.color("window"), now.series(0), COVERED))
                painter.drawPolygon(shape)
            else:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(now.pen(now.series(0), 2))
                painter.drawPolyline(shape)
        painter.setBrush(Qt.BrushStyle.NoBrush)

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
        self, painter: QPainter, area: QRectF, what: WhatIf, low: float, high: float
    ) -> None:
        now = theme.current()
        small, muted = now.font("label"), now.color("muted")
        painter.setPen(now.pen("divider", 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.bottomLeft())
        below = QRectF(area.left(), area.bottom() + 1, area.width(), now.px(15))
        ends = numeral(what.xs[0]), numeral(what.xs[-1])
        put_text(painter, below, ends[0], small, muted, LEFT)
        put_text(painter, below, ends[1], small, muted, RIGHT)
        wide = now.metrics("label").horizontalAdvance
        if below.width() / 2 - max(map(wide, ends)) > wide(what.called) / 2 + now.px(4):
            put_text(painter, below, what.called, small, muted)
        if self._hovered is None:
            self._draw_title(painter, area, self._titles(what, high), "muted")

    def _titles(self, what: WhatIf, high: float) -> tuple[str, ...]:
        """What is said above the curve, from long to short."""
        share = what.curve.swinging
        if share <= TOLD:
            return (f"{self._output} up to {numeral(self._most(what, high))}",)
        where = "" if share > MOSTLY else ", in places"
        return (
            f"{self._output} swings faster than can be drawn{where}",
            f"{self._output} swings too fast{where}",
            f"swings too fast{where}",
            "swings too fast",
        )

    def _draw_title(self, painter: QPainter, area: QRectF, words: Sequence[str], role: str) -> None:
        """The first that has room; the curve's dots do not reach it."""
        now = theme.current()
        small, above = now.font("label"), QRectF(area.left() + 3, 0, area.width(), now.px(TITLE))
        wide = now.metrics("label").horizontalAdvance
        title = next((one for one in words if wide(one) <= above.width()), words[-1])
        put_text(painter, above, elide(title, small, above.width()), small, now.color(role), LEFT)

    def _most(self, what: WhatIf, high: float) -> float:
        """The highest of the curve, unless it goes on above the picture."""
        return min(high, float(np.max(what.ys, initial=-np.inf, where=np.isfinite(what.ys))))

    def _draw_readout(self, painter: QPainter, area: QRectF, what: WhatIf) -> None:
        """A rule under the pointer, and what is there."""
        if self._hovered is None:
            return
        now = theme.current()
        share = (self._hovered - what.xs[0]) / (what.xs[-1] - what.xs[0])
        x = area.left() + float(share) * area.width()
        painter.setPen(now.pen("divider", 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        words = f"{what.called} {numeral(self._hovered)}: {self._output} {self._there(what)}"
        self._draw_title(painter, area, (words,), "text")

    def _there(self, what: WhatIf) -> str:
        """How high the curve is under the pointer; between which heights it swings there."""
        assert self._hovered is not None
        piece = int(np.searchsorted(what.xs, self._hovered)) - 1
        for first, last, swings in what.curve.runs:
            if swings and first <= piece < last:
                low, high = what.curve.covered(first, last)
                return f"{numeral(low[piece - first])} to {numeral(high[piece - first])}"
        return numeral(float(np.interp(self._hovered, what.xs, what.ys)))

    # the mouse

    def _area(self) -> QRectF:
        now = theme.current()
        above = now.px(TITLE) + BESIDE
        return QRectF(self.rect()).adjusted(now.px(6), above, -now.px(6), -now.px(16))

    def _at(self, x: float) -> float:
        """The value under a place of the widget, with as many digits as a pixel can tell."""
        assert self._what is not None
        area, xs = self._area(), self._what.xs
        share = min(1.0, max(0.0, (x - area.left()) / max(1.0, area.width())))
        value = float(xs[0] + share * (xs[-1] - xs[0]))
        return float(f"{value:.3g}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._what is None or event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        self.moved.emit(self._at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._what is None:
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


def _shapes(curve: Curve, area: QRectF, low: float, high: float) -> list[tuple[QPolygonF, bool]]:
    """Of each run: its line, or, where it swings faster than can be drawn, what it covers."""
    beyond = FAR * (high - low)  # no coordinate is so large that it cannot be drawn
    least, most = max(low - beyond, -FARTHEST), min(high + beyond, FARTHEST)
    x0, x1 = curve.xs[0], curve.xs[-1]
    across = area.left() + (curve.xs - x0) / (x1 - x0) * area.width()

    def points(first: int, ys: np.ndarray) -> list[QPointF]:
        down = area.bottom() - (ys.clip(least, most) - low) / (high - low) * area.height()
        return list(map(QPointF, across[first : first + ys.size].tolist(), down.tolist()))

    found = []
    for first, last, swings in curve.runs:
        if swings:
            bottom, top = curve.covered(first, last)
            shape = QPolygonF(points(first, bottom) + points(first, top)[::-1])
        else:
            shape = QPolygonF(points(first, curve.ys[first : last + 1]))
        found.append((shape, swings))
    return found
