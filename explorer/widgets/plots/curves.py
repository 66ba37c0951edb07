"""Converts series to the curves of a plot: thinned to its pixels, faint below bold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from explorer import theme
from explorer.widgets.plots.data import Line, Series, dotted
from explorer.widgets.plots.limits import Limits
from explorer.widgets.plots.math import visible

COLUMN = 1.5  # px: a 2 px line can show one minimum and one maximum in this width


@dataclass
class Curves:
    """The curves, the lowest first; the greatest number of points per column of pixels, and the
    number of values beyond the axes.
    """

    lines: list[Line] = field(default_factory=list)
    bucket: int = 1
    outside: int = 0


def color_of(one: Series) -> QColor:
    now = theme.current()
    return QColor(now.series(one.color) if isinstance(one.color, int) else now.color(one.color))


def curves_of(
    series: Sequence[Series],
    lines: Sequence[np.ndarray],
    limits: Limits,
    width: float,
    log: bool,
    faint: bool,
) -> Curves:
    """Returns the curves; `lines[i]` is series i's bold one; `faint` adds unsmoothed values."""
    made = Curves()
    for one, line in zip(series, lines, strict=True):
        color, thick = color_of(one), 1 if one.faint else 2
        if one.faint:
            color.setAlphaF(theme.RAW_OPACITY)
        if one.smoothed:
            raw = np.asarray(one.y, np.float64)
            seen = raw[slice(*np.searchsorted(one.x, limits[:2]))]
            below = seen < limits[2]
            if log:  # zero and negative values have no position there
                below &= seen > 0
            made.outside += np.count_nonzero(seen > limits[3]) + np.count_nonzero(below)
            if faint:
                pale = QColor(color)
                pale.setAlphaF(theme.RAW_OPACITY)
                _add(made, one, raw, pale, 1, limits, width, log)
        _add(made, one, line, color, thick, limits, width, log)
    return made


def _add(
    made: Curves,
    one: Series,
    y: np.ndarray,
    color: QColor,
    thick: float,
    limits: Limits,
    width: float,
    log: bool,
) -> None:
    """Adds one curve, thinned to the columns of pixels."""
    columns = max(64, int(width / COLUMN))
    x, y, bucket = visible(np.asarray(one.x, np.float64), y, limits[:2], columns)
    if log:
        y = np.log10(y, where=y > 0, out=np.full(len(y), np.nan))
    made.bucket = max(made.bucket, bucket)
    pen = theme.current().pen(color, thick)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    # High contrast distinguishes neighbors by more than color.
    odd = isinstance(one.color, int) and one.color % 2 == 1
    if one.dashed or (theme.current().contrast and odd):
        pen.setDashPattern([4.0, 3.0])
    made.lines.append(Line(x, y, pen, dotted(y, one.marks)))
