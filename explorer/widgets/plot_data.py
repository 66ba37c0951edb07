"""What a line plot shows, and which limits its axes take as the data grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtGui import QPen

from explorer import theme
from explorer.widgets.plot_math import nice_limits, smooth

Limits = tuple[float, float, float, float]  # x low, x high, y low, y high


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


@dataclass(frozen=True, eq=False)
class Line:
    """What one curve shows: (n,) coordinates of the view with NaN as gaps, and its pen.

    `dots` are the points, among them, that get a dot.
    """

    x: np.ndarray
    y: np.ndarray
    pen: QPen
    dots: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.intp))


def shown_lines(series: Sequence[Series], log: bool, smoothing: float) -> list[np.ndarray]:
    """What each bold line shows: smoothed where asked for; gaps where a log axis has no place."""
    lines = []
    for one in series:
        line = np.asarray(one.y, dtype=np.float64)
        drawable = np.isfinite(line) & (line > 0) if log else np.isfinite(line)
        line = np.where(drawable, line, np.nan)
        lines.append(smooth(line, smoothing) if one.smoothed and smoothing else line)
    return lines


def dotted(y: np.ndarray, marks: bool) -> np.ndarray:
    """Which points get a dot: all with `marks`, else those between two gaps, which have no line."""
    known = np.isfinite(y)
    alone = known & ~np.r_[False, known[:-1]] & ~np.r_[known[1:], False]
    return np.flatnonzero(known if marks else alone)


def last_values(series: Sequence[Series], lines: Sequence[np.ndarray]) -> list[str]:
    """The last value of every line, in words."""
    parts = []
    for one, line in zip(series, lines, strict=True):
        known = np.flatnonzero(np.isfinite(line))
        if known.size:
            last = known[-1]
            value = theme.format_number(line[last])
            parts.append(f"{one.name} {value} at {theme.format_number(one.x[last])}")
    return parts


def values_at(series: Sequence[Series], lines: Sequence[np.ndarray], x: float) -> list[float]:
    """The value of every line at its recorded point nearest to `x`; NaN where it has none."""
    values = []
    for one, line in zip(series, lines, strict=True):
        if not len(one.x):
            values.append(float("nan"))
            continue
        at = int(np.clip(np.searchsorted(one.x, x), 0, len(one.x) - 1))
        if at and abs(one.x[at - 1] - x) < abs(one.x[at] - x):
            at -= 1
        values.append(float(line[at]))
    return values


def wanted_limits(
    series: Sequence[Series],
    lines: Sequence[np.ndarray],
    fixed_x: tuple[float, float] | None,
    log: bool,
) -> Limits | None:
    """Limits round the data with a little air; None when there is no value yet.

    `lines[i]` is the y that series i shows (smoothed, gaps as NaN). `fixed_x` fixes the x axis.
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
    """Least and largest value of a line; of faint raw values the middle 98 % must be seen too."""
    known = line[np.isfinite(line)]
    if not known.size:
        return np.inf, -np.inf
    low, high = float(known.min()), float(known.max())
    if one.smoothed:
        raw = np.asarray(one.y, dtype=np.float64)
        raw = raw[:: max(1, raw.size // 5000)]
        raw = raw[np.isfinite(raw) & (raw > 0)] if log else raw[np.isfinite(raw)]
        if raw.size:
            few, most = np.quantile(raw, (0.01, 0.99))
            low, high = min(low, float(few)), max(high, float(most))
    return low, high


def with_room(limits: Limits, before: Limits, fixed: bool) -> Limits:
    """Limits for a growing line: a fifth more to the right, so that charts extend a while."""
    if fixed or limits[1] <= before[1]:
        return limits
    return limits[0], limits[1] + 0.2 * (limits[1] - limits[0]), limits[2], limits[3]


def still_fits(wanted: Limits, now: Limits, fixed: bool) -> bool:
    """True while the data stay inside the axes and use most of them: no rescale is due."""
    if fixed and wanted[:2] != now[:2]:
        return False
    if not fixed and (wanted[1] > now[1] or wanted[0] != now[0]):
        return False
    inside = wanted[2] >= now[2] - 1e-12 and wanted[3] <= now[3] + 1e-12
    used = (wanted[3] - wanted[2]) / max(1e-30, now[3] - now[2])
    spread = (wanted[1] - wanted[0]) / max(1e-30, now[1] - now[0])
    return inside and used > 0.6 and spread > 0.6
