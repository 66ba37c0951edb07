"""Where in a piece, as it is shown, stands what was searched for, so that it is never cut."""

from __future__ import annotations

from collections.abc import Callable

import regex
from PySide6.QtGui import QFont, QFontMetricsF

from core.tokenization.analysis.search import readings
from core.tokenization.telling import visible
from explorer.widgets.base import elide

Span = tuple[int, int]
Find = Callable[[str], Span | None]

PATIENCE = 0.01  # seconds for one piece
DOTS = "\u2026"


def finder(query: str, way: str, any_case: bool) -> Find | None:
    """Finds a search's words in a piece as it is shown; None where they are bytes."""
    if not query or way == "bytes":
        return None
    if way == "regex":
        pattern = query
    else:
        words = [visible(reading.decode("utf-8", "replace")) for reading in readings(query)]
        pattern = "|".join(regex.escape(word) for word in words)
        pattern = {"begins": f"^(?:##)?({pattern})", "ends": f"({pattern})$"}.get(way, pattern)
    try:
        wanted = regex.compile(pattern, regex.IGNORECASE if any_case else 0)
    except (regex.error, RecursionError, OverflowError):
        return None

    def find(text: str) -> Span | None:
        try:
            found = wanted.search(text, timeout=PATIENCE)
        except TimeoutError:
            return None
        return None if found is None else found.span()

    return find


def elide_around(text: str, found: Span | None, font: QFont, width: float) -> str:
    """The text cut to `width` px, what was found and what stands around it left whole; where even
    that has no room, what was found alone is cut in its middle.
    """
    if found is None:
        return elide(text, font, width)
    metrics = QFontMetricsF(font)
    if metrics.horizontalAdvance(text) <= width:
        return text

    def part(low: int, high: int) -> str:
        return DOTS * (low > 0) + text[low:high] + DOTS * (high < len(text))

    low, high = found
    if width > 0 and metrics.horizontalAdvance(part(low, high)) > width:
        return elide(text[low:high], font, width)
    grown = True
    while grown:
        grown = False
        for before, behind in ((1, 0), (0, 1)):
            wider = max(0, low - before), min(len(text), high + behind)
            if wider != (low, high) and metrics.horizontalAdvance(part(*wider)) <= width:
                (low, high), grown = wider, True
    return part(low, high)
