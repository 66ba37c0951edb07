"""Arithmetic as people write it: numbers and signs in a row, with as few digits as let a reader
check it.

A `Term` is a number, or a sign over other terms. `written` turns it into text; `solve` finds how
many digits its numbers need, so that who types what is written into a pocket calculator finds the
result that is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.numbers import ABOUT, INFINITY, MINUS, TIMES, format_significant

ENOUGH, FINE, EXACT = 3, 7, 17  # digits of a result, of one that hardly moves, and of any float64
NEAR = 1e-9  # of a result: what is so near to the middle of two is rounded up or down by chance
ROUNDING = 2.0**-52  # relative error of one operation on 64 bits
RAISED = str.maketrans("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
ROOT, POWER = "\u221a", "e^"
CALLED = ("log", "tanh", "sin", "cos", "max")  # written as functions


@dataclass(frozen=True, slots=True)
class Term:
    """A number, or what `sign` makes of `parts`.

    sign    "" a number; "+" (any count), "-", "\u00d7", "/", "^"; "neg", "\u221a", "| |", "e^", or
            one of CALLED; "more" the sum of `count` others, "less" the `count` others of a maximum
    value   of a number, and of "more"
    name    what the code calls the number; "" where it has no name, and stands in the code itself
    anchor  whether a reader wants to see how far the result has moved from this number
    """

    sign: str = ""
    parts: tuple[Term, ...] = ()
    value: float = 0.0
    name: str = ""
    count: int = 0
    anchor: bool = False

    def numbers(self) -> Iterator[Term]:
        """Every named number, from left to right."""
        if not self.sign and self.name:
            yield self
        for part in self.parts:
            yield from part.numbers()


def number(value: float, name: str = "", anchor: bool = False) -> Term:
    """A Term of one number; `Term` documents the arguments."""
    return Term(value=float(value), name=name, anchor=anchor)


class Piece(NamedTuple):
    """A part of a written line; `name` is what the code calls a number, "" for signs."""

    text: str
    name: str = ""


class Solved(NamedTuple):
    """What is written, its result, and whether a reader finds that result from what is written."""

    pieces: tuple[Piece, ...]
    result: str
    exact: bool


def solve(term: Term, result: float) -> Solved:
    """The term with as few digits, three or more, as let a person check its result, and see how far
    it has moved from a number that it was. `exact` is False where no digits are enough, since the
    result is next to nothing beside its parts.
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
    """How many each number needs, for what they make to be told in so many; 0 where none are
    enough.
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
    """Whether what is read tells rightly, by a half, how far the result is from each anchor."""
    shown = read(format_significant(result, digits))
    return all(
        abs((shown - read(told(one.value, count))) - (result - one.value))
        <= abs(result - one.value) / 2
        for one in term.numbers()
        if one.anchor and math.isfinite(one.value)
    )


# What the written numbers make ---------------------------------------------------------------


def evaluated(term: Term, count: int = EXACT) -> tuple[float, float]:
    """What the numbers make, as they are read where each is written with `count` digits, and how
    far rounding may have taken that from what is true.
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
    """A function's value, and how much it enlarges an error."""
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


SUM, PRODUCT, RAISING, ATOM = 1, 2, 3, 4  # how firmly a sign holds its parts together
LEVELS = {"+": SUM, "-": SUM, "neg": PRODUCT, "\u00d7": PRODUCT, "/": PRODUCT, "^": RAISING,
          ROOT: RAISING, POWER: RAISING}  # fmt: skip


def written(term: Term, digits: int) -> tuple[Piece, ...]:
    """The term with numbers of so many digits, in pieces."""
    return tuple(_joined(_written(term, digits, 0, True)))


def _written(term: Term, digits: int, need: int, first: bool) -> list[Piece]:
    """`need` is how firmly what stands around holds; brackets where the term holds less.

    first  nothing stands before it within its brackets, so that a minus needs none
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
    """Signs that stand beside one another as one piece."""
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
    """Without zeros at the end: 0.9, 1e-8; what stands in the code itself with all its digits."""
    value = float(value)
    if not math.isfinite(value) or not value:
        return format_significant(value)
    digits = _digits_of(value) if as_written else min(digits, _digits_of(value))
    return _without_zeros(format_significant(value, digits))


def told_result(value: float, digits: int) -> str:
    """With its zeros where they tell something: 0.140 is 0.14 where nothing follows."""
    text = format_significant(value, digits)
    short = _without_zeros(text)
    return short if abs(read(short) - value) <= 2 * ROUNDING * abs(value) else text


def read(text: str) -> float:
    """What a person types who reads a number."""
    plain = text.replace(MINUS, "-").replace(",", "").replace(INFINITY, "inf").replace(ABOUT, "")
    return float(plain)


def _digits_of(value: float) -> int:
    """How many digits tell this float64 from all others."""
    mantissa = repr(abs(value)).split("e")[0].replace(".", "")
    return max(1, len(mantissa.strip("0")))


def _without_zeros(text: str) -> str:
    mantissa, *power = text.split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return "e".join([mantissa, *power])
