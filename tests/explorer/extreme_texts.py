"""Texts and numbers at the limits of what a field takes, and beyond."""

from __future__ import annotations

import random

FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"  # one character on screen, five in a string
THUMB = "\N{THUMBS UP SIGN}\U0001f3fd"

_SENTENCE = "Mira saw a kite and it flew over the old house. "  # ten words
_LONG = (
    _SENTENCE * 300,  # 3,000 words
    "word " * 3000,
    "x" * 10_000,  # one word
    "line of a text\n" * 600,
    "\n" * 500,
    " " * 500,
    "\N{GRINNING FACE}" * 400,
    f"{FAMILY} {THUMB} " * 100,
    "e\u0301" * 300,
    "a" + "\u0301" * 300,  # accents on a single letter
    "\u0645\u0631\u062d\u0628\u0627 " * 60,  # right to left
    "日本語の文章です。" * 60,
    "(" * 300,
    "-" * 300,
    "1" * 300,
    "x*y + " * 200 + "z",
    "{{ 1 }}{% for x in y %}" * 40,
    "<|endoftext|><s></s>[CLS]" * 40,
)
_SHORT = (
    "",
    " ",
    "\n",
    "\t",
    "\0",
    "".join(map(chr, range(1, 32))) + "\x7f\x85",  # control characters
    "\ufeffa\u200b\u00ad\u2028\u2029\u00a0b",  # marks and spaces that nobody sees
    "\ufdd0\uffff\U0010ffff\ue000",  # no characters
    "\u202eabc\u202c \u05d0\u05d1\u05d2 \u0627\u0628",
    "\ud83d",  # half of a pair
    "a\ude00b",
    "\N{GRINNING FACE}",
    FAMILY,
    THUMB,
)
_NUMBERS = (
    *("0", "-0", "+0.0", "1e308", "-1e308", "1e400", "5e-324", "1e-400", "inf", "-inf", "nan"),
    *("9" * 24, "-" + "9" * 23, "0." + "0" * 21 + "1", "1e", "1e+", ".", "-", "1,5", "1_000"),
    *("\u0661\u0662\u0663", "\u00b2", "\uff11", "\u22121", "1 000 000", "2147483648", "1e12"),
    *("0x10", "1/3"),
)


def extreme_text(random: random.Random, longest: int) -> str:
    """Returns a text for a field that takes `longest` characters."""
    kind = random.randrange(4)
    if kind == 0:
        return random.choice(_SHORT)
    if kind == 1:
        return random.choice(_NUMBERS)
    text = random.choice(_LONG)
    if kind == 2 and longest < 20_000:  # exactly full, one short, one too many
        length = longest + random.choice((-1, 0, 1))
        return (text * (1 + length // len(text)))[:length]
    return text
