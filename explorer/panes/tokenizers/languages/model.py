"""What the chart shows: languages in order, each with its result under every tokenizer. No Qt."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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
OWN = "four sentences of our own"
ORDERS = ("premium", "name")


@dataclass(frozen=True)
class Texts:
    """The texts that are measured, English first; `source` says what they are, for people.

    `excerpts` names the languages left out, of which there is no whole text.
    """

    texts: list[LanguageText]
    source: str
    available: int
    excerpts: tuple[str, ...] = ()


def read_texts(scope: str) -> Texts:
    """The usual languages or "all" that there is a text in. Reads files."""
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
    """Every wanted (id, tokenizer, texts), one result a step; each carries the id as its name.

    One that fails tells so, and the others go on.
    """
    for identity, tokenizer, texts in wanted:
        try:
            yield from premium_steps({identity: tokenizer}, texts)
        except ValueError as error:
            yield Failure(identity, str(error))


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

    By premium the dearest over all tokenizers come first; those of which every one loses so much of
    the text that its count says nothing come last, and what is not measured yet after them.
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
    known = [one for one in line.results if one is not None]
    name = line.language.name.casefold()
    if not known:
        return 2, 0.0, name
    fair = [one.premium for one in known if one.honest]
    return int(not fair), -mean_premium(fair), name


def mean_premium(premiums: Sequence[float]) -> float:
    """Over several tokenizers: the geometric mean, as of all ratios; 0 for none."""
    return float(np.exp(np.mean(np.log(premiums)))) if premiums else 0.0


def columns(lines: Sequence[Line], names: Sequence[str]) -> dict[str, np.ndarray]:
    """The chart as a table: a row for each language and tokenizer that is measured."""
    found = [
        (line.language, name, one)
        for line in lines
        for name, one in zip(names, line.results, strict=True)
        if one is not None
    ]
    table = {
        "language": np.array([language.name for language, _, _ in found], dtype=np.str_),
        "code": np.array([language.code for language, _, _ in found], dtype=np.str_),
        "tokenizer": np.array([name for _, name, _ in found], dtype=np.str_),
    }
    for title, number in _NUMBERS.items():
        table[title] = np.array([number(one) for _, _, one in found])
    return table


_NUMBERS: dict[str, Any] = {
    "premium": lambda one: one.premium,
    "says something": lambda one: int(one.honest),  # too much of it is unknown where it is 0
    "tokens": lambda one: one.measures.tokens,
    "bytes per token": lambda one: one.measures.bytes_per_token,
    "unknown tokens": lambda one: one.measures.unknown,
    "share of the text lost": lambda one: one.measures.lost_share,
    "lossless": lambda one: int(one.measures.lossless),
}
