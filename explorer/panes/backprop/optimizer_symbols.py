"""Formula symbols and readable words for the names in an optimizer's code. No Qt."""

from __future__ import annotations

import re

from core.optimization.rule import Rule

BEFORE = "_before"
PLAIN = {
    r"\theta'": "\u03b8\u2032",
    r"\theta": "\u03b8",
    r"\hat m": "m\u0302",
    r"\hat v": "v\u0302",
    r"\tilde m": "m\u0303",
    r"\gamma": "\u03b3",
}
SETTINGS = {  # each setting's effect; also names that lines read but formulas have no letter for
    "zero": "1 where c is 0, which prevents division by 0",
    "factor": "1, or 0.2 to move as far as AdamW does",
    "ratio": "from the shape of the matrix",
    "eps": "prevents division by 0",
    "beta": "share of the old value that is kept",
    "beta1": "share of the old value that is kept",
    "beta2": "share of the old value that is kept",
    "momentum": "share of the old value that is kept",
}

WORDS = {  # for results of a line whose name is not clear
    "ahead": "look-ahead",
    "mixed": "mix of average and gradient",
    "total": "total of squares",
    "square": "average square",
}


def letters_of(rule: Rule) -> dict[str, str]:
    """Returns the formula's symbol for each name in the rule's lines."""
    letters = {"param": "\u03b8", "grad": "g", "rate": "\u03b7", "step": "t", **rule.letters}
    for line in rule.lines:
        left = re.split(r"\\leftarrow|=|\\approx", line.formula)[0].strip()
        letters[line.made] = PLAIN.get(left, left)
    return letters | {"new": "\u03b8 after"}


def letter(name: str, letters: dict[str, str]) -> str:
    """Returns the symbol of a name, also for its value before the step."""
    if name.endswith(BEFORE):
        return f"{letters.get(name.removesuffix(BEFORE), name)} before"
    return letters.get(name, name)


def in_words(name: str) -> str:
    """Returns a name of the rule's code in words."""
    plain = name.removesuffix(BEFORE).removesuffix("_hat")
    words = WORDS.get(plain, plain.replace("_", " "))
    return f"corrected {words}" if name.endswith("_hat") else words
