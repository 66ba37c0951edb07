"""Reads the texts and measures them. Runs in the I/O pool and on the engine's thread."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from core.tokenization.analysis import (
    LanguageText,
    Premium,
    excerpt_names,
    language_names,
    language_texts,
)
from core.tokenization.analysis.languages import has_declaration
from core.tokenization.analysis.premiums import premium_steps

DECLARATION = "the Universal Declaration of Human Rights"
OWN = "four short sentences"


@dataclass(frozen=True)
class Texts:
    """The texts that are measured, English first; `source` says what they are.

    available  how many languages have the whole text
    excerpts   the names of the languages that only have an excerpt, and are left out
    """

    texts: list[LanguageText]
    source: str
    available: int
    excerpts: tuple[str, ...] = ()


def read_texts(scope: str) -> Texts:
    """The texts of the "usual" languages, or of "all". Reads files."""
    names = language_names()
    texts = language_texts(tuple(names) if scope == "all" else None)
    source = DECLARATION if has_declaration() else OWN
    return Texts(texts, source, len(names), tuple(excerpt_names().values()))


@dataclass(frozen=True)
class Failure:
    """A tokenizer that could not be measured, by its id, and why."""

    tokenizer: str
    message: str


def measure_steps(
    wanted: Sequence[tuple[str, Any, Sequence[LanguageText]]],
) -> Generator[Premium | Failure, None, None]:
    """Measures every (id, tokenizer, texts), a result at each yield, which names the tokenizer by
    its id. After one that fails, the others go on.
    """
    for identity, tokenizer, texts in wanted:
        try:
            yield from premium_steps({identity: tokenizer}, texts)
        except ValueError as error:
            yield Failure(identity, str(error))
