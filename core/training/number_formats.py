"""Number formats: how a few bits represent a number, and how a value is rounded to fit into them.

A floating-point number has a sign s, an exponent e and a mantissa m of M bits:

    (-1)^s  2^(e - bias)  (1 + m / 2^M)     normal
    (-1)^s  2^(1 - bias)  m / 2^M           subnormal, if e is 0; m = 0 is zero
    infinity and NaN                        if every bit of e is 1

So numbers are dense around zero, and twice as far apart at each next power of two. The exponent
bits set the range of the format, the mantissa bits its precision. A value between two neighbors
becomes the nearer one; halfway, the one whose last bit is 0.

Sources: IEEE 754-2019, sections 3.4 and 4.3.1; fp8: Micikevicius et al. 2022 (FP8 Formats for Deep
Learning), section 3. A GPU rounds to TF32 only inside a matrix product, and rounds a value halfway
between two others away from zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class Window(NamedTuple):
    """A format's exponents of 2: from 2^first on, numbers are not 0; from 2^normal on, they have
    all their digits, up to 2^last.
    """

    first: float
    normal: float
    last: float


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A sign, `exponent_bits` and `mantissa_bits`.

    has_infinity  False: NaN only if every bit is 1, so the last exponent has numbers, too ("fn":
                  finite, NaN). A value that is too large becomes the largest number; torch before
                  2.12 made it NaN, and the standard leaves it open
    """

    name: str
    exponent_bits: int
    mantissa_bits: int
    has_infinity: bool = True

    @property
    def bits(self) -> int:
        """Number of bits; TF32's 19 are stored in 32."""
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def parts(self) -> int:
        """Number of equal parts between a power of two and the next: 2^M."""
        return 1 << self.mantissa_bits

    @property
    def bias(self) -> int:
        """Number subtracted from the exponent's bits, which allows powers below 1."""
        return (1 << (self.exponent_bits - 1)) - 1

    @property
    def last_exponent(self) -> int:
        """Value of the exponent's bits if all are 1: infinity and NaN."""
        return (1 << self.exponent_bits) - 1

    @property
    def largest(self) -> float:
        """The largest finite number."""
        if self.has_infinity:
            return (2.0 - 1.0 / self.parts) * 2.0**self.bias
        return (2.0 - 2.0 / self.parts) * 2.0 ** (self.bias + 1)

    @property
    def smallest_normal(self) -> float:
        """The smallest positive number with all digits."""
        return 2.0 ** (1 - self.bias)

    @property
    def smallest_subnormal(self) -> float:
        """The smallest positive number; a value of at most half of it becomes 0."""
        return self.smallest_normal / self.parts

    @property
    def window(self) -> Window:
        """The range of the format, in powers of two."""
        limits = self.smallest_subnormal, self.smallest_normal, self.largest
        return Window(*map(math.log2, limits))

    @property
    def epsilon(self) -> float:
        """Distance from 1 to the next number."""
        return 1.0 / self.parts

    @property
    def overflow(self) -> float:
        """The smallest value that is too large: half a step above the largest number."""
        _, above = math.frexp(self.largest)
        return self.largest + 2.0 ** (above - 2 - self.mantissa_bits)

    def round(self, values: Any) -> np.ndarray:
        """Returns values rounded to numbers of the format, as float64."""
        return rounding(values, self).stored


FORMATS = {
    one.name: one
    for one in (
        NumberFormat("fp64", 11, 52),
        NumberFormat("fp32", 8, 23),
        NumberFormat("tf32", 8, 10),
        NumberFormat("bf16", 8, 7),
        NumberFormat("fp16", 5, 10),
        NumberFormat("fp8 e5m2", 5, 2),
        NumberFormat("fp8 e4m3fn", 4, 3, has_infinity=False),
    )
}


class Bits(NamedTuple):
    """The three bit fields of stored numbers, as integers."""

    sign: np.ndarray
    exponent: np.ndarray
    mantissa: np.ndarray


class Rounding(NamedTuple):
    """Every intermediate of a rounding.

    exponent  exponent of the power of two at or below the value
    spacing   distance between neighboring numbers of the format there
    steps     the value as a multiple of the spacing
    whole     `steps` rounded to the nearest integer
    rounded   `whole` times the spacing
    stored    the same; beyond the largest number, infinity (the largest in a format without it)
    """

    exponent: np.ndarray
    spacing: np.ndarray
    steps: np.ndarray
    whole: np.ndarray
    rounded: np.ndarray
    stored: np.ndarray


def rounding(value: Any, format: NumberFormat) -> Rounding:
    """Rounds values, of any shape, to the nearest numbers of a format, one step per line."""
    with np.errstate(all="ignore"):  # infinity and NaN stay what they are
        value, mantissa_bits = np.asarray(value, np.float64), format.mantissa_bits
        exponent = _exponent(value, format)
        spacing = 2.0 ** (exponent - mantissa_bits)  # step: spacing
        steps = value / spacing  # step: steps
        whole = np.rint(steps)  # a tie goes to the even one  # step: whole
        rounded = whole * spacing  # step: rounded
        beyond = np.copysign(np.inf if format.has_infinity else format.largest, value)
        is_beyond = np.abs(rounded) > format.largest
        stored = np.where(is_beyond, beyond, rounded)  # step: stored
    return Rounding(exponent, spacing, steps, whole, rounded, stored)


def _exponent(value: np.ndarray, format: NumberFormat) -> np.ndarray:
    """Returns the exponent of the power of two at or below each value, at least 1 - bias."""
    _, above = np.frexp(value)  # the next power of two above
    return np.maximum(above - 1, 1 - format.bias)


def encode(values: Any, format: NumberFormat) -> Bits:
    """Returns the bits of stored values, rounded by `rounding`."""
    stored = format.round(values)
    infinite, nan = np.isinf(stored), np.isnan(stored)
    size = np.where(infinite | nan, 0.0, np.abs(stored))
    power = _exponent(size, format)
    whole = size / 2.0 ** (power - format.mantissa_bits)
    is_normal = whole >= format.parts
    exponent = np.where(is_normal, power + format.bias, 0)
    mantissa = np.where(is_normal, whole - format.parts, whole)
    not_a_number = format.parts // 2 if format.has_infinity else format.parts - 1
    exponent = np.where(infinite | nan, format.last_exponent, exponent)
    mantissa = np.where(nan, not_a_number, mantissa)
    sign = np.signbit(stored)
    return Bits(*(part.astype(np.int64) for part in (sign, exponent, mantissa)))


def decode(sign: int, exponent: int, mantissa: int, format: NumberFormat) -> float:
    """Returns the number represented by the bits; each kind of number has its own line."""
    kind, parts, endless = kind_of(exponent, mantissa, format), format.parts, math.inf
    direction = 1 - 2 * sign
    power = max(exponent, 1) - format.bias
    if kind == "normal":
        value = direction * 2.0**power * (1 + mantissa / parts)  # step: normal
    elif kind == "subnormal":
        value = direction * 2.0**power * (mantissa / parts)  # step: subnormal
    elif kind == "infinity":
        value = direction * endless  # step: infinity
    else:
        value = math.nan  # step: nan
    return value


def kind_of(exponent: int, mantissa: int, format: NumberFormat) -> str:
    """Returns "normal", "subnormal" (zero, too), "infinity" or "nan"."""
    if exponent == 0:
        return "subnormal"
    if exponent < format.last_exponent:
        return "normal"
    if format.has_infinity:
        return "nan" if mantissa else "infinity"
    return "nan" if mantissa == format.parts - 1 else "normal"
