"""What the formulas of a rule call the names of its code, and these names for people. No Qt."""

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
SETTINGS = {  # what each does, and what a share leaves
    "rest": "what is left of 1",
    "rest1": "what is left of 1",
    "rest2": "what is left of 1",
    "eps": "keeps from dividing by 0",
    "beta": "how much of it stays",
    "beta1": "how much of it stays",
    "beta2": "how much of it stays",
    "momentum": "how much of it stays",
}


def letters_of(rule: Rule) -> dict[str, str]:
    """What the formulas call each name of the rule's lines."""
    letters = {"param": "\u03b8", "grad": "g", "rate": "\u03b7", "step": "t", **rule.letters}
    for line in rule.lines:
        left = re.split(r"\\leftarrow|=|\\approx", line.formula)[0].strip()
        letters[line.made] = PLAIN.get(left, left)
    return letters | {"new": "\u03b8 after"}


def letter(name: str, letters: dict[str, str]) -> str:
    """Also of what was there before the step, and of what a share leaves of 1."""
    if name.endswith(BEFORE):
        return f"{letters.get(name.removesuffix(BEFORE), name)} before"
    if name.startswith("rest"):
        number = name.removeprefix("rest")
        share = next(one for one in (f"beta{number}", "beta", "momentum") if one in letters)
        return f"1 \u2212 {letters[share]}"
    return letters.get(name, name)


def in_words(name: str) -> str:
    """A name of the rule's code, in words."""
    if name.endswith(BEFORE):
        return f"{in_words(name.removesuffix(BEFORE))}, remembered"
    return name.replace("_hat", ", corrected").replace("_", " ")
