"""The visible part of a plot's x axis: zoomed about a point, moved, and kept within its ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from explorer.widgets.plots.data import Series

Span = tuple[float, float]  # (low, high) of x
NARROWEST = 5.0  # of x: fewer steps make no line


def zoomed(shown: Span, whole: Span, factor: float, at: float) -> Span | None:
    """Returns the span zoomed by `factor` about the fixed point `at`; None: the whole axis."""
    before = shown[1] - shown[0]
    width = max(before / factor, NARROWEST)
    if width >= whole[1] - whole[0]:
        return None
    return _within(at - (at - shown[0]) * width / before, width, whole)


def moved(shown: Span, whole: Span, by: float) -> Span:
    """Returns a span of the same width, `by` further to the right."""
    return _within(shown[0] + by, shown[1] - shown[0], whole)


def _within(low: float, width: float, whole: Span) -> Span:
    low = max(whole[0], min(low, whole[1] - width))
    return low, low + width


def parts(
    series: Sequence[Series], lines: Sequence[np.ndarray], span: Span
) -> tuple[list[Series], list[np.ndarray]]:
    """Returns the part of each series and its line inside a span."""
    ends = [np.searchsorted(one.x, span) for one in series]
    cut = [slice(first, last + 1) for first, last in ends]
    kept = [replace(one, x=one.x[at], y=one.y[at]) for one, at in zip(series, cut, strict=True)]
    return kept, [line[at] for line, at in zip(lines, cut, strict=True)]
