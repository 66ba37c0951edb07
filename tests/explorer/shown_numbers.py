"""The numbers of a sentence, and whether a reading is written like that somewhere on screen."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from core import numbers
from core.numbers import THIN_SPACE, format_number, format_share
from core.tokenization.telling import share_said
from core.training.estimates.report import cost_text, time_text

NUMBER = r"[<\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e\u2212?\d+)?|\u2212?\u221e"
UNITS = "%|million|billion|years|days|min|ms|\u00b5s|[kMGTP]?FLOPs|[kMGT]B|[BMTsh]"
FOUND = re.compile(
    r"(?<![\w.,\u2212-])(?:\$)?"
    rf"(\d+ min \d+ s|\d+ h \d+ min|(?:{NUMBER})(?:[ {THIN_SPACE}](?:{UNITS})(?!\w))?)"
    r"(?![.,]?\d|\w|-\w)"
)
# What is no number of the view: a quotation, and what is true of every softmax.
SKIPPED = re.compile("\u201c[^\u201d]*\u201d|sum to 1")


Reading = tuple[str, Any]


class Shown(NamedTuple):
    """What a view shows: its headline, and its readings."""

    headline: str
    readings: list[Reading]


def numbers_in(sentence: str) -> list[str]:
    """Returns the numbers of a sentence with their units, without those in quotation marks and in
    names such as gpt3-175b.
    """
    return [one[1] for one in FOUND.finditer(SKIPPED.sub("", sentence))]


def ways_to_write(value: Any) -> Iterator[str]:
    """Yields a value in every form that a sentence may give it: those of core.numbers. A sentence
    may say in words that a number is below 0.
    """
    if isinstance(value, str):
        yield value
        yield from numbers_in(value)
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    if value < 0:
        yield from ways_to_write(-value)
    yield from (format_number(value, digits) for digits in (1, 2, 3, 4))
    if not math.isfinite(value):
        return
    yield numbers.format_general(value)
    yield from (numbers.format_significant(value, digits) for digits in (2, 3, 4))
    yield from (numbers.format_fixed(value, decimals) for decimals in range(5))
    if abs(value) < 1e15:
        yield numbers.format_count(round(value))
    if 0 <= value <= 1.5:
        yield from (numbers.format_percent(value), format_share(value), share_said(value))
    if value >= 0:
        yield from (numbers.format_bytes(value), numbers.format_flops(value))
        yield from (numbers.format_duration(value), numbers.format_estimate(value))
        yield from (numbers.format_brief(value), time_text(value), *numbers_in(cost_text(value)))


def not_shown(sentence: str, readings: Iterable[Reading]) -> list[str]:
    """Returns the numbers of a sentence that no reading has; the title of the step, which may be
    that sentence, is no witness.
    """
    witnesses = (value for name, value in readings if name != "view/step.title")
    shown = {way for value in witnesses for way in ways_to_write(value)}
    return [one for one in numbers_in(sentence) if one not in shown]


def as_shown(name: str, value: Any) -> Any:
    """Returns a reading as it is written on screen."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    is_share = "probability" in name.rpartition("/")[2] or "/weights:" in name
    return format_share(value) if is_share else format_number(value)


def differ(name: str, one: Any, other: Any) -> bool:
    """Whether two occurrences of a quantity look different. What differs only by the rounding of
    32-bit floats is equal, though it may lie on both sides of a digit's edge.
    """
    are_numbers = isinstance(one, int | float) and isinstance(other, int | float)
    if are_numbers and math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6):
        return False
    return as_shown(name, one) != as_shown(name, other)


def disagreements(walk: Mapping[str, Shown]) -> list[str]:
    """Returns a sentence for every quantity of which two views, or one in two places, show
    different values.
    """
    found = []
    for name, shown in occurrences(walk).items():
        (first, value), *others = shown
        for view, other in others:
            if differ(name, value, other):
                found.append(f"{name}: {value!r} in {first}, {other!r} in {view}")
                break
    return found


def occurrences(walk: Mapping[str, Shown]) -> dict[str, list[tuple[str, Any]]]:
    """Returns (view, value) of every place where a quantity is shown, by its name; readings below
    `view/` differ from view to view, and are compared only within one.
    """
    found: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for view, shown in walk.items():
        for name, value in shown.readings:
            found[f"{view}: {name}" if name.startswith("view/") else name].append((view, value))
    return found
