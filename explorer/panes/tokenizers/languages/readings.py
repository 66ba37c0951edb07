"""The numbers on screen in Languages, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, path, scalars
from explorer.panes.tokenizers.languages.row_order import median_premium
from explorer.panes.tokenizers.quantities import of_text, tokenizer

if TYPE_CHECKING:
    from explorer.panes.tokenizers.languages.mode import LanguagesMode


def readings(mode: LanguagesMode) -> Iterator[Reading]:
    """Yields the bars of the chart, the median of each tokenizer, and the step inside a bar."""
    chart = mode.view.chart
    for line in chart.lines:
        for series, result in zip(chart.series, line.results, strict=True):
            if result is None:
                continue
            language, measures = result.language, result.measures
            premium = path(tokenizer(series.name), f"language:{language.code}", "premium")
            yield premium, result.premium
            values = {"tokens": measures.tokens, "bytes_per_token": measures.bytes_per_token}
            yield from below(of_text(series.name, language.text, specials=False), values)
    for name, results in mode.charted:
        if (middle := median_premium(results)) is not None:
            yield path(VIEW, f"premium.median:{name}"), middle
    if (part := mode.part) is not None:
        yield from below(path(VIEW, "values"), scalars(part))
