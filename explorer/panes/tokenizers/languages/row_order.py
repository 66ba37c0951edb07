"""The languages in the chart and their order. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core.tokenization.analysis import LanguageText, Premium
from core.tokenization.analysis.premiums import REFERENCE
from explorer.panes.tokenizers.languages.scene import Line

ORDERS = ("premium", "name")


def lines_of(
    texts: Sequence[LanguageText],
    results: Mapping[tuple[str, str], Premium],
    ids: Sequence[str],
    order: str = "premium",
    search: str = "",
) -> list[Line]:
    """Returns the languages whose name or code contains `search`, sorted by `order`.

    Sorted by premium, the most expensive over all tokenizers come first. Languages that every
    tokenizer loses too much of come after them, languages without a result last.
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
    """Returns the geometric mean, the right one for ratios, over several tokenizers; 0 for none."""
    return float(np.exp(np.mean(np.log(premiums)))) if premiums else 0.0


def median_premium(results: Iterable[Premium]) -> float | None:
    """Returns the median of the fair premiums of a tokenizer, without English; None for fewer than
    two of them.
    """
    fair = [one.premium for one in results if one.honest and one.language.code != REFERENCE]
    return float(np.median(fair)) if len(fair) > 1 else None
