"""Dates in everyday formats and in ISO 8601: "the third of March 1999" -> "1999-03-03".

A task that a small encoder-decoder learns in minutes, and whose correct alignment is obvious: each
digit of the target follows from one place in the source.
"""

import zlib
from collections.abc import Mapping
from datetime import date
from string import Formatter, ascii_letters, digits

import numpy as np

from core.data.corpus import check_split
from core.data.pairs import Pair, pair_tokenizer

FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
HELD_OUT = 10  # one day in ten is excluded from training
LOWER_CASE = 0.2  # share of the sources

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
IRREGULAR = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
    "nine": "ninth", "twelve": "twelfth", "twenty": "twentieth", "thirty": "thirtieth",
}  # fmt: skip

# The part of the date that each field represents; the weekday is not needed.
PARTS = {
    "d": "day", "dd": "day", "dth": "day", "day": "day",
    "m": "month", "mm": "month", "mon": "month", "month": "month",
    "yyyy": "year", "year": "year",
}  # fmt: skip
# In formats with dots the day comes first, with slashes the month, unless the year does.
FORMATS = (
    "{d} {month} {yyyy}", "{month} {d}, {yyyy}", "{month} {d} {yyyy}", "{yyyy} {month} {d}",
    "{d} {mon} {yyyy}", "{mon} {d}, {yyyy}", "{mon} {d} {yyyy}", "{dd}-{mon}-{yyyy}",
    "{dth} of {month} {yyyy}", "the {dth} of {month}, {yyyy}", "{month} {dth}, {yyyy}",
    "the {day} of {month} {yyyy}", "{month} the {day}, {yyyy}", "{day} of {month}, {yyyy}",
    "the {day} of {month}, {year}", "{month} the {day}, {year}", "{d} {month}, {year}",
    "{weekday}, {d} {month} {yyyy}", "{weekday}, {month} {d}, {yyyy}",
    "{weekday} the {day} of {month} {yyyy}",
    "{dd}.{mm}.{yyyy}", "{d}.{m}.{yyyy}", "{d}. {month} {yyyy}", "{mm}/{dd}/{yyyy}",
    "{m}/{d}/{yyyy}", "{yyyy}/{mm}/{dd}", "{yyyy}.{mm}.{dd}", "{yyyy} {mm} {dd}",
)  # fmt: skip
ISO_PARTS = (*["year"] * 4, None, *["month"] * 2, None, *["day"] * 2)  # of "1999-03-03"


class Dates:
    """Every day from 1900 to 2099 in 28 formats. A fixed tenth of the days is excluded from
    training, in all formats.
    """

    name = "dates"

    def __init__(self) -> None:
        self.tokenizer = pair_tokenizer(ascii_letters + digits + " ,./-'")

    def pair(self, split: str, generator: np.random.Generator) -> Pair:
        """Draws a day of the split and a format."""
        check_split(split)
        while True:
            ordinal = int(generator.integers(FIRST.toordinal(), LAST.toordinal() + 1))
            day = date.fromordinal(ordinal)
            if is_held_out(day) == (split == "validation"):
                break
        pair = written(day, FORMATS[int(generator.integers(len(FORMATS)))])
        if generator.random() < LOWER_CASE:
            return Pair(pair.source.lower(), pair.target, pair.spans)
        return pair

    def describe(self) -> str:
        return f"dates from {FIRST.year} to {LAST.year} in {len(FORMATS)} formats"


def is_held_out(day: date) -> bool:
    """Returns True if the day belongs to the validation split."""
    return zlib.crc32(day.isoformat().encode()) % HELD_OUT == 0


def written(day: date, form: str) -> Pair:
    """Returns a day in one of the `FORMATS`, and in ISO 8601."""
    forms = forms_of(day)
    source, places = "", {}
    for text, name, _, _ in Formatter().parse(form):
        source += text
        if name is not None:
            start, source = len(source), source + forms[name]
            places[PARTS.get(name)] = (start, len(source))
    spans = tuple(None if part is None else places[part] for part in ISO_PARTS)
    return Pair(source, day.isoformat(), spans)


def forms_of(day: date) -> Mapping[str, str]:
    """Returns the text for each field of a format."""
    month = MONTHS[day.month - 1]
    return {
        "d": str(day.day),
        "dd": f"{day.day:02}",
        "dth": f"{day.day}{ending(day.day)}",
        "day": ordinal_words(day.day),
        "m": str(day.month),
        "mm": f"{day.month:02}",
        "mon": month[:3],
        "month": month,
        "yyyy": str(day.year),
        "year": year_words(day.year),
        "weekday": WEEKDAYS[day.weekday()],
    }


def ending(number: int) -> str:
    """Returns "st", "nd", "rd" or "th", as in 1st and 11th."""
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def number_words(number: int) -> str:
    """Returns 1 to 99 in words: "twenty-one"."""
    if number < len(SMALL):
        return SMALL[number]
    tens, ones = divmod(number, 10)
    return f"{TENS[tens]}-{SMALL[ones]}" if ones else TENS[tens]


def ordinal_words(number: int) -> str:
    """Returns 1 to 99 as ordinals: "twenty-first"."""
    *tens, last = number_words(number).split("-")
    return "-".join([*tens, IRREGULAR.get(last, f"{last}th")])


def year_words(year: int) -> str:
    """Returns 1900 to 2099 as spoken: "nineteen hundred", "nineteen oh five", "two thousand nine",
    "twenty twenty-one".
    """
    century, rest = divmod(year, 100)
    if century == 20 and rest < 10:
        return f"two thousand {SMALL[rest]}" if rest else "two thousand"
    if rest == 0:
        return f"{number_words(century)} hundred"
    return f"{number_words(century)} {'oh ' if rest < 10 else ''}{number_words(rest)}"
