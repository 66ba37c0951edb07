"""What the chart shows: languages in order, each with its result under every tokenizer. No Qt."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.tokenization.analysis import LanguageText, Premium, language_names, language_texts
from core.tokenization.analysis.languages import has_declaration
from core.tokenization.analysis.premiums import premium_steps

DECLARATION = "the Universal Declaration of Human Rights"
OWN = "four sentences of our own"
ORDERS = ("premium", "name")


@dataclass(frozen=True)
class Texts:
    """The texts that are measured, English first; `source` says what they are, for people."""

    texts: list[LanguageText]
    source: str
    available: int


def read_texts(scope: str) -> Texts:
    """The usual languages or "all" that there is a text in. Reads files."""
    names = language_names()
    texts = language_texts(tuple(names) if scope == "all" else None)
    return Texts(texts, DECLARATION if has_declaration() else OWN, len(names))


def measure_steps(
    wanted: Sequence[tuple[str, Any, Sequence[LanguageText]]],
) -> Generator[Premium, None, list[Premium]]:
    """Every wanted (id, tokenizer, texts), one result a step, and all of them at the end; each
    carries the id as its name.
    """
    results: list[Premium] = []
    for identity, tokenizer, texts in wanted:
        results += yield from premium_steps({identity: tokenizer}, texts)
    return results


@dataclass(frozen=True)
class Line:
    """One language: its text, and its results in the order of the tokenizers; None is not known."""

    language: LanguageText
    results: tuple[Premium | None, ...]


def lines_of(
    texts: Sequence[LanguageText],
    results: Mapping[tuple[str, str], Premium],
    ids: Sequence[str],
    order: str = "premium",
    search: str = "",
) -> list[Line]:
    """The languages whose name or code holds `search`, in order.

    By premium the dearest for the first tokenizer come first; those where it loses so much of the
    text that its count says nothing come last, and what is not measured yet after them.
    """
    wanted = search.strip().casefold()
    found = [
        Line(text, tuple(results.get((one, text.code)) for one in ids))
        for text in texts
        if wanted in text.name.casefold() or wanted in text.code
    ]
    if order == "name":
        return sorted(found, key=lambda line: line.language.name.casefold())
    return sorted(found, key=_rank)


def _rank(line: Line) -> tuple[int, float, str]:
    first = line.results[0] if line.results else None
    name = line.language.name.casefold()
    if first is None:
        return 2, 0.0, name
    return int(not first.honest), -first.premium, name


def columns(lines: Sequence[Line], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Every number of the chart, one array a column; NaN where nothing is known yet."""
    table = {
        "language": np.array([line.language.name for line in lines]),
        "code": np.array([line.language.code for line in lines]),
    }
    for place, name in enumerate(names):
        found = [line.results[place] for line in lines]
        for title, number in _NUMBERS.items():
            values = [np.nan if one is None else float(number(one)) for one in found]
            table[f"{title}, {name}"] = np.array(values)
    return table


_NUMBERS: dict[str, Any] = {
    "premium": lambda one: one.premium,
    "tokens": lambda one: one.measures.tokens,
    "bytes per token": lambda one: one.measures.bytes_per_token,
    "unknown tokens": lambda one: one.measures.unknown,
    "share of the text lost": lambda one: one.measures.unknown_share,
    "lossless": lambda one: one.measures.lossless,
}
