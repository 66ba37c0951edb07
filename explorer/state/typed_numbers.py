"""Reads numbers that the user types: with a point or a comma, as is the custom where they live."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from core.fields import Field

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_SPACES = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f](?=\d{3}(?!\d))")


class TwoWays(ValueError):
    """A number that may be read in two ways."""


class NoNumber(ValueError):
    """A text that means none."""


class NotFinite(ValueError):
    """A text that means infinity, what is larger than any number kept, or nan."""


def read_number(text: str) -> float:
    """0.03, 0,03, \u22121e-3, 1,000,000 or 1 000: a finite number.

    A comma is the decimal one, unless it can only part thousands. Raises ValueError, with the
    remedy, for what is no number, for 1e-400, which is not 0 but would be read so, and for 1,000,
    which may mean one or a thousand.
    """
    clean = _SPACES.sub("", text.strip().replace("\u2212", "-"))
    if _THOUSANDS.fullmatch(clean):
        if clean.count(",") == 1 and "." not in clean:
            apart = clean.replace(",", "")
            raise TwoWays(f"{clean} may be read in two ways; write {apart} or {_short(clean)}")
        clean = clean.replace(",", "")
    elif "." in clean and clean.find(",") > clean.find("."):  # 1.234,5
        clean = clean.replace(".", "")
    return _float(clean.replace(",", "."))


def read_whole(text: str) -> int:
    """The same for a whole number, in which a comma parts thousands: 1,000."""
    clean = _SPACES.sub("", text.strip().replace("\u2212", "-"))
    try:
        value = (
            _float(clean.replace(",", "")) if _THOUSANDS.fullmatch(clean) else read_number(clean)
        )
    except (NoNumber, NotFinite):
        raise ValueError("use a whole number, like 30") from None
    if value != int(value):
        raise ValueError("use a whole number")
    return int(value)


def read_for(about: Field, text: str) -> float | int:
    """The number that a field holds. Raises ValueError, in words to stand beside it, where it may
    not hold what is typed.
    """
    try:
        number: float | int = about.read(
            read_whole(text) if about.type is int else read_number(text)
        )
    except TwoWays:
        raise
    except ValueError as error:
        raise ValueError(f"Use {about.expected}; {about.remedy}") from error
    return number


def refused(fields: Mapping[str, Field], typed: Mapping[str, str]) -> dict[str, str]:
    """By name what is wrong with what was typed, with the remedy."""
    errors = {}
    for name, text in typed.items():
        try:
            read_for(fields[name], text)
        except ValueError as error:
            errors[name] = str(error)
    return errors


def number_in(text: str) -> float | None:
    """The number; None for any other text."""
    try:
        return read_number(text)
    except ValueError:
        return None


def whole_in(text: str) -> int | None:
    """The whole number; None for any other text."""
    try:
        return read_whole(text)
    except ValueError:
        return None


def _short(clean: str) -> str:
    """With its comma as a point, and one digit after it at least."""
    whole, _, part = clean.partition(",")
    return f"{whole}.{part.rstrip('0') or '0'}"


def _float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise NoNumber("this is not a number; write it like 0.03 or 3e-2") from None
    if not math.isfinite(value):
        raise NotFinite("use a finite number, like 0.03")
    if value == 0 and any(digit in "123456789" for digit in re.split("[eE]", text)[0]):
        raise ValueError("this is too small, and would be 0; write 0, or one like 1e-300")
    return value
