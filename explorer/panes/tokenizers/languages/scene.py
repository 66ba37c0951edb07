"""The data of the chart: a line for each language, the tokenizers' names and colors. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.tokenization.analysis import LanguageText, Premium


@dataclass(frozen=True)
class Series:
    """One tokenizer in the chart.

    color  its index among the theme's series colors
    badge  icon and label in the legend
    about  the legend's tooltip
    """

    name: str
    color: int
    badge: tuple[str, str]
    about: str


@dataclass(frozen=True)
class Line:
    """A language with its results in the order of the tokenizers; None if not measured yet."""

    language: LanguageText
    results: tuple[Premium | None, ...]


def columns(lines: Sequence[Line], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns the chart as a table with a row for each measured language and tokenizer."""
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
    "fair count": lambda one: int(one.honest),  # 0 if too much of the text is lost
    "tokens": lambda one: one.measures.tokens,
    "bytes per token": lambda one: one.measures.bytes_per_token,
    "unknown tokens": lambda one: one.measures.unknown,
    "share of the text lost": lambda one: one.measures.lost_share,
    "lossless": lambda one: int(one.measures.lossless),
}
