"""A line plot of long, growing series: left and bottom axis, direct labels, hover rule, log axis.

Painted here, not by a plotting library: it costs no import at start and no pen outside the theme,
and 100,000 points take a few milliseconds because only what the pixels can show is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Picture, elide, put_text
from explorer.widgets.plot_math import (
    decimate,
    linear_ticks,
    log_ticks,
    nice_limits,
    smooth,
)


@dataclass(frozen=True, eq=False)
class Series:
    """One line: x ascending, y with NaN as gaps. `color` is a series index or a theme role.

    `smoothed`: the plot's smoothing applies (raw stays visible, faint). `dashed` tells lines apart
    without color. `marks` draws a dot at each point (few points).
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    color: int | str = 0
    smoothed: bool = False
    dashed: bool = False
    marks: bool = False


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
        self._lines = []
        for one in self._series:
            line = np.asarray(one.y, dtype=np.float64)
            if self._log:
                line = np.where(line > 0, line, np.nan)
            if one.smoothed and self._smoothing:
                line = smooth(line, self._smoothing)
            self._lines.append(line)
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
        wanted = self._wanted_limits()
        if wanted is None:
            self._limits = self._target = None
            return
        if self._target is not None and self._limits is not None and self._still_fits(wanted):
            return
        if self._limits is None or not self.isVisible() or not theme.current().travels:
            self._limits = self._target = wanted
            return
        self._from, self._target = self._limits, wanted
        self._animation.stop()
        self._animation.setDuration(theme.current().duration("move"))
        self._animation.start()

    def _wanted_limits(self) -> tuple[float, float, float, float] | None:
        shown = [
            (np.asarray(one.x, np.float64), line)
            for one, line in zip(self._series, self._lines, strict=True)
            if np.isfinite(line).any()
        ]
        if not shown:
            return None
        low_x = min(float(x[0]) for x, _ in shown)
        high_x = max(float(x[-1]) for x, _ in shown)
        low_y = min(float(np.nanmin(line)) for _, line in shown)
        high_y = max(float(np.nanmax(line)) for _, line in shown)
        if self._fixed_x is not None:
            low_x, high_x = self._fixed_x
        elif high_x > low_x:
            high_x += 0.02 * (high_x - low_x)
        else:
            high_x = low_x + 1
        return low_x, high_x, *nice_limits(low_y, high_y, self._log)

    def _still_fits(self, wanted: tuple[float, float, float, float]) -> bool:
        now = self._target
        assert now is not None
        if self._fixed_x is None and wanted[1] > now[1]:
            return False
        if wanted[0] < now[0] or (self._fixed_x is not None and wanted[:2] != now[:2]):
            return False
        inside = wanted[2] >= now[2] - 1e-12 and wanted[3] <= now[3] + 1e-12
        used = (wanted[3] - wanted[2]) / max(1e-30, now[3] - now[2])
        spread = (wanted[1] - wanted[0]) / max(1e-30, now[1] - now[0])
        return inside and used > 0.6 and spread > 0.6

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

    def _map_x(self, x: np.ndarray | float, rect: QRectF):
        low, high = self._limits[:2] if self._limits else (0.0, 1.0)
        return rect.left() + (x - low) / max(1e-30, high - low) * rect.width()

    def _map_y(self, y: np.ndarray | float, rect: QRectF):
        low, high = self._limits[2:] if self._limits else (0.0, 1.0)
        if self._log:
            y, low, high = np.log10(y), np.log10(low), np.log10(high)
        return rect.bottom() - (y - low) / max(1e-30, high - low) * rect.height()

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
        self._draw_end_labels(painter, rect)
        self._draw_cursor(painter, rect)
        if self._hover is not None:
            self._draw_readout(painter, rect)

    def color_of(self, one: Series) -> QColor:
        now = theme.current()
        return now.series(one.color) if isinstance(one.color, int) else now.color(one.color)

    def _draw_axes(self, painter: QPainter, rect: QRectF) -> None:
        now = theme.current()
        font, muted = now.font("label"), now.color("muted")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for tick, text in self._y_ticks():
            y = round(float(self._map_y(tick, rect)))
            painter.setPen(now.pen("text", 1, theme.GRID_OPACITY))
            painter.drawLine(round(rect.left()), y, round(rect.right()), y)
            place = QRectF(0, y - 8, rect.left() - now.px(6), 16)
            put_text(painter, place, text, font, muted, RIGHT)
        painter.setPen(now.pen("outline"))
        painter.drawLine(rect.bottomLeft().toPoint(), rect.bottomRight().toPoint())
        painter.drawLine(rect.topLeft().toPoint(), rect.bottomLeft().toPoint())
        title_width = now.metrics("label").horizontalAdvance(self._labels[0])
        title_left = min(rect.right() + now.px(6), self.width() - title_width - now.px(4))
        place = QRectF(title_left, rect.bottom() + 4, title_width + 2, 16)
        put_text(painter, place, self._labels[0], font, muted, LEFT)
        if self._limits is not None:
            for tick in linear_ticks(*self._limits[:2], 5):
                x = float(self._map_x(tick, rect))
                text = theme.format_number(tick)
                half = now.metrics("label").horizontalAdvance(text) / 2
                painter.setPen(now.pen("outline"))
                painter.drawLine(round(x), round(rect.bottom()), round(x), round(rect.bottom()) + 3)
                if x + half < title_left - now.px(6):
                    place = QRectF(x - 40, rect.bottom() + 4, 80, 16)
                    put_text(painter, place, text, font, muted)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        put_text(painter, QRectF(0, 0, self.width(), 18), self._title(), font, muted, LEFT)

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
        x = np.asarray(one.x, dtype=np.float64)
        low, high = self._limits[:2] if self._limits else (0.0, 1.0)
        first = max(0, int(np.searchsorted(x, low)) - 1)
        last = min(len(x), int(np.searchsorted(x, high, side="right")) + 1)
        x, y, bucket = decimate(x[first:last], y[first:last], max(64, int(rect.width())))
        self._bucket = max(self._bucket, bucket)
        if self._log:
            y = np.where(y > 0, y, np.nan)
        pixels = np.stack([self._map_x(x, rect), self._map_y(y, rect)], axis=1)
        pen = QPen(color, 3 if theme.current().contrast and width >= 2 else width)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin if bucket == 1 else Qt.PenJoinStyle.BevelJoin)
        if one.dashed:
            pen.setDashPattern([4.0, 3.0])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        known = np.isfinite(pixels[:, 1])
        edges = np.flatnonzero(np.diff(np.r_[0, known.astype(np.int8), 0]))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            points = [QPointF(a, b) for a, b in pixels[start:end].tolist()]
            if len(points) == 1:
                painter.setBrush(color)
                painter.drawEllipse(points[0], 2.0, 2.0)
                painter.setBrush(Qt.BrushStyle.NoBrush)
            else:
                painter.drawPolyline(QPolygonF(points))
            if one.marks:
                painter.setBrush(color)
                for point in points:
                    painter.drawEllipse(point, 2.5, 2.5)
                painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_end_labels(self, painter: QPainter, rect: QRectF) -> None:
        """The names beside the lines' ends, pushed apart where they would touch."""
        now = theme.current()
        ends = []
        for one, line in zip(self._series, self._lines, strict=True):
            known = np.flatnonzero(np.isfinite(line))
            if known.size:
                x = float(self._map_x(float(one.x[known[-1]]), rect))
                ends.append([float(self._map_y(line[known[-1]], rect)), min(x, rect.right()), one])
        ends.sort(key=lambda end: end[0])
        height = now.metrics("label").height() - 1
        spread = [end[0] for end in ends]
        for index in range(1, len(spread)):
            spread[index] = max(spread[index], spread[index - 1] + height)
        if spread and spread[-1] > rect.bottom() - 4:
            spread[-1] = min(spread[-1], rect.bottom() - 4)
            for index in range(len(spread) - 2, -1, -1):
                spread[index] = min(spread[index], spread[index + 1] - height)
        font = now.font("label", 600)
        for (_, x, one), middle in zip(ends, spread, strict=True):
            room = self.width() - x - now.px(8)
            place = QRectF(x + now.px(6), middle - 9, room, 18)
            put_text(painter, place, elide(one.name, font, room), font, self.color_of(one), LEFT)

    def _draw_cursor(self, painter: QPainter, rect: QRectF) -> None:
        if self._cursor is None:
            return
        x = float(self._map_x(self._cursor, rect))
        if rect.left() <= x <= rect.right() + 1:
            painter.setPen(theme.current().pen("text", 1.5))
            painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))

    def readout(self, x: float) -> list[tuple[str, str, QColor]]:
        """At `x`: (name, value, color) of every line, from the nearest recorded point."""
        rows = []
        for one, line in zip(self._series, self._lines, strict=True):
            if len(one.x):
                at = int(np.clip(np.searchsorted(one.x, x), 0, len(one.x) - 1))
                if at and abs(one.x[at - 1] - x) < abs(one.x[at] - x):
                    at -= 1
                value = theme.format_number(line[at]) if np.isfinite(line[at]) else "\u2013"
                rows.append((one.name, value, self.color_of(one)))
        return rows

    def _draw_readout(self, painter: QPainter, rect: QRectF) -> None:
        now = theme.current()
        assert self._hover is not None
        x = float(self._map_x(self._hover, rect))
        painter.setPen(now.pen("outline"))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        at = theme.format_number(round(self._hover))
        head = f"{self._labels[0].split(' (')[0]} {at}"
        rows = self.readout(self._hover)
        metrics = now.metrics("label", 600)
        line = now.px(16)
        widest = max([metrics.horizontalAdvance(f"{n}   {v}") for n, v, _ in rows] + [0.0])
        width = max(widest, metrics.horizontalAdvance(head)) + now.px(18)
        left = x + 8 if x + 8 + width < self.width() else x - 8 - width
        box = QRectF(left, rect.top() + 4, width, (len(rows) + 1) * line + now.px(8))
        painter.setPen(now.pen("divider"))
        painter.setBrush(now.color("surface", 0.95))
        painter.drawRoundedRect(box, 6, 6)
        place = QRectF(box.x() + 8, box.y() + 4, width - 16, line)
        put_text(painter, place, head, now.font("label"), now.color("muted"), LEFT)
        for name, value, color in rows:
            place.translate(0, line)
            put_text(painter, place, name, now.font("label"), color, LEFT)
            put_text(painter, place, value, now.font("label", 600), now.color("text"), RIGHT)

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
