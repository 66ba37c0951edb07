"""Reads numbers that the user types: with a point or a comma, as is the custom where they live."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from core.fields import Field

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_SIZES = {"thousand": "e3", "million": "e6", "billion": "e9", "trillion": "e12"}
_SIZE = re.compile(rf"(?<=\d)\s*({'|'.join(_SIZES)})$", re.IGNORECASE)
_SPACES = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f](?=\d{3}(?!\d))")


class TwoWays(ValueError):
    """A number with two possible readings."""


class NoNumber(ValueError):
    """A text that is not a number."""


class NotFinite(ValueError):
    """A text for infinity, nan, or a number larger than a float."""


def read_number(text: str) -> float:
    """Reads 0.03, 0,03, 300 billion, \u22121e-3, 1,000,000 or 1 000 as a finite number.

    A comma is the decimal one, unless it can only separate thousands. Raises ValueError, with the
    remedy, for a text that is not a number, for 1e-400, which would become 0, and for 1,000, which
    may mean one or a thousand.
    """
    clean = _SPACES.sub("", text.strip().replace("\u2212", "-"))
    if (size := _SIZE.search(clean)) is not None and "e" not in clean[: size.start()].lower():
        return _float(f"{read_number(clean[: size.start()])!r}{_SIZES[size[1].lower()]}")
    if _THOUSANDS.fullmatch(clean):
        if clean.count(",") == 1 and "." not in clean:
            apart = clean.replace(",", "")
            raise TwoWays(f"{clean} may be read in two ways; write {apart} or {_short(clean)}")
        clean = clean.replace(",", "")
    elif "." in clean and clean.find(",") > clean.find("."):  # 1.234,5
        clean = clean.replace(".", "")
    return _float(clean.replace(",", "."))


def read_whole(text: str) -> int:
    """Reads an integer the same way; a comma separates thousands: 1,000."""
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
    """Returns the number for a field. Raises ValueError if the field refuses it, with a message to
    show next to the field.
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
    """Returns the error for each invalid text by name, with the remedy."""
    errors = {}
    for name, text in typed.items():
        try:
            read_for(fields[name], text)
        except ValueError as error:
            errors[name] = str(error)
    return errors


def number_in(text: str) -> float | None:
    """Returns the number, or None for any other text."""
    try:
        return read_number(text)
    except ValueError:
        return None


def whole_in(text: str) -> int | None:
    """Returns the integer, or None for any other text."""
    try:
        return read_whole(text)
    except ValueError:
        return None


def _short(clean: str) -> str:
    """Replaces the comma by a point, and keeps at least one digit after it."""
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
