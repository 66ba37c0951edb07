"""What stands where in the pictures of Precision; plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.numbers import format_significant
from core.training.exponents import (
    ExponentHistogram,
    Lost,
    lost_by_power,
    powers,
    share_lost,
)
from core.training.number_formats import FORMATS, NumberFormat, encode, kind_of

LOW, HIGH = -40, 16  # the powers of two on the axis; what lies beyond counts at its ends
SHOWN = ("fp32", "bf16", "fp16", "fp8 e5m2", "fp8 e4m3fn")
LARGEST_SCALE = 30  # the loss scale goes from 2^0 to 2^30


@dataclass(frozen=True)
class Window:
    """The powers of two of a format, and what it loses: from `first` on numbers are not 0, from
    `normal` on they have all digits, up to `last`.
    """

    name: str
    first: float
    normal: float
    last: float
    lost: Lost


@dataclass(frozen=True, eq=False)
class HistogramScene:
    """Shares by power of two, from LOW to HIGH, and the part of each that `format` loses as 0, of
    its digits, by overflow: (3, n). `shift`: by which power of two all were multiplied.
    """

    format: str
    shift: int
    shares: np.ndarray
    lost: np.ndarray
    windows: tuple[Window, ...]

    @property
    def middle(self) -> float:
        """The power of two about which they lie."""
        powers = np.arange(LOW, HIGH + 1)
        return float(self.shares @ powers) / max(float(self.shares.sum()), 1e-12)

    @property
    def window(self) -> Window:
        """Of the format that is chosen."""
        return self.windows[SHOWN.index(self.format)]


def histogram_scene(histogram: ExponentHistogram, format: str, shift: int = 0) -> HistogramScene:
    shares = histogram.counts / max(histogram.total, 1)
    columns = np.clip(powers() + shift, LOW, HIGH) - LOW
    parts = (shares, *(part * shares for part in lost_by_power(FORMATS[format], shift)))
    folded = [np.bincount(columns, part, HIGH - LOW + 1) for part in parts]
    windows = tuple(
        Window(
            name,
            math.log2(FORMATS[name].smallest_subnormal),
            math.log2(FORMATS[name].smallest_normal),
            math.log2(FORMATS[name].largest),
            share_lost(histogram, FORMATS[name], shift),
        )
        for name in SHOWN
    )
    return HistogramScene(format, shift, folded[0], np.array(folded[1:]), windows)


def marker_power(values: Sequence[float], position: float) -> float:
    """Where on the axis a number is that takes these values one after another."""
    places = [_place(value) for value in values]
    at = min(int(position), len(places) - 1)
    following = places[min(at + 1, len(places) - 1)]
    return places[at] + (position - int(position)) * (following - places[at])


def _place(value: float) -> float:
    if not value or math.isinf(value):
        return LOW if not value else HIGH + 1
    return min(max(math.log2(abs(value)), LOW), HIGH + 1)


@dataclass(frozen=True)
class BitRow:
    """A number's digits as bits, the first of which counts 2^power; none of 0 and infinity.

    event   the step of the track from which on it is there
    fields  sign, exponent and mantissa as they are stored, where they are few
    is_cut  the format comes to it: it has no room for bits below its last one
    """

    name: str
    value: float
    power: int
    bits: tuple[int, ...]
    fields: str
    event: int
    is_cut: bool = False

    @property
    def words(self) -> str:
        return format_significant(self.value, 5)


@dataclass(frozen=True)
class BitsScene:
    """Numbers one below the other, bit below bit. `last`: the smallest power of two that the format
    can tell in the stored one.
    """

    rows: tuple[BitRow, ...]
    format: str
    last: int

    @property
    def first(self) -> int:
        """The power of two of the leftmost bit."""
        return max((row.power for row in self.rows if row.bits), default=0)

    @property
    def end(self) -> int:
        """That of the rightmost one."""
        ends = [row.power - len(row.bits) + 1 for row in self.rows if row.bits]
        return min([*ends, self.last])


def bit_row(
    name: str, value: float, format: NumberFormat, event: int, is_cut: bool = False
) -> BitRow:
    sign, exponent, mantissa = (int(part) for part in encode(value, format))
    written = ""
    if format.bits <= 16:
        written = f"{sign} {exponent:0{format.exponent_bits}b} "
        written += f"{mantissa:0{format.mantissa_bits}b}"
    kind = kind_of(exponent, mantissa, format)
    if value == 0 or kind in ("infinity", "nan"):
        return BitRow(name, value, 0, (), written, event, is_cut)
    digits = f"{int(kind == 'normal')}{mantissa:0{format.mantissa_bits}b}"
    if format.bits > 16:
        digits = digits.rstrip("0")
    power = max(exponent, 1) - format.bias
    return BitRow(name, value, power, tuple(map(int, digits)), written, event, is_cut)


def bits_scene(rows: Sequence[BitRow], stored: float, format: NumberFormat) -> BitsScene:
    _, above = math.frexp(stored if math.isfinite(stored) else format.largest)
    power = max(above - 1, 1 - format.bias) if stored else 1 - format.bias
    return BitsScene(tuple(rows), format.name, power - format.mantissa_bits)
