"""Arithmetic as on paper: numbers and signs in a row, with just enough digits to check it.

A `Term` is a number, or a sign with other terms. `written` turns it into text; `solve` finds how
many digits its numbers need, so that a pocket calculator, given the written numbers, shows the
written result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.numbers import ABOUT, INFINITY, MINUS, TIMES, format_significant

ENOUGH, FINE, EXACT = 3, 7, 17  # digits of a result, of one that hardly changes, and of any float64
NEAR = 1e-9  # relative: rounding is arbitrary this near the middle of two numbers
ROUNDING = 2.0**-52  # relative error of one 64-bit operation
RAISED = str.maketrans("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
ROOT, POWER = "\u221a", "e^"
CALLED = ("log", "tanh", "sin", "cos", "max")  # written as functions


@dataclass(frozen=True, slots=True)
class Term:
    """A number, or `sign` applied to `parts`.

    sign    "" a number; "+" (any count), "-", "\u00d7", "/", "^"; "neg", "\u221a", "| |", "e^", or
            one of CALLED; "more" the sum of `count` others, "less" the `count` others of a maximum
    value   of a number, and of "more"
    name    the number's name in the code; "" for a literal in the code
    anchor  whether readers want to see how far the result is from this number
    """

    sign: str = ""
    parts: tuple[Term, ...] = ()
    value: float = 0.0
    name: str = ""
    count: int = 0
    anchor: bool = False

    def numbers(self) -> Iterator[Term]:
        """Yields every named number, from left to right."""
        if not self.sign and self.name:
            yield self
        for part in self.parts:
            yield from part.numbers()


def number(value: float, name: str = "", anchor: bool = False) -> Term:
    """Returns a Term of one number; `Term` documents the arguments."""
    return Term(value=float(value), name=name, anchor=anchor)


class Piece(NamedTuple):
    """A part of a written line; `name` is the code's name for a number, "" for signs."""

    text: str
    name: str = ""


class Solved(NamedTuple):
    """The written pieces, their result, and whether working them out gives that result."""

    pieces: tuple[Piece, ...]
    result: str
    exact: bool


def solve(term: Term, result: float) -> Solved:
    """Writes the term with as few digits, three or more, as the reader needs to check its result,
    and to see how far the result moved from an anchor. `exact` is False if no number of digits
    suffices, because the result is tiny compared with its parts.
    """
    if not math.isfinite(result):
        return Solved(written(term, ENOUGH), told(result, ENOUGH), True)
    found = None
    for digits in range(ENOUGH, FINE + 1):
        count = _digits_for(term, result, digits)
        if not count:
            continue
        solved = Solved(written(term, count), told_result(result, digits), True)
        if _moves(term, result, digits, count):
            return solved
        found = found or solved
    return found or Solved(written(term, FINE), told_result(result, ENOUGH), False)


def _digits_for(term: Term, result: float, digits: int) -> int:
    """Returns how many digits each number needs for a result of `digits` digits, or 0 if none
    suffice.
    """
    if not _agrees(term, result, digits, EXACT):
        return 0
    return next(count for count in range(digits, EXACT + 1) if _agrees(term, result, digits, count))


def _agrees(term: Term, result: float, digits: int, count: int) -> bool:
    made, error = evaluated(term, count)
    if not math.isfinite(made):
        return False
    if not result:
        return not made
    slack = error + NEAR * abs(made)
    ends = (read(format_significant(end, digits)) for end in (made - slack, made + slack))
    return all(end == read(format_significant(result, digits)) for end in ends)


def _moves(term: Term, result: float, digits: int, count: int) -> bool:
    """Returns True if the written distance of the result from each anchor is right to a half."""
    shown = read(format_significant(result, digits))
    return all(
        abs((shown - read(told(one.value, count))) - (result - one.value))
        <= abs(result - one.value) / 2
        for one in term.numbers()
        if one.anchor and math.isfinite(one.value)
    )


# The value of the written numbers ------------------------------------------------------------


def evaluated(term: Term, count: int = EXACT) -> tuple[float, float]:
    """Returns the value of the numbers as written, each with `count` digits, and a bound on how far
    rounding may have moved it.
    """
    with np.errstate(all="ignore"):
        value, error = _evaluated(term, count)
    return float(value), float(error)


def _evaluated(term: Term, count: int) -> tuple[np.float64, np.float64]:
    if term.sign in ("", "more"):
        text = told(term.value, count, as_written=not term.sign and not term.name)
        return np.float64(read(text)), np.float64(0)
    made = [_evaluated(part, count) for part in term.parts if part.sign != "less"]
    (a, a_off), (b, b_off) = made[0], made[-1]
    match term.sign:
        case "+":
            value, error = a, a_off
            for more, more_off in made[1:]:
                value = value + more
                error = error + more_off + ROUNDING * abs(value)
            return value, error
        case "-":
            value, error = a - b, a_off + b_off
        case "\u00d7":
            value, error = a * b, abs(a) * b_off + abs(b) * a_off
        case "/":
            value = a / b
            error = (a_off + abs(value) * b_off) / abs(b)
        case "^":
            value = a**b
            error = abs(b * a ** (b - 1)) * a_off if a_off else np.float64(0)
            error = error + (abs(value * np.log(abs(a))) * b_off if b_off else 0)
        case "neg":
            return -a, a_off
        case "| |":
            return abs(a), a_off
        case "max":
            return max(one for one, _ in made), max(off for _, off in made)
        case _:
            value, steep = _called(term.sign, a)
            error = steep * a_off if a_off else np.float64(0)
    return value, error + ROUNDING * abs(value)


def _called(sign: str, a: np.float64) -> tuple[np.float64, np.float64]:
    """Returns a function's value, and the factor by which it enlarges an error."""
    if sign == ROOT:
        value = np.sqrt(a)
        return value, 0.5 / value
    if sign == POWER:
        value = np.exp(a)
        return value, value
    if sign == "log":
        return np.log(a), 1 / abs(a)
    return {"tanh": np.tanh, "sin": np.sin, "cos": np.cos}[sign](a), np.float64(1)


# How it is written ---------------------------------------------------------------------------


SUM, PRODUCT, RAISING, ATOM = 1, 2, 3, 4  # how tightly a sign binds
LEVELS = {"+": SUM, "-": SUM, "neg": PRODUCT, "\u00d7": PRODUCT, "/": PRODUCT, "^": RAISING,
          ROOT: RAISING, POWER: RAISING}  # fmt: skip


def written(term: Term, digits: int) -> tuple[Piece, ...]:
    """Returns the term as pieces, with numbers of `digits` digits."""
    return tuple(_joined(_written(term, digits, 0, True)))


def _written(term: Term, digits: int, need: int, first: bool) -> list[Piece]:
    """Writes a term; adds brackets if it binds less tightly than the surroundings `need`.

    first  whether it comes first within its brackets, so that a minus needs none
    """
    if not term.sign:
        return _number(term, digits, need, first)
    level = LEVELS.get(term.sign, ATOM)
    if level < need or (term.sign == "neg" and not first):
        return [Piece("("), *_inside(term, digits, True), Piece(")")]
    return _inside(term, digits, first)


def _number(term: Term, digits: int, need: int, first: bool) -> list[Piece]:
    text = told(term.value, digits, as_written=not term.name)
    bare = first and need <= PRODUCT if text[0] == MINUS else need < ATOM or "e" not in text
    piece = Piece(text, term.name)
    return [piece] if bare else [Piece("("), piece, Piece(")")]


def _inside(term: Term, digits: int, first: bool) -> list[Piece]:
    parts = term.parts
    match term.sign:
        case "+" | "-":
            sign = " + " if term.sign == "+" else f" {MINUS} "
            pieces = _written(parts[0], digits, SUM, first)
            for part in parts[1:]:
                need = SUM if term.sign == "+" else PRODUCT
                pieces += [Piece(sign), *_written(part, digits, need, False)]
            return pieces
        case "\u00d7" | "/":
            sign = f" {TIMES} " if term.sign == TIMES else " / "
            left = _written(parts[0], digits, PRODUCT, first)
            return [*left, Piece(sign), *_written(parts[1], digits, RAISING, False)]
        case "^":
            power = parts[1]
            base = _written(parts[0], digits, ATOM, False)
            if not power.sign and 0 <= power.value < 1e15 and power.value == int(power.value):
                return [*base, Piece(str(int(power.value)).translate(RAISED), power.name)]
            return [*base, Piece("^"), *_written(power, digits, ATOM, False)]
        case "neg":
            return [Piece(MINUS), *_written(parts[0], digits, RAISING, False)]
        case "| |":
            return [Piece("|"), *_written(parts[0], digits, 0, True), Piece("|")]
        case "\u221a" if not parts[0].sign and parts[0].value >= 0:
            return [Piece(ROOT), *_number(parts[0], digits, RAISING, True)]
        case "\u221a" | "e^":
            return [Piece(term.sign), *_written(parts[0], digits, ATOM, False)]
        case "more":
            return [Piece(f"({term.count:,} more = {told(term.value, digits)})")]
        case "less":
            return [Piece(f"{term.count:,} smaller")]
    pieces = [Piece(f"{term.sign}(")]
    for place, part in enumerate(parts):
        pieces += [Piece(", ")] if place else []
        pieces += _written(part, digits, 0, True)
    return [*pieces, Piece(")")]


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Yields the pieces with adjacent signs joined."""
    text = ""
    for piece in pieces:
        if piece.name:
            if text:
                yield Piece(text)
            text = ""
            yield piece
        else:
            text += piece.text
    if text:
        yield Piece(text)


def told(value: float, digits: int, as_written: bool = False) -> str:
    """Returns a number without zeros at its end: 0.9, 1e-8; literals keep all their digits."""
    value = float(value)
    if not math.isfinite(value) or not value:
        return format_significant(value)
    digits = _digits_of(value) if as_written else min(digits, _digits_of(value))
    return _without_zeros(format_significant(value, digits))


def told_result(value: float, digits: int) -> str:
    """Returns a result with the zeros that carry information: 0.140 is 0.14 if it is exact."""
    text = format_significant(value, digits)
    short = _without_zeros(text)
    return short if abs(read(short) - value) <= 2 * ROUNDING * abs(value) else text


def read(text: str) -> float:
    """Returns the number that a reader would type for a text."""
    plain = text.replace(MINUS, "-").replace(",", "").replace(INFINITY, "inf").replace(ABOUT, "")
    return float(plain)


def _digits_of(value: float) -> int:
    """Returns how many digits distinguish this float64 from all others."""
    mantissa = repr(abs(value)).split("e")[0].replace(".", "")
    return max(1, len(mantissa.strip("0")))


def _without_zeros(text: str) -> str:
    mantissa, *power = text.split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return "e".join([mantissa, *power])
