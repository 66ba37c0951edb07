"""Numbers in base 2, written one below another with their digits aligned.

If the digits of two numbers do not overlap, their sum in the format of the larger one keeps
nothing of the smaller one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.training.number_formats import NumberFormat, encode, kind_of

NO_DIGIT = -1  # marks a column in which a number has no digit
SHORT = 16  # bits: the fields of longer formats are too long to read


class TracedNumber(NamedTuple):
    """A number shown in a Trace.

    step        first step of the trace's outermost level at which it is known
    is_rounded  whether rounding removes its digits below the format's last one
    """

    name: str
    value: float
    format: NumberFormat
    step: int
    is_rounded: bool = False


@dataclass(frozen=True, eq=False)
class AlignedNumbers:
    """Numbers in base 2 with their digits aligned in columns.

    first   exponent of the leftmost column's power of two
    last    exponent of the last digit that the format stores
    digits  (numbers, columns): 0 or 1; NO_DIGIT where a number has none
    """

    numbers: tuple[TracedNumber, ...]
    first: int
    last: int
    digits: np.ndarray

    @property
    def powers(self) -> np.ndarray:
        """The exponent of each column's power of two, (columns,)."""
        return self.first - np.arange(self.digits.shape[1])

    def known(self, step: int) -> tuple[TracedNumber, ...]:
        """Returns the numbers that are known at a step."""
        return tuple(number for number in self.numbers if number.step <= step)


def align(numbers: Sequence[TracedNumber], spacing: float) -> AlignedNumbers:
    """Aligns numbers by digit. `spacing`: from the stored number to the next, a power of two."""
    last = round(math.log2(spacing))
    written = [binary_digits(number.value, number.format) for number in numbers]
    firsts = [power for power, digits in written if digits]
    ends = [power - len(digits) + 1 for power, digits in written if digits]
    first, end = max([*firsts, last]), min([*ends, last])
    table = np.full((len(numbers), first - end + 1), NO_DIGIT, np.int8)
    for row, (power, digits) in zip(table, written, strict=True):
        start = first - power
        row[start : start + len(digits)] = [int(digit) for digit in digits]
    return AlignedNumbers(tuple(numbers), first, last, table)


def binary_digits(value: float, format: NumberFormat) -> tuple[int, str]:
    """Returns the first digit's power of two (its exponent) and the digits as a format stores
    them, without trailing zeros for a long format. 0, infinity and NaN have no digits.
    """
    _, exponent, mantissa = (int(part) for part in encode(value, format))
    kind = kind_of(exponent, mantissa, format)
    if kind in ("infinity", "nan") or exponent == mantissa == 0:
        return 0, ""
    digits = f"{int(kind == 'normal')}{mantissa:0{format.mantissa_bits}b}"
    power = max(exponent, 1) - format.bias
    return power, digits if format.bits <= SHORT else digits.rstrip("0")


def fields_text(value: float, format: NumberFormat) -> str:
    """Returns sign, exponent and mantissa as stored, "0 01111001 1011010"; "" for a long format."""
    if format.bits > SHORT:
        return ""
    sign, exponent, mantissa = (int(part) for part in encode(value, format))
    return f"{sign} {exponent:0{format.exponent_bits}b} {mantissa:0{format.mantissa_bits}b}"
