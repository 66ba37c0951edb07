"""Merging by score: of all neighbors that spell a piece, the best piece first, from the left.

Pieces with scores come without a list of merges. But which two strings spell which piece can be
written down once: every cut of every piece whose two halves a text can be made of. Then a piece's
place in the order of scores is the rank of its merges.

Source: Kudo and Richardson 2018, section 3.1.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.tokenization.sentencepiece_vocabulary import SentencePieceVocabulary

Pair = tuple[int, int]
Found = tuple[int, int]  # the rank of a piece among all scores, 0 for the best, and its id


class Symbols(dict[str, int]):
    """Numbers for all strings that a text can be cut into: a piece's id, or one after all ids.

    spelled  the strings by their numbers
    """

    def __init__(self, pieces: SentencePieceVocabulary) -> None:
        super().__init__(pieces.ids)
        self.spelled = list(pieces.spelled)

    def __missing__(self, string: str) -> int:
        """A string that is no piece gets the next number."""
        number = self[string] = len(self.spelled)
        self.spelled.append(string)
        return number


def find_joins(pieces: SentencePieceVocabulary, symbols: Symbols) -> dict[Pair, Found]:
    """What each pair of symbols is joined to, and how early."""
    ids = pieces.ids
    scores = {pieces.pieces[token].score for token in ids.values()}
    ranks = {score: rank for rank, score in enumerate(sorted(scores, reverse=True))}
    joins: dict[Pair, Found] = {}
    for piece, token in ids.items():
        found = (ranks[pieces.pieces[token].score], token)
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if (cut == 1 or left in ids) and (len(right) == 1 or right in ids):
                joins[symbols[left], symbols[right]] = found
    return joins


def tied_pieces(joins: Mapping[Pair, Found]) -> set[int]:
    """The ids of pieces that have their score in common with another piece."""
    by_rank: dict[int, set[int]] = {}
    for rank, token in joins.values():
        by_rank.setdefault(rank, set()).add(token)
    return {token for tokens in by_rank.values() if len(tokens) > 1 for token in tokens}


@dataclass(slots=True)
class Merged:
    """What is left of a row of symbols, and the last two that could have become each piece."""

    symbols: list[int]
    halves: dict[int, Pair] = field(default_factory=dict)


def merge_by_score(
    numbers: Sequence[int],
    frozen: Sequence[bool],
    joins: Mapping[Pair, Found],
    dropout: float = 0.0,
    generator: np.random.Generator | None = None,
) -> Merged:
    """Merges until no two neighbors fit; frozen symbols take part in no merge.

    With a dropout above 0 each merge is passed over with that probability, for good.
    """
    size = len(numbers)
    symbols = list(numbers)
    following = list(range(1, size + 1))
    preceding = list(range(-1, size - 1))
    halves: dict[int, Pair] = {}
    heap: list[tuple[int, int, int, int, int, int]] = []

    def offer(place: int, after: int) -> None:
        if place < 0 or after >= size or frozen[place] or frozen[after]:
            return
        pair = (symbols[place], symbols[after])
        found = joins.get(pair)
        if found is not None:
            rank, token = found
            halves[token] = pair
            heapq.heappush(heap, (rank, place, after, *pair, token))

    for place in range(size - 1):
        offer(place, place + 1)
    while heap:
        _, place, after, left, right, token = heapq.heappop(heap)
        if symbols[place] != left or symbols[after] != right or following[place] != after:
            continue  # a merge beside it came first
        if dropout and generator is not None and generator.random() < dropout:
            continue
        symbols[place], symbols[after] = token, -1
        following[place] = beyond = following[after]
        if beyond < size:
            preceding[beyond] = place
        offer(preceding[place], place)
        offer(place, beyond)
    return Merged([symbol for symbol in symbols if symbol >= 0], halves)


def split_unused(merged: Merged, unused: Mapping[int, object] | frozenset[int]) -> list[int]:
    """Cuts the pieces that may not be a result into what they were joined from."""
    result: list[int] = []
    waiting = merged.symbols[::-1]
    while waiting:
        symbol = waiting.pop()
        if symbol in unused and symbol in merged.halves:
            left, right = merged.halves[symbol]
            waiting += (right, left)
        else:
            result.append(symbol)
    return result
