"""Reads the texts (in the I/O pool) and measures them (on the engine's thread)."""

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
    """The texts to measure, English first, and their `source` in words.

    available  the number of languages that have the whole text
    excerpts   the names of languages that have only an excerpt and are left out
    """

    texts: list[LanguageText]
    source: str
    available: int
    excerpts: tuple[str, ...] = ()


def read_texts(scope: str) -> Texts:
    """Reads the texts of the "usual" languages or of "all" from files."""
    names = language_names()
    texts = language_texts(tuple(names) if scope == "all" else None)
    source = DECLARATION if has_declaration() else OWN
    return Texts(texts, source, len(names), tuple(excerpt_names().values()))


@dataclass(frozen=True)
class Failure:
    """The id of a tokenizer that could not be measured, and the reason."""

    tokenizer: str
    message: str


def measure_steps(
    wanted: Sequence[tuple[str, Any, Sequence[LanguageText]]],
) -> Generator[Premium | Failure, None, None]:
    """Measures each (id, tokenizer, texts) and yields the results singly; their `tokenizer` is the
    id. A failure of one tokenizer does not stop the others.
    """
    for identity, tokenizer, texts in wanted:
        try:
            yield from premium_steps({identity: tokenizer}, texts)
        except ValueError as error:
            yield Failure(identity, str(error))
