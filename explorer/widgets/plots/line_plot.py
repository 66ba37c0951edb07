"""A line plot of long, growing series: left and bottom axis, direct labels, hover rule, log axis.

pyqtgraph draws the result; of a line it gets only the extremes in each column of pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QMetaObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from core.numbers import format_number
from explorer import theme
from explorer.engine import courtesy
from explorer.widgets.base import Columns, Picture, put_words
from explorer.widgets.plots.curves import Curves, color_of, curves_of
from explorer.widgets.plots.data import (
    Series,
    columns_of,
    ends_of,
    last_values,
    shown_lines,
    values_at,
)
from explorer.widgets.plots.ends import draw_names
from explorer.widgets.plots.labels import (
    axes_area,
    badge_parts,
    draw_badge,
    draw_readout,
    draw_titles,
    x_numbers,
    y_numbers,
)
from explorer.widgets.plots.limits import MovingLimits, wanted_limits
from explorer.widgets.plots.marks import NEAR, Mark, draw_marks, mark_near
from explorer.widgets.plots.math import linear_ticks
from explorer.widgets.plots.zoom import Span, moved, parts, zoomed

NOTCH = 1.2  # factor of one notch of the wheel
REACH = 4.0  # px from a line within which it is hovered


class LinePlot(Picture):
    """Several `Series` on one pair of axes, the last one on top, with marks at positions of x.

    Signals: `hovered` and `clicked` with an x value, that of a mark if one is near. If the plot
    `picks_lines`, a click on a line emits `lineClicked` instead.

    If it `zooms`, the wheel or + and - show a part of the x axis, with y to fit; a drag or Shift
    and the arrows move along it; a double click or Home shows all again. Each emits `spanChanged`.
    """

    hovered = Signal(float)  # NaN when the pointer has left
    clicked = Signal(float)
    lineClicked = Signal(str, float)  # the line's name and x
    spanChanged = Signal(object)  # (low, high) of x; None: the whole axis
    _changed = Signal()  # queued: a scene changed during a paint is painted twice

    def __init__(self, name: str = "Plot", parent: QWidget | None = None) -> None:
        from explorer.widgets.plots.view import PlotView  # brings pyqtgraph

        super().__init__(name, parent)
        self._series: list[Series] = []
        self._lines: list[np.ndarray] = []  # the y of the bold line, per series
        self.glides = True  # the axes move to new limits
        self.picks_lines = False
        self.zooms = False
        self.span: Span | None = None  # the visible part of x; None: the whole axis
        self._pressed: tuple[QPointF, Span | None] | None = None  # the point, and the span then
        self._dragged = False
        self._near: Series | None = None  # the line under the pointer
        self._above: tuple[LinePlot, ...] = ()  # plots whose x axes are aligned with this one
        self.ends: dict[str, float] = {}  # per series its line's last value as drawn
        self._labels = ("", "")
        self._log = False
        self._smoothing = 0.0
        self._cursor: float | None = None
        self._hover: float | None = None
        self._fixed_x: tuple[float, float] | None = None
        self._fixed_y: tuple[float, float] | None = None
        self._limits = MovingLimits(self)
        self._limits.moved.connect(self._arrange_later)
        self._marks: list[Mark] = []
        self._note = ""
        self._curves = Curves()
        self._empty_text = "no data yet"
        self._stale = True
        self._area: QRectF | None = None
        self._changed.connect(self._prepare, Qt.ConnectionType.QueuedConnection)
        self._view = PlotView(self, self._prepare, self._write)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # State ---------------------------------------------------------------------------------------

    def set_axes(self, x_label: str, y_label: str) -> None:
        """Sets names and units: "step", "loss (nats per token)"."""
        self._labels = (x_label, y_label)
        self.setAccessibleName(f"{y_label} by {x_label}")
        self.data_changed()

    def set_series(self, series: Sequence[Series]) -> None:
        """Shows other lines, or longer ones. Raises ValueError if the lengths of x and y differ."""
        for one in series:
            if np.shape(one.x) != np.shape(one.y) or np.ndim(one.x) != 1:
                raise ValueError(
                    f"series {one.name!r} needs x and y of one length, got {np.shape(one.x)} and "
                    f"{np.shape(one.y)}"
                )
        self._series = list(series)
        self._renew()

    def set_log(self, log: bool) -> None:
        """Switches the y axis to logarithms; values <= 0 become gaps."""
        if log != self._log:
            self._log = log
            self._renew()

    def set_smoothing(self, strength: float) -> None:
        """Sets how much series with `smoothed` are averaged, 0 (none) to 0.999."""
        strength = min(0.999, max(0.0, strength))
        if strength != self._smoothing:
            self._smoothing = strength
            self._renew()

    def set_cursor(self, x: float | None) -> None:
        """Shows a vertical line at the player's position; None hides it."""
        if x != self._cursor:
            self._cursor = x
            self._show_rules()

    @property
    def cursor(self) -> float | None:
        return self._cursor

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Sets marked positions of x: checkpoints, the step at which a run branched off."""
        if list(marks) != self._marks:
            self._marks = list(marks)
            self._view.write()

    def set_note(self, note: str) -> None:
        """Shows a short note above the plot: what is not drawn, and why."""
        if note != self._note:
            self._note = note
            self._view.write()

    def set_x_range(self, low: float | None, high: float | None = None) -> None:
        """Fixes the x axis (a run's steps are known beforehand); None follows the data."""
        self._fixed_x = None if low is None or high is None else (float(low), float(high))
        self._rescale()
        self.data_changed()

    def set_span(self, span: Span | None) -> None:
        """Shows a part of the x axis, or all of it for None."""
        if span != self.span:
            self.span = span
            self._limits.forget()
            self._rescale()
            self.data_changed()
            self.spanChanged.emit(span)

    def zoom_by(self, factor: float, at: float | None = None) -> None:
        """Zooms by a factor about an x: by default the cursor's, or the visible center."""
        if self._limits.now is not None:
            low, high = self._limits.now[:2]
            seen = self._cursor is not None and low <= self._cursor <= high
            middle = self._cursor if seen else (low + high) / 2
            self.set_span(zoomed((low, high), self._whole(), factor, middle if at is None else at))

    def set_y_range(self, low: float, high: float) -> None:
        """Fixes the y axis, for values with a known range."""
        self._fixed_y = (low, high)
        self._rescale()
        self.data_changed()

    def share_margins(self, other: LinePlot) -> None:
        """Aligns the x axes of both plots while both are shown."""
        self._above, other._above = (other,), (self,)

    def set_empty_text(self, text: str) -> None:
        self._empty_text = text
        self._view.write()

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns the exact (n, 2) points of each series, never the decimated ones."""
        return {one.name: one.points for one in self._series if not one.aid}

    def as_columns(self) -> Columns:
        return columns_of(self._labels[0], self._series)

    def table_labels(self) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
        return {one.name: ((), (self._labels[0], one.name)) for one in self._series}

    @property
    def series(self) -> tuple[Series, ...]:
        return tuple(self._series)

    @property
    def marks(self) -> tuple[Mark, ...]:
        return tuple(self._marks)

    @property
    def note(self) -> str:
        return self._note

    @property
    def smoothing(self) -> float:
        return self._smoothing

    @property
    def limits(self) -> tuple[float, float, float, float]:
        """x low, x high, y low, y high of the axes (after a running rescale)."""
        return self._limits.target or (0.0, 1.0, 0.0, 1.0)

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(360), theme.current().px(200))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(160), theme.current().px(96))

    # Data ----------------------------------------------------------------------------------------

    def _renew(self) -> None:
        self._lines = shown_lines(self._series, self._log, self._smoothing)
        self.ends = ends_of(self._series, self._lines)
        self._rescale()
        self.setAccessibleDescription(self.describe())
        self.data_changed()

    def describe(self) -> str:
        """Describes the last value of every line."""
        told = last_values(self._series, self._lines, self._labels, self._smoothing)
        return ", ".join(told) or self._empty_text

    def _rescale(self) -> None:
        """Extends the limits if data have left them."""
        series, lines, fixed_x = self._series, self._lines, self._fixed_x
        wanted = wanted_limits(series, lines, fixed_x, self._log)
        if wanted is not None and self.span is not None:
            fixed_x = self.span
            seen = wanted_limits(*parts(series, lines, fixed_x), fixed_x, self._log)
            wanted = seen or (*fixed_x, *wanted[2:])
        if wanted is not None and self._fixed_y is not None:
            wanted = (*wanted[:2], *self._fixed_y)
        travel = self.glides and self.isVisible() and theme.current().travels
        self._limits.show(wanted, fixed_x is not None, travel, self._log)

    def _whole(self) -> Span:
        """Returns the limits of the whole x axis."""
        wanted = wanted_limits(self._series, self._lines, self._fixed_x, self._log)
        return wanted[:2] if wanted is not None else (0.0, 1.0)

    # Geometry ------------------------------------------------------------------------------------

    def plot_rect(self) -> QRectF:
        """Returns the area inside the axes."""
        if self._area is None:
            shown = [self, *(plot for plot in self._above if not plot.isHidden())]
            names = [one.name for plot in shown for one in plot._series if one.named]
            ticks = [text for plot in shown for _, text in plot._y_ticks()]
            self._area = axes_area(self.size(), ticks, names, self._labels[0])
        return QRectF(self._area)

    def _place(self, value: float) -> float:
        """Maps a y value to view coordinates: its logarithm on a log axis."""
        return math.log10(value) if self._log else float(value)

    def _y_ticks(self) -> list[tuple[float, str]]:
        if self._limits.now is None:
            return []
        return y_numbers(self._limits.now[2:], self._log, self.height())

    def x_at(self, pixel: float) -> float:
        """Returns the x value at a horizontal position."""
        rect = self.plot_rect()
        low, high = self._limits.now[:2] if self._limits.now else (0.0, 1.0)
        return low + (pixel - rect.left()) / rect.width() * (high - low)

    def _pixels(self) -> Callable[[float], float]:
        """Returns a function from an x value to its horizontal position."""
        rect = self.plot_rect()
        low, high = self._limits.now[:2] if self._limits.now else (0.0, 1.0)
        return lambda x: rect.left() + (x - low) / max(1e-30, high - low) * rect.width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._view.setGeometry(self.rect())
        self._arrange_later()

    # The scene -----------------------------------------------------------------------------------

    def on_theme_changed(self) -> None:
        super().on_theme_changed()
        self._arrange_later()

    def data_changed(self) -> None:
        if self._broken:  # otherwise the scene triggers its own paint
            super().data_changed()
        self._view.show()
        self._arrange_later()

    def _arrange_later(self) -> None:
        """Schedules an update of the scene before its next paint."""
        for plot in (self, *self._above):
            plot._stale = True
            plot._area = None
            plot._changed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._arrange_later()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._arrange_later()

    def _prepare(self) -> None:
        courtesy.window_works()
        if not self._stale:
            return
        self._stale = False
        try:
            self._arrange()
        except Exception as error:  # hiding the view during its paint would crash the app
            QMetaObject.invokeMethod(self._view, "hide", Qt.ConnectionType.QueuedConnection)
            self.fail(error)

    def _arrange(self) -> None:
        rect = self.plot_rect()
        known = self._limits.now is not None
        x_low, x_high, low, high = self._limits.now or (0.0, 1.0, 0.0, 1.0)
        if known:
            low, high = self._place(low), self._place(high)
        self._view.restyle()
        self._view.place(rect, (x_low, x_high), (low, high))
        x_ticks = linear_ticks(x_low, x_high, 5, whole=True) if known else []
        numbers = x_numbers(x_ticks, (x_low, x_high), rect, self._labels[0], self.width())
        self._view.set_ticks(numbers, self._y_ticks())
        self._curves = Curves()
        if known:
            limits = (x_low, x_high, *self.limits[2:])
            self._curves = curves_of(
                self._series, self._lines, limits, rect.width(), self._log, self._smoothing > 0
            )
        self._view.set_lines(self._curves.lines)
        self._show_rules()

    def _show_rules(self) -> None:
        known = self._limits.now is not None
        self._view.set_rules(self._cursor if known else None, self._hover if known else None)
        self._view.write()

    # Text ----------------------------------------------------------------------------------------

    def _write(self, painter: QPainter) -> None:
        """Draws the text over the scene, in the widget's pixels."""
        now, rect = theme.current(), self.plot_rect()
        muted = now.color("muted")
        draw_titles(painter, rect, (self._labels[0], self._title()), self.width())
        if self._limits.now is None:
            put_words(painter, QRectF(self.rect()), self._empty_text, now.font("body"), muted)
            return
        hidden = badge_parts(self._curves.bucket, self._curves.outside, self._note)
        draw_badge(painter, hidden, self._title(), self.width())
        pixel = self._pixels()
        draw_marks(painter, self._marks, pixel, rect, words=self._hover is None)
        draw_names(painter, self._ends(rect), self._paths(), rect, self.width())
        if self.shows_focus:
            now.focus_ring(painter, QRectF(self.rect()), 4, -2)
        if self._hover is not None:
            x, step = pixel(self._hover), format_number(round(self._hover))
            near = mark_near(self._marks, x, pixel)
            head = f"{self._labels[0].split(' (')[0]} {step}" if near is None else near.text
            draw_readout(painter, x, rect, head, self.readout(self._hover), self.width())

    def _title(self) -> str:
        return ", ".join(filter(None, (self._labels[1], "log scale" if self._log else "")))

    def _ends(self, rect: QRectF) -> list[tuple[float, float, str, QColor]]:
        """Returns the visible end of each named line: (x, y, name, color)."""
        ends = []
        for one, line in zip(self._series, self._lines, strict=True):
            known = np.flatnonzero(np.isfinite(line) & self._is_seen(one.x))
            if known.size and one.named:
                end = self._view.pixel(float(one.x[known[-1]]), self._place(line[known[-1]]))
                ends.append((min(end.x(), rect.right()), end.y(), one.name, color_of(one)))
        return ends

    def _is_seen(self, x: np.ndarray) -> np.ndarray | bool:
        return True if self.span is None else (x >= self.span[0]) & (x <= self.span[1])

    def _paths(self) -> list[np.ndarray]:
        """Returns the drawn curves as (n, 2) pixels."""
        origin = self._view.pixel(0.0, 0.0)
        unit = self._view.pixel(1.0, 1.0) - origin
        return [
            np.stack([origin.x() + line.x * unit.x(), origin.y() + line.y * unit.y()], axis=1)
            for line in self._curves.lines
        ]

    def readout(self, x: float) -> list[tuple[str, str, QColor]]:
        """Returns (name, value, color) of every line with a value at `x`, the highest first; faint
        lines only if hovered.
        """
        values = values_at(self._series, self._lines, x)
        found = [
            (value, one)
            for one, value in zip(self._series, values, strict=True)
            if np.isfinite(value) and (one is self._near or not one.faint)
        ]
        found.sort(key=lambda pair: -pair[0])
        return [(one.name, format_number(value), color_of(one)) for value, one in found]

    # Interaction ---------------------------------------------------------------------------------

    def line_at(self, point: QPointF) -> Series | None:
        """Returns the nearest line within reach of a point, the topmost of several, or None."""
        if self._limits.now is None:
            return None
        x = np.array([self.x_at(point.x() + by) for by in (-REACH, 0.0, REACH)])
        origin = self._view.pixel(0.0, 0.0).y()
        unit = self._view.pixel(0.0, 1.0).y() - origin
        found, least = None, REACH
        for one, line in zip(self._series, self._lines, strict=True):
            known = np.isfinite(line)
            if one.aid or not known.any():
                continue
            y = np.interp(x, one.x[known], line[known], left=np.nan, right=np.nan)
            y = y[np.isfinite(y)]
            y = origin + unit * (np.log10(y) if self._log else y)
            if y.size:
                beyond = max(y.min() - point.y(), point.y() - y.max(), 0.0)
                if beyond <= least:
                    found, least = one, beyond
        return found

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None:
            self._drag(event.position())
            return
        x = self._meant(event)
        near = self.line_at(event.position()) if self.picks_lines and x is not None else None
        if near is not self._near:
            self._near = near
            shape = Qt.CursorShape.PointingHandCursor if near else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
            self._view.write()
        self._set_hover(x)

    def leaveEvent(self, event) -> None:
        self._near = None
        self._set_hover(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        inside = self._meant(event) is not None
        if inside and event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = (event.position(), self.span), False

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        x, clicked = self._meant(event), self._pressed is not None and not self._dragged
        self._pressed = None
        if x is None or not clicked:
            return
        near = self.line_at(event.position()) if self.picks_lines else None
        if near is None:
            self.clicked.emit(x)
        else:
            self.lineClicked.emit(near.name, x)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.zooms:
            self.set_span(None)

    def _drag(self, point: QPointF) -> None:
        """Moves along the axis if only a part of it is shown."""
        assert self._pressed is not None
        begin, span = self._pressed
        by = point.x() - begin.x()
        self._dragged |= self.zooms and abs(by) >= QApplication.startDragDistance()
        if self._dragged and span is not None:
            units = (span[1] - span[0]) / self.plot_rect().width()
            self.set_span(moved(span, self._whole(), -by * units))

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120
        if self.zooms and notches and self.plot_rect().contains(event.position()):
            self.zoom_by(NOTCH**notches, self.x_at(event.position().x()))
        else:
            event.ignore()  # its container scrolls

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.zooms or not self._zoom_by_key(event):
            super().keyPressEvent(event)

    def _zoom_by_key(self, event: QKeyEvent) -> bool:
        ways = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        shifted = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        if event.text() in ("+", "=", "-"):
            self.zoom_by(1 / NOTCH if event.text() == "-" else NOTCH)
        elif event.key() == Qt.Key.Key_Home and self.span is not None:
            self.set_span(None)
        elif event.key() in ways and shifted and self.span is not None:
            by = ways[Qt.Key(event.key())] * (self.span[1] - self.span[0]) / 10
            self.set_span(moved(self.span, self._whole(), by))
        else:
            return False
        return True

    def _meant(self, event: QMouseEvent) -> float | None:
        """Returns the x value at the pointer, a mark's if one is near; None outside the axes."""
        place = event.position()
        area = self.plot_rect().adjusted(0, 0, 0, 2 * NEAR)
        if self._limits.now is None or not area.contains(place):
            return None
        near = mark_near(self._marks, place.x(), self._pixels())
        return self.x_at(place.x()) if near is None else near.x

    def _set_hover(self, x: float | None) -> None:
        if x != self._hover:
            self._hover = x
            self.hovered.emit(float("nan") if x is None else x)
            self._show_rules()
