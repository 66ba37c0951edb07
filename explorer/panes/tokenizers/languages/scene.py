"""What the chart shows: rows in order, and the tokenizers' names and colors. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.tokenization.analysis import LanguageText, Premium

ORDERS = ("premium", "name")


@dataclass(frozen=True)
class Series:
    """One tokenizer in the chart.

    color  its number among the theme's series
    badge  an icon and a few words in the legend
    about  the legend's tooltip
    """

    name: str
    color: int
    badge: tuple[str, str]
    about: str


@dataclass(frozen=True)
class Line:
    """One language, and its results in the order of the tokenizers, None where not measured yet."""

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

    By premium, the most expensive over all tokenizers come first. Languages that no tokenizer keeps
    come after them, those that are not measured yet last.
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
    """The geometric mean over several tokenizers, as for all ratios; 0 for none."""
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
    "fair count": lambda one: int(one.honest),  # 0: too much of the text is lost
    "tokens": lambda one: one.measures.tokens,
    "bytes per token": lambda one: one.measures.bytes_per_token,
    "unknown tokens": lambda one: one.measures.unknown,
    "share of the text lost": lambda one: one.measures.lost_share,
    "lossless": lambda one: int(one.measures.lossless),
}
