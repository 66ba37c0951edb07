"""The texts of Search."""

from __future__ import annotations

from collections.abc import Sequence

from core.tokenization.analysis.search import with_spaces
from core.tokenization.telling import count, verb, visible

NAME = "Search the vocabularies"
IDLE = "Search the vocabularies to see which pieces they hold and how each came to be"
HINT = "Type part of a piece, a regular expression, or bytes"
SYMBOLS = "V is the vocabulary; t is a piece that contains the query q."
NOTHING = "No piece matches."
WAYS = {
    "contains": ("Contains", "contains", "contain"),
    "begins": ("Begins with", "begins with", "begin with"),
    "ends": ("Ends with", "ends with", "end with"),
    "is": ("Is", "is", "are"),
    "regex": ("Regex", "matches", "match"),
    "bytes": ("Bytes", "contains the bytes", "contain the bytes"),
}


def headline(found: Sequence[tuple[str, int]], query: str, way: str, limit: int) -> str:
    """Says which vocabulary has the most matches; `found` are (name, number of matches)."""
    if not found or not query:
        return IDLE
    name, size = max(found, key=lambda one: one[1])
    _, holds, hold = WAYS[way]
    said = query if way in ("regex", "bytes") else visible(with_spaces(query))
    if not size:
        return f"No piece of these vocabularies {holds} \u201c{said}\u201d"
    number = f"{size:,}+ pieces" if size >= limit else count(size, "piece")
    return f"{number} of {name} {verb(size, holds, hold)} \u201c{said}\u201d"
