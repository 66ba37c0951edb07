"""A line plot of long, growing series: left and bottom axis, direct labels, hover rule, log axis.

pyqtgraph draws axes, grid, lines and rules; this widget decides what they show. Wide lines are slow
there, so a line is thinned to the minimum and maximum of each column of pixels first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.base import Picture, put_text
from explorer.widgets.plot_data import (
    Line,
    Series,
    dotted,
    last_values,
    shown_lines,
    still_fits,
    values_at,
    wanted_limits,
    with_room,
)
from explorer.widgets.plot_labels import (
    draw_badge,
    draw_end_labels,
    draw_readout,
    draw_titles,
    x_numbers,
)
from explorer.widgets.plot_math import linear_ticks, log_ticks, visible

COLUMN = 1.5  # px: one minimum and one maximum in this width is what a 2 px line can show

__all__ = ["LinePlot", "Series"]


class LinePlot(Picture):
    """Several `Series` on one pair of axes. Intents: `hovered` and `clicked` with an x value."""

    hovered = Signal(float)  # NaN when the pointer left
    clicked = Signal(float)

    def __init__(self, name: str = "Plot", parent: QWidget | None = None) -> None:
        from explorer.widgets.plot_view import PlotView  # brings pyqtgraph

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
        self._stale = True
        self._view = PlotView(self, self._prepare, self._write)
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
        self.data_changed()

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
            self._show_rules()

    def set_x_range(self, low: float | None, high: float | None = None) -> None:
        """Fixes the x axis (a run's steps are known beforehand); None follows the data."""
        self._fixed_x = None if low is None or high is None else (float(low), float(high))
        self._rescale()
        self.data_changed()

    def set_empty_text(self, text: str) -> None:
        self._empty_text = text
        self._view.write()

    def displayed(self) -> dict[str, np.ndarray]:
        """Per series its exact (n, 2) points, never the decimated ones."""
        return {one.name: np.stack([one.x, one.y], axis=1) for one in self._series}

    @property
    def limits(self) -> tuple[float, float, float, float]:
        """x low, x high, y low, y high of the axes (where a rescale is heading)."""
        return self._target or (0.0, 1.0, 0.0, 1.0)

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(360), theme.current().px(200))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(160), theme.current().px(96))

    # Data ----------------------------------------------------------------------------------------

    def _renew(self) -> None:
        self._lines = shown_lines(self._series, self._log, self._smoothing)
        self._rescale()
        self.setAccessibleDescription(self.describe())
        self.data_changed()

    def describe(self) -> str:
        """The last value of every line, in words."""
        parts = last_values(self._series, self._lines)
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
            self._arrange_later()

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
        width = max(1.0, self.width() - round(left) - right)
        return QRectF(round(left), top, width, max(1.0, self.height() - top - bottom))

    def _place(self, value: float) -> float:
        """A y value in the view's coordinates: its logarithm on a log axis."""
        return math.log10(value) if self._log else float(value)

    def _y_ticks(self) -> list[tuple[float, str]]:
        if self._limits is None:
            return []
        low, high = self._limits[2:]
        ticks = log_ticks(low, high) if self._log else linear_ticks(low, high, 4)
        return [(self._place(tick), theme.format_number(tick)) for tick in ticks]

    def x_at(self, pixel: float) -> float:
        """The x value under a horizontal position."""
        rect = self.plot_rect()
        low, high = self._limits[:2] if self._limits else (0.0, 1.0)
        return low + (pixel - rect.left()) / rect.width() * (high - low)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._view.setGeometry(self.rect())
        self._arrange_later()

    # The scene -----------------------------------------------------------------------------------

    def on_theme_changed(self) -> None:
        super().on_theme_changed()
        self._arrange_later()

    def data_changed(self) -> None:
        super().data_changed()
        self._view.show()
        self._arrange_later()

    def _arrange_later(self) -> None:
        """Before it is painted next, the scene is brought up to date."""
        self._stale = True
        self._view.viewport().update()

    def _prepare(self) -> None:
        if not self._stale:
            return
        self._stale = False
        try:
            self._arrange()
        except Exception as error:
            self._view.hide()
            self.fail(error)

    def _arrange(self) -> None:
        rect = self.plot_rect()
        x_low, x_high, low, high = self._limits or (0.0, 1.0, 0.0, 1.0)
        if self._limits is not None:
            low, high = self._place(low), self._place(high)
        self._view.restyle()
        self._view.place(rect, (x_low, x_high), (low, high))
        x_ticks = [] if self._limits is None else linear_ticks(x_low, x_high, 5)
        numbers = x_numbers(x_ticks, (x_low, x_high), rect, self._labels[0], self.width())
        self._view.set_ticks(numbers, self._y_ticks())
        self._bucket = 1
        lines = []
        if self._limits is not None:
            for one, line in zip(self._series, self._lines, strict=True):
                color = self.color_of(one)
                if one.smoothed and self._smoothing:
                    faint = QColor(color)
                    faint.setAlphaF(theme.RAW_OPACITY)
                    lines.append(self._line(one, np.asarray(one.y, np.float64), faint, 1, rect))
                lines.append(self._line(one, line, color, 2, rect))
        self._view.set_lines(lines)
        self._show_rules()

    def _line(self, one: Series, y: np.ndarray, color: QColor, width: float, rect: QRectF) -> Line:
        """One curve, thinned to the columns of pixels that it can be drawn in."""
        assert self._limits is not None
        columns = max(64, int(rect.width() / COLUMN))
        x, y, bucket = visible(np.asarray(one.x, np.float64), y, self._limits[:2], columns)
        if self._log:
            y = np.log10(y, where=y > 0, out=np.full(len(y), np.nan))
        self._bucket = max(self._bucket, bucket)
        pen = theme.current().pen(color, width)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        # High contrast tells neighbors apart by more than their color.
        odd = isinstance(one.color, int) and one.color % 2 == 1
        if one.dashed or (theme.current().contrast and odd):
            pen.setDashPattern([4.0, 3.0])
        return Line(x, y, pen, dotted(y, one.marks))

    def _show_rules(self) -> None:
        known = self._limits is not None
        self._view.set_rules(self._cursor if known else None, self._hover if known else None)
        self._view.write()

    # Words ---------------------------------------------------------------------------------------

    def _write(self, painter: QPainter) -> None:
        """What is written over the scene, in the widget's pixels."""
        now = theme.current()
        rect = self.plot_rect()
        draw_titles(painter, rect, (self._labels[0], self._title()), self.width())
        if self._limits is None:
            put_text(painter, rect, self._empty_text, now.font("body"), now.color("muted"))
            return
        draw_badge(painter, self._bucket, self._title(), self.width())
        draw_end_labels(painter, self._ends(rect), rect, self.width())
        if self._hover is not None:
            head = f"{self._labels[0].split(' (')[0]} {theme.format_number(round(self._hover))}"
            x = self._view.pixel(self._hover, 0.0).x()
            draw_readout(painter, x, rect, head, self.readout(self._hover), self.width())

    def color_of(self, one: Series) -> QColor:
        now = theme.current()
        return now.series(one.color) if isinstance(one.color, int) else now.color(one.color)

    def _title(self) -> str:
        return self._labels[1] + (", log scale" if self._log else "")

    def _ends(self, rect: QRectF) -> list[tuple[float, float, str, QColor]]:
        """Where each line ends: (y, x, name, color)."""
        ends = []
        for one, line in zip(self._series, self._lines, strict=True):
            known = np.flatnonzero(np.isfinite(line))
            if known.size:
                end = self._view.pixel(float(one.x[known[-1]]), self._place(line[known[-1]]))
                ends.append((end.y(), min(end.x(), rect.right()), one.name, self.color_of(one)))
        return ends

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
            self._show_rules()
