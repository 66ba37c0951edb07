"""Formats numbers: 0 keeps its sign, because 1 / -0 is -infinity, and two numbers that are compared
get enough digits to show whether they are equal. No Qt.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from core.numbers import format_number, format_short, format_significant
from explorer.widgets.equations import Equation, Terms

numeral = partial(format_number, zero_sign=True)
short_numeral = partial(format_short, zero_sign=True)
significant = partial(format_significant, zero_sign=True)
BOTH = ("text", "text")
DIGITS = range(3, 13)  # that two numbers may have that are compared
MOST_ALIKE = 7  # of these, where both count as the same


def equation(name: str, value: float | str, role: str = "text", note: str = "") -> Equation:
    """A row of the inspector."""
    if not isinstance(value, str) and value == 0:
        value = numeral(value)
    return Equation(name, value, role, note)


def terms(
    name: str,
    left: np.ndarray,
    right: np.ndarray,
    labels: Sequence[str],
    result: float,
    role: str = "accent",
) -> Terms:
    """A sum of products in the inspector."""
    return Terms(name, left, right, BOTH, labels, result, role, zero_sign=True)


def compared(one: float, two: float, same: bool) -> tuple[str, str]:
    """Two numbers with equally many digits: they read alike if they count as the `same`, and
    differ if they do not. Two that agree only because both are small keep their own digits.
    """
    for digits in DIGITS:
        both = significant(one, digits), significant(two, digits)
        alike = _value(both[0]) == _value(both[1])
        if alike and same:
            return both[0], both[0]  # 1 and 1.00 are written in one way
        if not (alike or same):
            return both
        if same and digits == MOST_ALIKE:
            break
    return significant(one), significant(two)


def short_compared(one: float, two: float, same: bool, letters: int) -> tuple[str, str]:
    """The same, in at most this many letters."""
    first, second = compared(one, two, same)
    if max(len(first), len(second)) <= letters:
        return first, second
    short = short_numeral(one, letters)
    return short, short if first == second else short_numeral(two, letters)


def _value(text: str) -> float:
    return float(text.replace("\u2212", "-").replace(",", "").replace("\u221e", "inf"))
