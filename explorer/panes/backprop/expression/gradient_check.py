"""Compares a gradient with the numeric one, and gives both enough digits to see. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.autograd import NumericGradient
from core.numbers import ABOUT, format_number, format_significant
from explorer.panes.backprop.expression.compute import Array
from explorer.panes.backprop.expression.what_if import WhatIf

AGREES = 1e-6  # the largest relative difference of equal gradients

DIGITS = range(3, 13)  # significant digits for two compared numbers
MOST_ALIKE = 7  # most digits, if both count as equal

SAME = "\u2713"
AGREE = ("agrees", "Nudging the input gives the same gradient")
ROUNDED = ("agrees within rounding", "The difference is no larger than rounding errors")
DIFFERS = (
    "differs: kink or bend",
    "The slope changes here even within the smallest nudge",
)
NOTHING = ("cannot be compared", "Only finite gradients can be compared")


@dataclass(frozen=True)
class Comparison:
    """The result of a gradient check.

    words     short, with the numeric gradient; "" if that is not known
    sentence  a full sentence
    slope     the gradient, with as many digits as the numeric one
    """

    words: str
    sentence: str
    slope: str


def comparison(what: WhatIf, numeric: NumericGradient | None) -> Comparison:
    if numeric is None:
        return Comparison("", "", format_number(what.gradient))
    slope = float(numeric.slopes.reshape(-1)[what.element])
    short, sentence = _verdict(
        what.gradient, slope, float(numeric.errors.reshape(-1)[what.element])
    )
    gradient, nudged = compared(what.gradient, slope, agree(what.gradient, slope))
    return Comparison(f"numeric gradient: {nudged} ({short})", sentence, gradient)


def _verdict(gradient: float, numeric: float, its_error: float) -> tuple[str, str]:
    if not math.isfinite(difference(gradient, numeric)):
        return NOTHING
    if agree(gradient, numeric):
        first, second = compared(gradient, numeric, True)
        return AGREE if first == second else ROUNDED
    return ROUNDED if is_within_error(gradient, numeric, its_error) else DIFFERS


def mark_of(gradient: Array, numeric: NumericGradient) -> tuple[str, str]:
    """Returns a sign for the agreement, and its color."""
    if agree(gradient, numeric.slopes):
        return SAME, "success"
    if is_within_error(gradient, numeric.slopes, numeric.errors):
        return ABOUT, "muted"
    return "\u2260", "warning"


def agree(gradient: Array | float, numeric: Array | float) -> bool:
    """True if a gradient equals the numeric one."""
    return difference(gradient, numeric) < AGREES


def difference(gradient: Array | float, numeric: Array | float) -> float:
    """Returns the largest difference, relative to the larger of both (absolute below 1)."""
    with np.errstate(all="ignore"):
        return float(np.abs(np.subtract(gradient, numeric)).max()) / _size(gradient, numeric)


def is_within_error(gradient: Array | float, numeric: Array | float, errors: Array | float) -> bool:
    """True if every element differs by no more than the error of the numeric gradient."""
    least = np.maximum(errors, AGREES * _size(gradient, numeric))
    with np.errstate(all="ignore"):
        return bool((np.abs(np.subtract(gradient, numeric)) <= least).all())


def _size(gradient: Array | float, numeric: Array | float) -> float:
    return max(1.0, float(np.abs(gradient).max()), float(np.abs(numeric).max()))


def compared(one: float, two: float, same: bool) -> tuple[str, str]:
    """Formats two numbers with equally many digits: they look equal if they count as the `same`,
    and differ otherwise. Two that agree only because both are small keep their own digits.
    """
    for digits in DIGITS:
        both = format_significant(one, digits), format_significant(two, digits)
        alike = _value(both[0]) == _value(both[1])
        if alike and same:
            return both[0], both[0]  # not 1 and 1.00
        if not (alike or same):
            return both
        if same and digits == MOST_ALIKE:
            break
    return format_significant(one), format_significant(two)


def _value(text: str) -> float:
    return float(text.replace("\u2212", "-").replace(",", "").replace("\u221e", "inf"))
