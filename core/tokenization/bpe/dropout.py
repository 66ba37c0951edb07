"""BPE-dropout: merges that are passed over by chance, so that a text is written in many ways.

A model that is trained so sees that "unhappily" and "un|happily" are the same word. At every step
each merge that would fit is dropped with a probability p; of the others the earliest is done. When
all are dropped, the word stays as it is.

Source: Provilkov, Emelianenko and Voita 2020, "BPE-Dropout: Simple and Effective Subword
Regularization", section 3.
"""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.tokenization.bpe.merging import GONE, NEVER, Ranks


class Draw(NamedTuple):
    """A merge that would fit, and the number that was drawn: below the dropout it is passed over.

    symbols  the word, GONE where a symbol was joined to what is on its left
    place    of the left one of the pair; after: of the right one; token: id of the result
    """

    symbols: list[int]
    rank: int
    place: int
    after: int
    token: int
    draw: float


def merge_with_dropout(
    ids: Sequence[int],
    ranks: Ranks,
    dropout: float,
    generator: np.random.Generator,
    seen: list[Draw] | None = None,
) -> list[int]:
    """Merges a word, and passes over each possible merge with the probability `dropout`.

    `seen` receives every merge that is tried, for anyone who wants to watch.

    Raises ValueError for a probability outside 0 to 1.
    """
    check_dropout(dropout)
    size = len(ids)
    symbols = list(ids)  # step: bytes
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
        rank, place, token = heapq.heappop(heap)
        if not fits(rank, place, token):
            continue
        after = following[place]
        draw = generator.random()  # step: draw
        if seen is not None:
            seen.append(Draw(list(symbols), rank, place, after, token, draw))
        if draw < dropout:
            passed_over.append((rank, place, token))
            continue
        symbols[place], symbols[after] = token, GONE  # step: merge
        following[place] = following[after]
        if following[place] < size:
            preceding[following[place]] = place
        offer(preceding[place])
        offer(place)
        for candidate in passed_over:  # the next step tries them again
            heapq.heappush(heap, candidate)
        passed_over.clear()
    word = [symbol for symbol in symbols if symbol != GONE]  # step: word
    return word


def check_dropout(dropout: float) -> None:
    """Raises ValueError for what is no probability."""
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout is a probability, not {dropout}: choose a number from 0 to 1")


def verdict(draw: float, dropout: float) -> str:
    """What a drawn number says of a merge, in words: the end of a title."""
    if draw < dropout:
        return f"is passed over: {draw:.2f} was drawn, below {dropout:.2f}"
    return f"is merged: {draw:.2f} was drawn, not below {dropout:.2f}"
