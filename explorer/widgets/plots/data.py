"""The data of a line plot: its series, and the values of their lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtGui import QPen

from core.numbers import THIN_SPACE, format_number
from explorer.widgets.base import Columns
from explorer.widgets.plots.math import smooth

LARGEST = 1e30  # far larger values overflow when curves are converted to pixels


@dataclass(frozen=True, eq=False)
class Series:
    """One line: x ascending, y with NaN as gaps, as are values beyond LARGEST.

    `color` is a series index or a theme role. `smoothed`: the plot's smoothing applies (raw stays
    visible, faint). `dashed` distinguishes lines without color. `marks` draws a dot at each point
    (few points). `named` writes the name at the line's end, unless a mark describes it. `faint` is
    one of many, thin and pale, named only when hovered. `exact` holds the values for tables and
    readouts if the line is drawn differently; an `aid` only guides the eye and is in neither.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    color: int | str = 0
    smoothed: bool = False
    dashed: bool = False
    marks: bool = False
    named: bool = True
    faint: bool = False
    exact: np.ndarray | None = None
    aid: bool = False

    @property
    def points(self) -> np.ndarray:
        """The exact points (n, 2)."""
        return np.stack([self.x, self.y if self.exact is None else self.exact], axis=1)

    def __post_init__(self) -> None:
        huge = np.abs(self.y) > LARGEST
        if np.any(huge):  # infinite ones too: they have no position on an axis
            object.__setattr__(self, "y", np.where(huge, np.nan, self.y))


@dataclass(frozen=True, eq=False)
class Line:
    """One curve as drawn: (n,) view coordinates with NaN as gaps, and its pen.

    `dots` are the indices of the points that get a dot.
    """

    x: np.ndarray
    y: np.ndarray
    pen: QPen
    dots: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.intp))


def shown_lines(series: Sequence[Series], log: bool, smoothing: float) -> list[np.ndarray]:
    """Returns the y of each bold line: smoothed if requested, on a log axis without y <= 0."""
    lines = []
    for one in series:
        line = np.asarray(one.y, dtype=np.float64)
        drawable = np.isfinite(line) & (line > 0) if log else np.isfinite(line)
        line = np.where(drawable, line, np.nan)
        lines.append(smooth(line, smoothing) if one.smoothed and smoothing else line)
    return lines


def dotted(y: np.ndarray, marks: bool) -> np.ndarray:
    """Returns the points with a dot: all with `marks`, else those between two gaps."""
    known = np.isfinite(y)
    alone = known & ~np.r_[False, known[:-1]] & ~np.r_[known[1:], False]
    return np.flatnonzero(known if marks else alone)


def ends_of(series: Sequence[Series], lines: Sequence[np.ndarray]) -> dict[str, float]:
    """Returns the last value of each series' line; a line of gaps alone has none."""
    found = {}
    for one, line in zip(series, lines, strict=True):
        known = np.flatnonzero(np.isfinite(line))
        if known.size:
            found[one.name] = float(line[known[-1]])
    return found


def last_values(
    series: Sequence[Series], lines: Sequence[np.ndarray], labels: tuple[str, str],
    smoothing: float = 0.0,
) -> list[str]:  # fmt: skip
    """Describes the last value of every line: "train (smoothed): 2.71 at step 240", "rate: 0.01 at
    t = 3"; a constant line without its x, "blind guess: 7.34". `labels` are those of the axes.
    """
    x_label, y_label = labels
    unit = f"{THIN_SPACE}%" if y_label.endswith("(%)") else ""
    where = f"{x_label} =" if len(x_label) == 1 else x_label
    parts = []
    for one, line in zip(series, lines, strict=True):
        known = np.flatnonzero(np.isfinite(line))
        if known.size and not (one.aid or one.faint):
            last, told = known[-1], line if one.exact is None else one.exact
            smoothed = " (smoothed)" if one.smoothed and smoothing and one.exact is None else ""
            is_level = known.size > 1 and bool(np.all(told[known] == told[last]))
            at = "" if is_level else f" at {where} {format_number(one.x[last])}"
            parts.append(f"{one.name}{smoothed}: {format_number(told[last])}{unit}{at}")
    return parts


def values_at(series: Sequence[Series], lines: Sequence[np.ndarray], x: float) -> list[float]:
    """Returns the value of every line at its recorded point nearest to `x`; NaN if it has none, or
    if `x` is beyond its ends by more than the mean distance of two points.
    """
    values = []
    for one, line in zip(series, lines, strict=True):
        if not len(one.x) or one.aid:
            values.append(float("nan"))
            continue
        first, last = float(one.x[0]), float(one.x[-1])
        at = int(np.clip(np.searchsorted(one.x, x), 0, len(one.x) - 1))
        if at and abs(one.x[at - 1] - x) < abs(one.x[at] - x):
            at -= 1
        reach = max(1.0, (last - first) / max(1, len(one.x) - 1))
        line = line if one.exact is None else one.exact
        values.append(float(line[at]) if first - reach <= x <= last + reach else float("nan"))
    return values


def columns_of(x_label: str, series: Sequence[Series]) -> Columns:
    """Returns one table of several series, the topmost first: a row for every x, empty (masked)
    where a series has no point.
    """
    name = x_label.split(" (")[0] or "x"
    series = [one for one in series if not one.aid]
    if not series:
        return Columns()
    x = np.unique(np.concatenate([np.asarray(one.x, np.float64) for one in series]))
    whole = bool(np.all(x == np.round(x)))
    table = Columns({name: x.astype(np.int64) if whole else x})
    for one in reversed(series):
        values = np.ma.masked_all(x.size)
        values[np.searchsorted(x, one.x)] = one.points[:, 1]
        table[one.name] = values
    return table
