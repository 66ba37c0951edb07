"""BPE-dropout: merges are skipped at random, so that one text can be split in many ways.

A model trained in this way sees that "unhappily" and "un|happily" are the same word. At every step,
each possible merge is skipped with probability p; of the others, the one learned first is done.
When all are skipped, the word is finished.

Source: Provilkov, Emelianenko and Voita 2020, "BPE-Dropout: Simple and Effective Subword
Regularization", section 3.
"""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.tokenization.bpe.merging import GONE, NEVER, Ranks


class Draw(NamedTuple):
    """A possible merge and the random number drawn for it: below the dropout, the merge is skipped.

    symbols  the word; GONE where a symbol was joined to its left neighbor
    place    index of the left symbol of the pair; after: of the right one; token: id of the result
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
    """Merges a word, but skips each possible merge with the probability `dropout`.

    Appends every attempted merge to `seen`, for display.

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
    skipped: list[tuple[int, int, int]] = []
    while heap:
        rank, place, token = heapq.heappop(heap)
        if not fits(rank, place, token):
            continue
        after = following[place]
        draw = generator.random()  # step: draw
        if seen is not None:
            seen.append(Draw(list(symbols), rank, place, after, token, draw))
        if draw < dropout:
            skipped.append((rank, place, token))
            continue
        symbols[place], symbols[after] = token, GONE  # step: merge
        following[place] = following[after]
        if following[place] < size:
            preceding[following[place]] = place
        offer(preceding[place])
        offer(place)
        for candidate in skipped:  # the next step tries the skipped merges again
            heapq.heappush(heap, candidate)
        skipped.clear()
    word = [symbol for symbol in symbols if symbol != GONE]  # step: word
    return word


def check_dropout(dropout: float) -> None:
    """Raises ValueError if dropout is not a probability."""
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout is a probability, not {dropout}: choose a number from 0 to 1")


def verdict(draw: float, dropout: float) -> str:
    """Returns the end of a title: whether the random number lets the merge happen."""
    if draw < dropout:
        return f"is skipped: the random number {draw:.2f} is below {dropout:.2f}"
    return f"is merged: the random number {draw:.2f} is not below {dropout:.2f}"
