"""The arithmetic of a line plot: ticks, smoothing, and decimation to its pixels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence

import numpy as np

from core.numbers import typeset


def linear_ticks(low: float, high: float, count: int = 4, whole: bool = False) -> list[float]:
    """Returns three to six round numbers (1, 2, 2.5 or 5 times a power of ten) inside [low, high];
    with `whole` integers only, as for an axis of counts, possibly fewer.
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(span / count))
    steps = [power * factor for factor in (1, 2, 2.5, 5, 10)]
    if whole:
        steps = [step for step in steps if step >= 1 and step % 1 == 0] or [1.0]
    best = min(
        steps,
        key=lambda step: abs(math.floor(high / step) - math.ceil(low / step) + 1 - count),
    )
    first = math.ceil(low / best - 1e-9)
    last = math.floor(high / best + 1e-9)
    return [index * best for index in range(first, last + 1)]


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """Formats the ticks of one axis with as many decimals as the finest one needs: 6.0, 6.5, 7.0; a
    zero has none; below a thousandth and from a million on as 5e-4.
    """
    largest = max((abs(tick) for tick in ticks), default=0.0)
    step = min((abs(b - a) for a, b in itertools.pairwise(ticks)), default=largest) or 1.0
    if largest and not 0.999e-3 <= largest < 1e6:
        power = {tick: math.floor(math.log10(abs(tick)) + 1e-9) for tick in ticks if tick}
        parts = {tick: tick / 10.0**exponent for tick, exponent in power.items()}
        digits = _decimals(parts.values(), 0.1)
        texts = [f"{parts[t]:.{digits}f}e{power[t]}" if t else "0" for t in ticks]
    else:
        digits = _decimals(ticks, step)
        texts = [f"{tick:,.{digits}f}" if tick else "0" for tick in ticks]
    return [typeset(text) for text in texts]


def _decimals(values: Collection[float], step: float) -> int:
    """Returns how many decimals distinguish values that are `step` or more apart."""
    exact = (n for n in range(6) if all(abs(round(v, n) - v) < 1e-3 * step for v in values))
    return next(exact, 6)


SMALLEST, LARGEST = 1e-300, 1e307  # five times a power of ten must be finite


def log_ticks(low: float, high: float, room: int = 5) -> list[float]:
    """Returns powers of ten inside [low, high] (both > 0), with 2 and 5 in between if they are few:
    as many as `room` allows, at least two and at most five.
    """
    most = min(5, max(2, room))
    low, high = max(low, SMALLEST), min(high, LARGEST)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = [10.0**power for power in range(first, last + 1)]
    inside = [tick for tick in decades if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
    if len(inside) >= 3:
        return _at_most(inside, most)
    finer = sorted(tick * factor for tick in decades for factor in (1, 2, 5))
    inside = [tick for tick in finer if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
    return _at_most(inside if len(inside) >= 2 else linear_ticks(low, high), most)


def _at_most(ticks: list[float], most: int) -> list[float]:
    return ticks[:: -(-len(ticks) // most) or 1]


def smooth(values: np.ndarray, strength: float) -> np.ndarray:
    """Averages exponentially, without the start's bias (Adam's correction, Kingma and Ba 2015).

    average = strength * average + (1 - strength) * value, divided by 1 - strength ** count. Gaps
    (NaN) stay gaps and are skipped by the average. `strength` is 0 (none) to below 1.
    """
    values = np.asarray(values, dtype=np.float64)
    known = np.isfinite(values)
    out = np.full(values.shape, np.nan)
    seen = values[known]
    if strength <= 0 or seen.size == 0:
        return values.copy()
    # Doubling: after the pass with distance d, each entry sums its last 2 d values, decayed.
    averages = seen * (1.0 - strength)
    distance = 1
    while distance < seen.size and strength**distance > 1e-17:
        averages[distance:] += averages[:-distance] * strength**distance
        distance *= 2
    # The bias falls below float precision; higher powers would be slow denormals.
    biased = min(seen.size, math.ceil(math.log(1e-17) / math.log(strength)))
    averages[:biased] /= 1.0 - strength ** np.arange(1.0, biased + 1)
    out[known] = averages
    return out


def decimate(x: np.ndarray, y: np.ndarray, pixels: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns at most 2 * pixels points that keep every peak: minimum and maximum of each bucket.

    Returns (x, y, points per bucket); 1 means nothing was hidden. A bucket without any value is a
    gap (NaN).
    """
    size = len(y)
    bucket = -(-size // max(1, pixels))
    if bucket <= 2:
        return x, y, 1
    count = -(-size // bucket)
    padded = np.full(count * bucket, np.nan)
    padded[:size] = y
    rows = padded.reshape(count, bucket)
    low, high = np.fmin.reduce(rows, axis=1), np.fmax.reduce(rows, axis=1)
    starts = x[::bucket][:count].astype(np.float64)
    ends = x[np.minimum(np.arange(1, count + 1) * bucket, size) - 1].astype(np.float64)
    # The order inside a bucket follows the line's direction, which minimizes zigzags.
    falling = rows[:, 0] > np.where(np.isnan(rows[:, -1]), rows[:, 0], rows[:, -1])
    out_y = np.empty(2 * count)
    out_y[0::2] = np.where(falling, high, low)
    out_y[1::2] = np.where(falling, low, high)
    out_x = np.empty(2 * count)
    out_x[0::2], out_x[1::2] = starts, ends
    return out_x, out_y, bucket


def visible(
    x: np.ndarray, y: np.ndarray, limits: tuple[float, float], pixels: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns a line (x ascending) within `limits` and one point on each side, decimated."""
    first = max(0, int(np.searchsorted(x, limits[0])) - 1)
    last = min(len(x), int(np.searchsorted(x, limits[1], side="right")) + 1)
    return decimate(x[first:last], y[first:last], pixels)


def nice_limits(low: float, high: float, log: bool = False) -> tuple[float, float]:
    """Returns limits with a small margin around the data; a flat line gets space on both sides."""
    if log:
        ratio = max(high / low, 1.02)
        return low / ratio**0.06, high * ratio**0.06
    span = high - low
    if span <= 0:
        span = abs(high) or 1.0
    air = 0.06 * span
    return (0.0 if 0 <= low <= 0.15 * span else low - air), high + air
