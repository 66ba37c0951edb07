"""The output along one number of an input, as samples of a curve. No Qt."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from core.autograd import are_single_after, output_if, outputs_if
from core.jobs import Pace
from explorer.panes.backprop.expression.compute import Array, Computed

SAMPLES = 200
UNEVEN = 0.6  # of a sample interval: aliasing then looks like noise, not like a slow wave
HUGE = 1e300  # larger values are clipped to this
ROUNDED = 1e-12  # relative to the magnitude


@dataclass(frozen=True, eq=False)
class Curve:
    """xs, ys (SAMPLES,): xs ascend; ys is infinite or NaN where the function has no value."""

    xs: Array
    ys: Array

    def heights(self, result: float) -> tuple[float, float]:
        """Returns the range of y to draw while the dot is at `result`: a distant pole must not
        flatten the curve.
        """
        finite = np.clip(self.ys[np.isfinite(self.ys)], -HUGE, HUGE)
        if finite.size == 0:
            return -1.0, 1.0
        low, high = np.quantile(finite, [0.02, 0.98]).tolist()
        if abs(result) < HUGE:
            low, high = min(low, result), max(high, result)
        size = max(1.0, abs(low), abs(high))
        if high - low < ROUNDED * size:  # flat except for rounding
            low, high = low - size, high + size
        room = 0.06 * (high - low)
        return low - room, high + room

    def runs(self, low: float, high: float) -> list[slice]:
        """Returns the runs of samples to join by a line within a range of y: the line breaks where
        the function has no value, and where it jumps from below the picture to above it, as at a
        pole.
        """
        there = np.isfinite(self.ys)
        side = np.where(self.ys > high, 1, np.where(self.ys < low, -1, 0))
        joined = there[:-1] & there[1:] & (side[:-1] * side[1:] >= 0)
        ends = np.flatnonzero(np.diff(np.r_[False, joined, False]))
        return [slice(begin, end + 1) for begin, end in ends.reshape(-1, 2).tolist()]


def sample_steps(
    computed: Computed, number: int, element: int, low: float, high: float
) -> Generator[None, None, Curve]:
    """Samples the curve from `low` to `high` along element `element` of a leaf: all samples at once
    if every operation makes single numbers, otherwise one after the other.
    """
    xs = np.linspace(low, high, SAMPLES)
    piece = (high - low) / (SAMPLES - 1)
    xs[1:-1] += UNEVEN * piece * np.random.default_rng(0).uniform(-0.5, 0.5, SAMPLES - 2)
    if are_single_after(computed.graph, number):
        return Curve(xs, outputs_if(computed.graph, number, xs))
    ys, pace = np.empty(SAMPLES), Pace()
    for index, x in enumerate(xs):
        ys[index] = output_at(computed, number, element, float(x))
        if pace.is_due():
            yield
            pace.go_on()
    return Curve(xs, ys)


def output_at(computed: Computed, number: int, element: int, value: float) -> float:
    """Returns the output if one element of a leaf were `value`."""
    data = np.array(computed.value(number))
    data.reshape(-1)[element] = value
    return float(output_if(computed.graph, number, data).item())
