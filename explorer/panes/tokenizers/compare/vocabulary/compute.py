"""Searches vocabularies, one after the other. Runs on the engine's thread."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from core.tokenization.analysis.search import Match, VocabularyIndex

LIMIT = 1000  # pieces of one vocabulary

Found = tuple[int, list[Match], bool]  # place of the vocabulary, its matches, whether that is all


def search_all(
    indices: Sequence[VocabularyIndex], query: str, way: str, any_case: bool
) -> Generator[Found, None, None]:
    """Yields what is found so far."""
    for place, index in enumerate(indices):
        steps = index.search_steps(query, way, limit=LIMIT, any_case=any_case)
        while True:
            try:
                yield place, next(steps), False
            except StopIteration as end:
                yield place, end.value, True
                break
