"""Searches the vocabularies one after another. Runs on the engine's thread."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from core.tokenization.analysis.search import Match, VocabularyIndex

LIMIT = 1000  # matches per vocabulary

Found = tuple[int, list[Match], bool]  # index of the vocabulary, matches, True when complete


def search_all(
    indices: Sequence[VocabularyIndex], query: str, way: str, any_case: bool
) -> Generator[Found, None, None]:
    """Yields the matches found so far in each vocabulary."""
    for place, index in enumerate(indices):
        steps = index.search_steps(query, way, limit=LIMIT, any_case=any_case)
        while True:
            try:
                yield place, next(steps), False
            except StopIteration as end:
                yield place, end.value, True
                break
