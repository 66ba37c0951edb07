"""A small line plot: name, current value, two axes with few numbers; shares the losses' x axis.

It is custom-painted: beside the large plot, four more pyqtgraph scenes would take most of a frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Columns, Picture, elide, put_text
from explorer.widgets.plots.data import Series, columns_of
from explorer.widgets.plots.limits import held_span, whole_span
from explorer.widgets.plots.math import decimate, linear_ticks, nice_limits, smooth, tick_texts


class SmallPlot(Picture):
    """Emits `clicked(x)`. Smoothing is 0..1; the raw line stays faint behind the smoothed one.

    `write` formats the value; `unit` returns the size and name of the unit of the left axis (456
    MB); with `noisy` lone spikes may be beyond the axis, as they would flatten all the rest.
    """

    clicked = Signal(float)

    def __init__(
        self,
        title: str,
        color: int,
        write: Callable[[float], str],
        unit: Callable[[float], tuple[float, str]] | None = None,
        noisy: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, parent)
        self._title, self._color, self._write = title, color, write
        self._unit, self._noisy = unit, noisy
        self._x = self._y = np.empty(0)
        self._other: tuple[np.ndarray, np.ndarray] | None = None
        self._strength = 0.0
        self._smooth = self._other_smooth = np.empty(0)
        self._range = (0.0, 1.0)
        self.limits: tuple[float, float] | None = None
        self._cursor: float | None = None
        self._hover: float | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_line(
        self, x: np.ndarray, y: np.ndarray, other: tuple[np.ndarray, np.ndarray] | None = None
    ) -> None:
        self._x, self._y, self._other = np.asarray(x, float), np.asarray(y, float), other
        self._other_smooth = smooth(np.asarray(other[1], float), 0.9) if other else np.empty(0)
        self._smooth = smooth(self._y, self._strength)
        self.limits = self._wanted_limits()
        self.setAccessibleDescription(self.value_text)
        self.data_changed()

    def set_smoothing(self, strength: float) -> None:
        if strength != self._strength:
            self._strength = strength
            self._smooth = smooth(self._y, strength)
            self.limits = self._wanted_limits()
            self.data_changed()

    def set_x_range(self, low: float, high: float) -> None:
        self._range = (low, max(high, low + 1))
        self.update()

    def set_cursor(self, x: float | None) -> None:
        if x != self._cursor:
            self._cursor = x
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        shown = {self._title: np.stack([self._x, self._y], axis=1)}
        if self._other is not None:
            shown["other run"] = np.stack(self._other, axis=1)
        return shown

    def as_columns(self) -> Columns:
        own = Series(self._title, self._x, self._y)
        others = [Series("other run", *self._other)] if self._other is not None else []
        return columns_of("step", [*others, own])

    def table_labels(self) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
        return {name: ((), ("step", name)) for name in self.displayed()}

    @property
    def value_text(self) -> str:
        """The value at the pointer, at the cursor, or the newest."""
        at = self._hover if self._hover is not None else self._cursor
        if not len(self._x):
            return "\u2013"
        index = len(self._x) - 1
        if at is not None:
            index = int(np.clip(np.searchsorted(self._x, at), 0, index))
        value = float(self._y[index])
        return self._write(value) if np.isfinite(value) else "\u2013"

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(160), theme.current().px(104))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(112), theme.current().px(80))

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        rect = self._rect()
        value = self.value_text
        wide = now.metrics("label", 600).horizontalAdvance(value) + now.px(2)
        head = QRectF(0, 0, self.width() - 2, now.px(16))
        title = elide(self._title, now.font("label"), head.width() - wide)
        put_text(painter, head, title, now.font("label"), now.color("muted"), LEFT)
        put_text(painter, head, value, now.font("label", 600), now.color("text"), RIGHT)
        limits = self.limits
        self._draw_axes(painter, rect)
        if limits is None:
            return
        ink = now.series(self._color)
        painter.save()
        painter.setClipRect(rect.adjusted(-1, -2, 2, 1))
        if self._other is not None:
            x, muted = self._other[0], now.color("muted")
            self._draw_line(painter, rect, limits, x, self._other_smooth, muted, 1, True)
        if self._strength:
            faint = QColor(ink)
            faint.setAlphaF(theme.RAW_OPACITY)
            self._draw_line(painter, rect, limits, self._x, self._y, faint, 1)
        self._draw_line(painter, rect, limits, self._x, self._smooth, ink, 2)
        for at, role in ((self._cursor, "text"), (self._hover, "outline")):
            if at is not None:
                painter.setPen(now.pen(role, 1.5))
                x = self._map_x(at, rect)
                painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        painter.restore()

    def _wanted_limits(self) -> tuple[float, float] | None:
        """Returns limits around all that is drawn, for a noisy line without lone spikes."""
        span_of = held_span if self._noisy else whole_span
        spans = [span_of(self._y)]
        if self._other is not None:
            spans.append(span_of(self._other_smooth))
        low, high = min(low for low, _ in spans), max(high for _, high in spans)
        return nice_limits(low, high) if low <= high else None

    def ticks(self) -> list[tuple[float, str]]:
        """Returns two or three values of the left axis with their numbers."""
        if self.limits is None:
            return []
        ticks = linear_ticks(*self.limits, 3)
        most = 3 if self.height() >= theme.current().px(100) else 2
        ticks = ticks if len(ticks) <= most else ticks[:: len(ticks) - 1]
        size, name = self._unit(max(ticks)) if self._unit and ticks else (1.0, "")
        words = tick_texts([tick / size for tick in ticks])
        return [(tick, f"{word} {name}".rstrip()) for tick, word in zip(ticks, words, strict=True)]

    def _draw_axes(self, painter: QPainter, rect: QRectF) -> None:
        """Draws left and bottom axis, and a faint line at every number of the left one."""
        now = theme.current()
        font, muted, high = now.font("label"), now.color("muted"), now.px(14)
        if self.limits is not None:
            low, top = self.limits
            for tick, text in self.ticks():
                y = rect.bottom() - (tick - low) / (top - low) * rect.height()
                painter.setPen(now.pen("text", 1, theme.GRID_OPACITY))
                painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
                place = QRectF(0, y - high / 2, rect.left() - now.px(4), high)
                put_text(painter, place, text, font, muted, RIGHT)
        painter.setPen(now.pen("outline"))
        painter.drawLine(rect.topLeft(), rect.bottomLeft())
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        ticks = linear_ticks(*self._range, 2, whole=True)[:3]
        for tick, text in zip(ticks, tick_texts(ticks), strict=True):
            x = float(self._map_x(tick, rect))
            wide = now.metrics("label").horizontalAdvance(text) + 2
            left = min(x - wide / 2, rect.right() + 2 - wide)
            put_text(painter, QRectF(left, rect.bottom() + 2, wide, high), text, font, muted)

    def _draw_line(
        self,
        painter: QPainter,
        rect: QRectF,
        limits: tuple[float, float],
        x: np.ndarray,
        y: np.ndarray,
        color: QColor,
        width: float,
        dashed: bool = False,
    ) -> None:
        x, y, bucket = decimate(x, np.asarray(y, float), max(32, int(rect.width() / 2)))
        if bucket > 20 and self._strength:
            width = 1  # thick zigzags cost the most
        low, high = limits
        left = self._map_x(x, rect)
        top = rect.bottom() - (y - low) / max(1e-30, high - low) * rect.height()
        pen = theme.current().pen(color, width)
        pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)
        if dashed:
            pen.setDashPattern([4.0, 3.0])
        painter.setPen(pen)
        known = np.isfinite(top)
        edges = np.flatnonzero(np.diff(np.r_[0, known.astype(np.int8), 0]))
        points = np.stack([left, np.where(known, top, 0.0)], axis=1).tolist()
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in points[start:end]]))

    def _rect(self) -> QRectF:
        """Returns the area inside the axes."""
        now = theme.current()
        numbers = [now.metrics("label").horizontalAdvance(text) for _, text in self.ticks()]
        left, top = round(max(numbers, default=0.0)) + now.px(6), now.px(24)
        wide, high = self.width() - left - 2, self.height() - top - now.px(18)
        return QRectF(left, top, max(1.0, wide), max(1.0, high))

    def _map_x(self, x, rect: QRectF):  # type: ignore[no-untyped-def]
        low, high = self._range
        return rect.left() + (x - low) / (high - low) * rect.width()

    def _at(self, pixel: float) -> float:
        rect, (low, high) = self._rect(), self._range
        return low + (pixel - rect.left()) / rect.width() * (high - low)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hover(self._at(event.position().x()))

    def leaveEvent(self, event: object) -> None:
        self._set_hover(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(self._at(event.position().x()))

    def _set_hover(self, x: float | None) -> None:
        if x != self._hover:
            self._hover = x
            at = "" if x is None else f"step {max(0, round(x)):,}: {self.value_text}"
            self.setToolTip(at)
            self.update()
