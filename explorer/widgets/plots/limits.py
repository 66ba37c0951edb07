"""The limits of a plot's axes while its data grow, and the animation to new ones."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, QVariantAnimation, Signal

from explorer import theme
from explorer.widgets.plots.data import Series
from explorer.widgets.plots.math import nice_limits

Limits = tuple[float, float, float, float]  # x low, x high, y low, y high
ROOM = 0.3  # of the height of the values
AIR = 0.05  # of it: a little less than the margin of `nice_limits`
LEAST = 0.4  # share of the axes that lines should take
EVERY = 0.030  # seconds between two frames of the animation: each lays out the whole plot
BLOCKS = 1000  # a long series is reduced to the extremes of this many parts


def wanted_limits(
    series: Sequence[Series],
    lines: Sequence[np.ndarray],
    fixed_x: tuple[float, float] | None,
    log: bool,
) -> Limits | None:
    """Returns limits around all that is drawn, with a small margin; None if there is no value yet.

    `lines[i]` is the y of series i as shown (smoothed, gaps as NaN). `fixed_x` fixes the x axis.
    """
    shown = [
        (np.asarray(one.x, np.float64), line)
        for one, line in zip(series, lines, strict=True)
        if np.isfinite(line).any()
    ]
    if not shown:
        return None
    low_x = min(float(x[0]) for x, _ in shown)
    high_x = max(float(x[-1]) for x, _ in shown)
    spans = [_span(one, line, log) for one, line in zip(series, lines, strict=True)]
    low_y = min(low for low, _ in spans)
    high_y = max(high for _, high in spans)
    if fixed_x is not None:
        low_x, high_x = fixed_x
    elif high_x > low_x:
        high_x += 0.02 * (high_x - low_x)
    else:
        high_x = low_x + 1
    return low_x, high_x, *nice_limits(low_y, high_y, log)


def _span(one: Series, line: np.ndarray, log: bool) -> tuple[float, float]:
    """Returns the least and largest value that a series draws; lone spikes are ignored in a noisy
    one, whose values are faint behind the smoothed line. On a log axis logarithms count.
    """
    if not one.smoothed:
        return whole_span(line)
    raw = np.asarray(one.y, dtype=np.float64)
    if not log:
        return held_span(raw)
    low, high = held_span(np.log10(raw, where=raw > 0, out=np.full(raw.shape, np.nan)))
    return 10.0**low, 10.0**high


def whole_span(values: np.ndarray) -> tuple[float, float]:
    """Returns the least and largest value; (inf, -inf) without values."""
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (np.inf, -np.inf)


def held_span(values: np.ndarray) -> tuple[float, float]:
    """Returns the range of noisy values without lone spikes, which would flatten all the rest.

    The core is the range of running medians of five, which ignore one or two isolated values but
    follow a steep start, which lasts for many. Everything up to one height of the core beyond it is
    included too: noise goes no further. (inf, -inf) without values.
    """
    known = values[np.isfinite(values)]
    if known.size < 8:
        return whole_span(known)
    starts = np.arange(0, known.size, -(-known.size // BLOCKS))
    lows, highs = np.minimum.reduceat(known, starts), np.maximum.reduceat(known, starts)
    low, high = float(lows.min()), float(highs.max())
    core_low, core_high = float(_medians(lows).min()), float(_medians(highs).max())
    height = core_high - core_low
    if height <= 0:
        return low, high
    if low < core_low - height:
        low = float(known[known >= core_low - height].min())
    if high > core_high + height:
        high = float(known[known <= core_high + height].max())
    return low, high


def _medians(values: np.ndarray) -> np.ndarray:
    """Returns the running median of five, mirrored at both ends."""
    padded = np.pad(values, 2, mode="reflect")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)


def with_room(limits: Limits, before: Limits, fixed: bool, log: bool = False) -> Limits:
    """Returns limits in axis coordinates with space for lines to grow: half as much again to the
    right, and ROOM more where values have left the axes above or below (but not below 0 if all
    values are above it and the axis is not `log`). A limit that still fits is unchanged.
    """
    x_low, x_high, low, high = limits
    room = ROOM * (high - low)
    if not fixed:
        if x_high > before[1]:
            x_high += 0.5 * (x_high - x_low)
        elif x_low == before[0] and _spread(limits, before) > LEAST:
            x_high = before[1]
    below, above = _beyond(limits, before)
    if not (below or above) and _used(limits, before) > LEAST:
        return x_low, x_high, *before[2:]
    if below:
        low = low - room if log or low < 0 else max(0.0, low - room)
    elif above and low - before[2] <= room:
        low = before[2]
    if above:
        high += room
    elif below and before[3] - high <= room:
        high = before[3]
    return x_low, x_high, low, high


def _used(wanted: Limits, now: Limits) -> float:
    return (wanted[3] - wanted[2]) / max(1e-30, now[3] - now[2])


def _spread(wanted: Limits, now: Limits) -> float:
    return (wanted[1] - wanted[0]) / max(1e-30, now[1] - now[0])


def _beyond(wanted: Limits, now: Limits) -> tuple[bool, bool]:
    """Returns whether values have left the axes below and above; their margin may."""
    air = AIR * (wanted[3] - wanted[2])
    return wanted[2] < now[2] - air, wanted[3] > now[3] + air


def placed(limits: Limits, log: bool) -> Limits:
    """Returns limits in axis coordinates: on a log axis the logarithm of y, with no end at 0."""
    return (*limits[:2], math.log10(limits[2]), math.log10(limits[3])) if log else limits


def told(limits: Limits, log: bool) -> Limits:
    """Inverts `placed`, clipped so that a power of ten is a finite number."""
    if not log:
        return limits
    low, high = (min(max(end, -300.0), 300.0) for end in limits[2:])
    return (*limits[:2], 10.0**low, 10.0**high)


def still_fits(wanted: Limits, now: Limits, fixed: bool) -> bool:
    """Returns True while the data are inside the axes and use most of them, so that no rescale is
    due. Both limits are in axis coordinates.
    """
    if fixed and wanted[:2] != now[:2]:
        return False
    if not fixed and (wanted[1] > now[1] or wanted[0] != now[0]):
        return False
    fits = _used(wanted, now) > LEAST and _spread(wanted, now) > LEAST
    return fits and not any(_beyond(wanted, now))


class MovingLimits(QObject):
    """Limits that extend when data leave them, with spare space, and move there once."""

    moved = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.now: Limits | None = None  # None: there is nothing to show
        self.target: Limits | None = None  # the end of the animation
        self._log = False
        self._moved = 0.0  # when `now` was last set
        self._from = (0.0, 1.0, 0.0, 1.0)
        self._animation = QVariantAnimation(self)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.valueChanged.connect(self._on_time)

    def forget(self) -> None:
        """Makes the next limits take effect at once."""
        self._animation.stop()
        self.now = self.target = None

    def show(self, wanted: Limits | None, fixed: bool, travel: bool, log: bool = False) -> None:
        """Moves to limits that contain `wanted`; `fixed`: its x is exact; `travel`: animated;
        `log`: y is on a log axis.
        """
        if wanted is None or log != self._log:
            self.forget()
        self._log = log
        if wanted is None:
            return
        if self.target is not None and self.now is not None:
            ahead, before = placed(wanted, log), placed(self.target, log)
            if still_fits(ahead, before, fixed):
                return
            wanted = told(with_room(ahead, before, fixed, log), log)
        self._animation.stop()
        if self.now is None or not travel:
            self.now = self.target = wanted
            return
        self._from, self.target = self.now, wanted
        self._animation.setDuration(theme.current().duration("move"))
        self._animation.start()

    def _on_time(self, share: float) -> None:
        now = time.perf_counter()
        if self.target is None or (share < 1 and now - self._moved < EVERY):
            return
        self._moved = now
        if share == 1:
            self.now = self.target
        else:
            a, b = placed(self._from, self._log), placed(self.target, self._log)
            eased = theme.ease_out(share)
            x_low, x_high, low, high = (theme.lerp(p, q, eased) for p, q in zip(a, b, strict=True))
            self.now = told((x_low, x_high, low, high), self._log)
        self.moved.emit()
