"""Numbers in base 2, one below the other and digit below digit.

Where the digits of two numbers do not overlap, the sum in the format of the larger one keeps
nothing of the smaller one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.training.number_formats import NumberFormat, encode, kind_of

NO_DIGIT = -1  # where a number has no digit
SHORT = 16  # bits of the formats whose fields are short enough to read


class TracedNumber(NamedTuple):
    """A number that a Trace tells of.

    step        of the trace's outermost level from which on it is known
    is_rounded  whether its digits below the last one of the format come to be lost
    """

    name: str
    value: float
    format: NumberFormat
    step: int
    is_rounded: bool = False


@dataclass(frozen=True, eq=False)
class AlignedNumbers:
    """Numbers one below the other.

    first   the power of two that a digit of the leftmost column counts
    last    that of the last digit that the format keeps
    digits  (numbers, columns): 0 or 1; NO_DIGIT where a number has none
    """

    numbers: tuple[TracedNumber, ...]
    first: int
    last: int
    digits: np.ndarray

    @property
    def powers(self) -> np.ndarray:
        """The power of two of each column, (columns,)."""
        return self.first - np.arange(self.digits.shape[1])

    def known(self, step: int) -> tuple[TracedNumber, ...]:
        """The numbers that are known at a step."""
        return tuple(number for number in self.numbers if number.step <= step)


def align(numbers: Sequence[TracedNumber], spacing: float) -> AlignedNumbers:
    """Digit below digit. `spacing`: from the stored number to its neighbor, a power of two."""
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
    """The power of two that the first digit counts, and the digits as a format stores them; of a
    long one without the zeros at the end. 0, infinity and NaN have none.
    """
    _, exponent, mantissa = (int(part) for part in encode(value, format))
    kind = kind_of(exponent, mantissa, format)
    if kind in ("infinity", "nan") or exponent == mantissa == 0:
        return 0, ""
    digits = f"{int(kind == 'normal')}{mantissa:0{format.mantissa_bits}b}"
    power = max(exponent, 1) - format.bias
    return power, digits if format.bits <= SHORT else digits.rstrip("0")


def fields_text(value: float, format: NumberFormat) -> str:
    """Sign, exponent and mantissa as they are stored, "0 01111001 1011010"; "" of a long format."""
    if format.bits > SHORT:
        return ""
    sign, exponent, mantissa = (int(part) for part in encode(value, format))
    return f"{sign} {exponent:0{format.exponent_bits}b} {mantissa:0{format.mantissa_bits}b}"
