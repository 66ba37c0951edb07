"""What the chart shows: a line for each language, the tokenizers' names and colors. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.tokenization.analysis import LanguageText, Premium


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
