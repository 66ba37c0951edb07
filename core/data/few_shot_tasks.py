"""Tasks given by examples: lines of "question -> answer"; the last question is to be answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.files import quoted

ARROW = re.compile("->|=>|\u2192")


@dataclass(frozen=True, slots=True)
class Form:
    """How an example is written: question, `between`, answer; `apart` separates two examples."""

    before: str = ""
    between: str = ": "
    apart: str = "\n"

    def asked(self, question: str) -> str:
        return f"{self.before}{question}{self.between}"

    def prompt(self, examples: Sequence[tuple[str, str]], question: str) -> str:
        """Returns a prompt of questions with answers, and a last one without."""
        told = [f"{self.asked(one)}{right}" for one, right in examples]
        return self.apart.join([*told, self.asked(question)])


# The arrow is used by Brown et al. 2020 (GPT-3), figure 2.1.
FORMS = {
    "arrow": Form(between=" => "),
    "colon": Form(),
    "dialog": Form("Q: ", "\nA: ", "\n\n"),
}


def pairs_of(lines: str) -> list[tuple[str, str]]:
    """Returns (question, answer) of each line; skips empty lines.

    Raises ValueError for a line without an arrow, a question or an answer, and if there is no line.
    """
    found = []
    for line in filter(str.strip, lines.splitlines()):
        parts = [part.strip() for part in ARROW.split(line, maxsplit=1)]
        if len(parts) != 2 or not all(parts):
            raise ValueError(f"{quoted(line.strip())} is no example; write question -> answer")
        found.append((parts[0], parts[1]))
    if not found:
        raise ValueError("there is no question; write it with its answer: France -> Paris")
    return found


def example_counts(most: int) -> list[int]:
    """Returns numbers of examples: 0, 1, doubling each time, and all."""
    return sorted(
        {0, *(1 << power for power in range(most.bit_length()) if 1 << power < most), most}
    )


def lines_of(pairs: Iterable[tuple[str, str]]) -> str:
    """Returns questions and answers as lines for `pairs_of`."""
    return "\n".join(f"{question} -> {answer}" for question, answer in pairs)


# The last question is one of the examples: a model that has learned to copy finds its answer there.
LOOKUPS: Mapping[str, Sequence[tuple[str, str]]] = {
    "Colors": (
        ("ball", "red"), ("hat", "blue"), ("boat", "green"), ("kite", "yellow"), ("ball", "red"),
    ),
    "Pets": (
        ("Mira", "cat"), ("Tom", "dog"), ("Ben", "bird"), ("Anna", "fox"), ("Mira", "cat"),
    ),
    "Friends": (
        ("Mira", "Tom"), ("Ben", "Anna"), ("Lily", "Sam"), ("Max", "Sue"), ("Mira", "Tom"),
    ),
}  # fmt: skip

# question -> answer; the last question is asked. No example has its answer: a model must know it.
TASKS: Mapping[str, Mapping[str, str]] = {
    "Capitals": {
        "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo",
        "Egypt": "Cairo", "Greece": "Athens", "Norway": "Oslo", "Cuba": "Havana",
        "France": "Paris",
    },
    "Past tense": {
        "go": "went", "see": "saw", "take": "took", "run": "ran", "eat": "ate", "write": "wrote",
        "give": "gave", "think": "thought", "bring": "brought",
    },
    "Plurals": {
        "cat": "cats", "box": "boxes", "baby": "babies", "man": "men", "leaf": "leaves",
        "tooth": "teeth", "city": "cities", "foot": "feet", "woman": "women",
    },
    "Opposites": {
        "hot": "cold", "big": "small", "up": "down", "day": "night", "open": "closed",
        "early": "late", "rich": "poor", "left": "right", "fast": "slow",
    },
    "English to French": {
        "house": "maison", "water": "eau", "cat": "chat", "book": "livre", "bread": "pain",
        "friend": "ami", "sun": "soleil", "white": "blanc", "dog": "chien",
    },
    "Sums": {
        "2 + 3": "5", "1 + 6": "7", "4 + 4": "8", "5 + 2": "7", "3 + 6": "9", "7 + 1": "8",
        "2 + 2": "4", "6 + 3": "9", "3 + 4": "7",
    },
}  # fmt: skip
