"""A line plot of long, growing series: left and bottom axis, direct labels, hover rule, log axis.

Painted here, not by a plotting library: it costs no import at start and no pen outside the theme,
and 100,000 points take a few milliseconds because only what the pixels can show is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import RIGHT, Picture, elide, put_text
from explorer.widgets.plot_data import (
    Series,
    shown_lines,
    still_fits,
    values_at,
    wanted_limits,
    with_room,
)
from explorer.widgets.plot_labels import draw_axes, draw_end_labels, draw_readout
from explorer.widgets.plot_math import linear_ticks, log_ticks
from explorer.widgets.plot_scale import UNIT, line_pixels, map_x, map_y, pieces, stroke

__all__ = ["LinePlot", "Series"]


class LinePlot(Picture):
    """Several `Series` on one pair of axes. Intents: `hovered` and `clicked` with an x value."""

    hovered = Signal(float)  # NaN when the pointer left
    clicked = Signal(float)

    def __init__(self, name: str = "Plot", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._series: list[Series] = []
        self._lines: list[np.ndarray] = []  # what the bold line shows, per series
        self._labels = ("", "")
        self._log = False
        self._smoothing = 0.0
        self._cursor: float | None = None
        self._hover: float | None = None
        self._fixed_x: tuple[float, float] | None = None
        self._limits: tuple[float, float, float, float] | None = None
        self._target: tuple[float, float, float, float] | None = None
        self._bucket = 1
        self._empty_text = "no data yet"
        self._animation = QVariantAnimation(self)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.valueChanged.connect(self._on_rescale)
        self._from = (0.0, 1.0, 0.0, 1.0)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # What is shown -------------------------------------------------------------------------------

    def set_axes(self, x_label: str, y_label: str) -> None:
        """Names and units: "step", "loss (nats per token)"."""
        self._labels = (x_label, y_label)
        self.setAccessibleName(f"{y_label} by {x_label}")
        self.update()

    def set_series(self, series: Sequence[Series]) -> None:
        """Shows other lines, or the same ones longer. Raises ValueError when x and y differ."""
        for one in series:
            if np.shape(one.x) != np.shape(one.y) or np.ndim(one.x) != 1:
                raise ValueError(
                    f"series {one.name!r} needs x and y of one length, got {np.shape(one.x)} and "
                    f"{np.shape(one.y)}"
                )
        self._series = list(series)
        self._renew()

    def set_log(self, log: bool) -> None:
        """A logarithmic y axis; values <= 0 become gaps."""
        if log != self._log:
            self._log = log
            self._limits = None
            self._renew()

    def set_smoothing(self, strength: float) -> None:
        """0 (none) to 0.999: how much series with `smoothed` are averaged."""
        strength = min(0.999, max(0.0, strength))
        if strength != self._smoothing:
            self._smoothing = strength
            self._renew()

    def set_cursor(self, x: float | None) -> None:
        """A vertical line where the transport stands; None hides it."""
        if x != self._cursor:
            self._cursor = x
            self.update()

    def set_x_range(self, low: float | None, high: float | None = None) -> None:
        """Fixes the x axis (a run's steps are known beforehand); None follows the data."""
        self._fixed_x = None if low is None or high is None else (float(low), float(high))
        self._rescale()
        self.update()

    def set_empty_text(self, text: str) -> None:
        self._empty_text = text
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        """Per series its exact (n, 2) points, never the decimated ones."""
        return {one.name: np.stack([one.x, one.y], axis=1) for one in self._series}

    @property
    def limits(self) -> tuple[float, float, float, float]:
        """x low, x high, y low, y high of the axes (where a rescale is heading)."""
        return self._target or (0.0, 1.0, 0.0, 1.0)

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(360), now.px(200))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(160), now.px(96))

    # Data ----------------------------------------------------------------------------------------

    def _renew(self) -> None:
        self._lines = shown_lines(self._series, self._log, self._smoothing)
        self._rescale()
        self.setAccessibleDescription(self.describe())
        self.data_changed()

    def describe(self) -> str:
        """The last value of every line, in words."""
        parts = []
        for one, line in zip(self._series, self._lines, strict=True):
            known = np.flatnonzero(np.isfinite(line))
            if known.size:
                last = known[-1]
                value = theme.format_number(line[last])
                parts.append(f"{one.name} {value} at {theme.format_number(one.x[last])}")
        return ", ".join(parts) or self._empty_text

    def _rescale(self) -> None:
        """Extends the limits when data leave them (with room to spare), then moves there once."""
        fixed = self._fixed_x is not None
        wanted = wanted_limits(self._series, self._lines, self._fixed_x, self._log)
        if wanted is None:
            self._limits = self._target = None
            return
        if self._target is not None and self._limits is not None:
            if still_fits(wanted, self._target, fixed):
                return
            wanted = with_room(wanted, self._target, fixed)
        if self._limits is None or not self.isVisible() or not theme.current().travels:
            self._limits = self._target = wanted
            return
        self._from, self._target = self._limits, wanted
        self._animation.stop()
        self._animation.setDuration(theme.current().duration("move"))
        self._animation.start()

    def _on_rescale(self, share: float) -> None:
        if self._target is not None:
            eased = theme.ease_out(share)
            pairs = zip(self._from, self._target, strict=True)
            self._limits = tuple(theme.lerp(a, b, eased) for a, b in pairs)  # type: ignore
            self.update()

    # Geometry ------------------------------------------------------------------------------------

    def plot_rect(self) -> QRectF:
        """The area inside the axes."""
        now = theme.current()
        metrics = now.metrics("label")
        left = now.px(14) + max(
            (metrics.horizontalAdvance(text) for _, text in self._y_ticks()), default=0.0
        )
        names = max((metrics.horizontalAdvance(one.name) for one in self._series), default=0.0)
        title = metrics.horizontalAdvance(self._labels[0])
        right = max(min(names, now.px(120)), title) + now.px(14)
        top, bottom = now.px(24), now.px(22)
        width = max(1.0, self.width() - left - right)
        return QRectF(round(left), top, width, max(1.0, self.height() - top - bottom))

    def _map_x(self, x, rect: QRectF):
        return map_x(x, rect, self._limits or UNIT)

    def _map_y(self, y, rect: QRectF):
        return map_y(y, rect, self._limits or UNIT, self._log)

    def _y_ticks(self) -> list[tuple[float, str]]:
        if self._limits is None:
            return []
        low, high = self._limits[2:]
        ticks = log_ticks(low, high) if self._log else linear_ticks(low, high, 4)
        return [(tick, theme.format_number(tick)) for tick in ticks]

    def x_at(self, pixel: float) -> float:
        """The x value under a horizontal position."""
        rect = self.plot_rect()
        low, high = self._limits[:2] if self._limits else (0.0, 1.0)
        return low + (pixel - rect.left()) / rect.width() * (high - low)

    # Painting ------------------------------------------------------------------------------------

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        rect = self.plot_rect()
        self._draw_axes(painter, rect)
        if self._limits is None:
            put_text(painter, rect, self._empty_text, now.font("body"), now.color("muted"))
            return
        painter.save()
        painter.setClipRect(rect.adjusted(-2, -4, 4, 4))
        self._bucket = 1
        for one, line in zip(self._series, self._lines, strict=True):
            color = self.color_of(one)
            if one.smoothed and self._smoothing:
                faint = QColor(color)
                faint.setAlphaF(theme.RAW_OPACITY)
                self._draw_line(painter, rect, one, np.asarray(one.y, np.float64), faint, 1)
            self._draw_line(painter, rect, one, line, color, 2)
        painter.restore()
        self._draw_badge(painter)
        draw_end_labels(painter, self._ends(rect), rect, self.width())
        self._draw_cursor(painter, rect)
        if self._hover is not None:
            head = f"{self._labels[0].split(' (')[0]} {theme.format_number(round(self._hover))}"
            x = float(self._map_x(self._hover, rect))
            draw_readout(painter, x, rect, head, self.readout(self._hover), self.width())

    def color_of(self, one: Series) -> QColor:
        now = theme.current()
        return now.series(one.color) if isinstance(one.color, int) else now.color(one.color)

    def _draw_axes(self, painter: QPainter, rect: QRectF) -> None:
        x_ticks = [] if self._limits is None else linear_ticks(*self._limits[:2], 5)
        draw_axes(
            painter,
            rect,
            [(float(self._map_x(tick, rect)), theme.format_number(tick)) for tick in x_ticks],
            [(float(self._map_y(tick, rect)), text) for tick, text in self._y_ticks()],
            (self._labels[0], self._title()),
            self.width(),
        )

    def _title(self) -> str:
        return self._labels[1] + (", log scale" if self._log else "")

    def _draw_badge(self, painter: QPainter) -> None:
        """Says when more points lie under a pixel than can be drawn."""
        if self._bucket > 1:
            now = theme.current()
            font, muted = now.font("label"), now.color("muted")
            title = now.metrics("label").horizontalAdvance(self._title())
            width = self.width() - title - now.px(28)
            text = elide(f"min and max of each {self._bucket} points", font, width)
            place = QRectF(self.width() - width - now.px(4), 0, width, 18)
            put_text(painter, place, text, font, muted, RIGHT)

    def _draw_line(
        self,
        painter: QPainter,
        rect: QRectF,
        one: Series,
        y: np.ndarray,
        color: QColor,
        width: float,
    ) -> None:
        pixels, bucket = line_pixels(
            np.asarray(one.x, np.float64), y, rect, self._limits or UNIT, self._log
        )
        self._bucket = max(self._bucket, bucket)
        if theme.current().contrast and width >= 2:
            width = 3
        # High contrast tells neighbors apart by more than their color.
        odd = isinstance(one.color, int) and one.color % 2 == 1
        dashed = one.dashed or (theme.current().contrast and odd)
        for points in pieces(pixels):
            stroke(painter, points, color, width, dashed)
            if one.marks or len(points) == 1:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color)
                for point in points:
                    painter.drawEllipse(point, 3.0, 3.0)

    def _ends(self, rect: QRectF) -> list[tuple[float, float, str, QColor]]:
        """Where each line ends: (y, x, name, color)."""
        ends = []
        for one, line in zip(self._series, self._lines, strict=True):
            known = np.flatnonzero(np.isfinite(line))
            if known.size:
                x = float(self._map_x(float(one.x[known[-1]]), rect))
                y = float(self._map_y(line[known[-1]], rect))
                ends.append((y, min(x, rect.right()), one.name, self.color_of(one)))
        return ends

    def _draw_cursor(self, painter: QPainter, rect: QRectF) -> None:
        if self._cursor is None:
            return
        x = float(self._map_x(self._cursor, rect))
        if rect.left() <= x <= rect.right() + 1:
            painter.setPen(theme.current().pen("text", 1.5))
            painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))

    def readout(self, x: float) -> list[tuple[str, str, QColor]]:
        """At `x`: (name, value, color) of every line, from the nearest recorded point."""
        values = values_at(self._series, self._lines, x)
        return [
            (
                one.name,
                theme.format_number(value) if np.isfinite(value) else "\u2013",
                self.color_of(one),
            )
            for one, value in zip(self._series, values)
        ]

    # Interaction ---------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        inside = self._limits is not None and self.plot_rect().contains(event.position())
        self._set_hover(self.x_at(event.position().x()) if inside else None)

    def leaveEvent(self, event) -> None:
        self._set_hover(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        inside = self._limits is not None and self.plot_rect().contains(event.position())
        if inside and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(self.x_at(event.position().x()))

    def _set_hover(self, x: float | None) -> None:
        if x != self._hover:
            self._hover = x
            self.hovered.emit(float("nan") if x is None else x)
            self.update()
