"""The output along one number of an input, as samples of a curve. No Qt."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from core.autograd import are_single_after, output_if, outputs_if
from core.jobs import Pace
from explorer.panes.backprop.expression.compute import Array, Computed

SAMPLES = 200
UNEVEN = 0.6  # of a piece: too fast a wave then looks like noise, and not like a slow wave
HUGE = 1e300  # what is larger is drawn so high
ROUNDED = 1e-12  # of the size of the numbers


@dataclass(frozen=True, eq=False)
class Curve:
    """xs, ys (SAMPLES,): xs ascend; ys is infinite or nan where the function has no value."""

    xs: Array
    ys: Array

    def heights(self, result: float) -> tuple[float, float]:
        """The heights between which it is drawn while its dot is at `result`: a pole far away must
        not flatten it.
        """
        finite = np.clip(self.ys[np.isfinite(self.ys)], -HUGE, HUGE)
        if finite.size == 0:
            return -1.0, 1.0
        low, high = np.quantile(finite, [0.02, 0.98]).tolist()
        if abs(result) < HUGE:
            low, high = min(low, result), max(high, result)
        size = max(1.0, abs(low), abs(high))
        if high - low < ROUNDED * size:  # flat, but for rounding
            low, high = low - size, high + size
        room = 0.06 * (high - low)
        return low - room, high + room

    def runs(self, low: float, high: float) -> list[slice]:
        """The samples that are joined by a line between two heights: it breaks where the function
        has no value, and where it leaps from below the picture to above it, as at a pole.
        """
        there = np.isfinite(self.ys)
        side = np.where(self.ys > high, 1, np.where(self.ys < low, -1, 0))
        joined = there[:-1] & there[1:] & (side[:-1] * side[1:] >= 0)
        ends = np.flatnonzero(np.diff(np.r_[False, joined, False]))
        return [slice(begin, end + 1) for begin, end in ends.reshape(-1, 2).tolist()]


def sample_steps(
    computed: Computed, number: int, element: int, low: float, high: float
) -> Generator[None, None, Curve]:
    """The curve from `low` to `high` of number `element` of a leaf: all samples at once where each
    operation makes single numbers, else one after the other.
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
    """The output if one number of a leaf were `value`."""
    data = np.array(computed.value(number))
    data.reshape(-1)[element] = value
    return float(output_if(computed.graph, number, data).item())
