"""BPE-dropout: merges that are passed over by chance, so that a text is written in many ways.

A model that is trained so sees that "unhappily" and "un|happily" are the same word. At every step
each merge that would fit is dropped with a probability p; of the others the earliest is done. When
all are dropped, the word stays as it is.

Source: Provilkov, Emelianenko and Voita 2020, "BPE-Dropout: Simple and Effective Subword
Regularization", section 3.
"""

import heapq
from collections.abc import Sequence

import numpy as np

from core.tokenization.bpe.merging import NEVER, Ranks


def merge_with_dropout(
    ids: Sequence[int], ranks: Ranks, dropout: float, generator: np.random.Generator
) -> list[int]:
    """Merges a word, and passes over each possible merge with the probability `dropout`.

    Raises ValueError for a probability outside 0 to 1.
    """
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout is a probability, not {dropout}: choose a number from 0 to 1")
    size = len(ids)
    symbols = list(ids)
    following = list(range(1, size + 1))
    preceding = list(range(-1, size - 1))
    heap: list[tuple[int, int, int]] = []  # (rank, place, id of the result)

    def offer(place: int) -> None:
        if place < 0 or following[place] >= size:
            return
        rank, token = ranks.get((symbols[place], symbols[following[place]]), NEVER)
        if token >= 0:
            heapq.heappush(heap, (rank, place, token))

    def fits(rank: int, place: int, token: int) -> bool:
        after = following[place]
        if symbols[place] < 0 or after >= size:
            return False
        return ranks.get((symbols[place], symbols[after]), NEVER) == (rank, token)

    for place in range(size - 1):
        offer(place)
    passed_over: list[tuple[int, int, int]] = []
    while heap:
        candidate = heapq.heappop(heap)
        if not fits(*candidate):
            continue
        if generator.random() < dropout:
            passed_over.append(candidate)
            continue
        _, place, token = candidate
        after = following[place]
        symbols[place], symbols[after] = token, -1
        following[place] = following[after]
        if following[place] < size:
            preceding[following[place]] = place
        offer(preceding[place])
        offer(place)
        for candidate in passed_over:  # the next step asks them again
            heapq.heappush(heap, candidate)
        passed_over.clear()
    return [symbol for symbol in symbols if symbol >= 0]
