"""Merging by score: of all neighbors that spell a piece, the best piece first, from the left.

Pieces with scores come without a list of merges. But which two strings spell which piece can be
written down once: every cut of every piece whose two halves a text can be made of. Then a piece's
place in the order of scores is the rank of its merges.

Source: Kudo and Richardson 2018, section 3.1.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from core.tokenization.sentencepiece.vocabulary import SentencePieceVocabulary

Pair = tuple[int, int]
Found = tuple[int, int]  # the rank of a piece among all scores, 0 for the best, and its id

GONE = -1  # was joined to what is on its left


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


class Offer(NamedTuple):
    """Two neighbors that spell a piece; the smallest is the best: by score, then from the left.

    place, after  where the two stand
    left, right   their numbers; token: the piece's id
    """

    rank: int
    place: int
    after: int
    left: int
    right: int
    token: int


class Choice(NamedTuple):
    """A merge as it was chosen: the row before it (GONE where nothing is any more), the merge, and
    what else was offered, also what no longer stands.

    draw  the number that was drawn for it with a dropout: below the dropout it is skipped
    """

    row: list[int]
    best: Offer
    heap: list[Offer]
    draw: float | None = None

    @property
    def others(self) -> list[Offer]:
        """The other offers that stand, the best first."""
        return standing(self.heap, self.row)


def standing(offers: Iterable[Offer], row: Sequence[int]) -> list[Offer]:
    """Those whose two symbols are in the row, neighbors still; the best first."""
    return sorted(it for it in offers if (row[it.place], row[it.after]) == (it.left, it.right))


def merge_by_score(
    numbers: Sequence[int],
    frozen: Sequence[bool],
    joins: Mapping[Pair, Found],
    dropout: float = 0.0,
    generator: np.random.Generator | None = None,
    seen: list[Choice] | None = None,
) -> Merged:
    """Merges neighbors until no two of them spell a piece; frozen symbols are never merged.

    With a dropout above 0, each merge is skipped for good with that probability. `seen` receives
    every chosen merge, the skipped ones included, so that a caller can show it.
    """
    size = len(numbers)
    symbols = list(numbers)
    following = list(range(1, size + 1))
    preceding = list(range(-1, size - 1))
    halves: dict[int, Pair] = {}
    heap: list[Offer] = []

    def offer(place: int, after: int) -> None:
        if place < 0 or after >= size or frozen[place] or frozen[after]:
            return
        found = joins.get((symbols[place], symbols[after]))
        if found is not None:
            rank, token = found
            halves[token] = (symbols[place], symbols[after])
            heapq.heappush(heap, Offer(rank, place, after, *halves[token], token))

    def stands(it: Offer) -> bool:
        """Whether both symbols are still there, next to each other."""
        row = (symbols[it.place], symbols[it.after], following[it.place])
        return row == (it.left, it.right, it.after)

    for place in range(size - 1):
        offer(place, place + 1)
    while heap:
        best = heapq.heappop(heap)  # step: choose
        if not stands(best):
            continue
        draw = None
        if dropout and generator is not None:
            draw = generator.random()  # step: draw
        if seen is not None:
            seen.append(Choice(list(symbols), best, list(heap), draw))
        if draw is not None and draw < dropout:
            continue
        place, after = best.place, best.after
        symbols[place], symbols[after] = best.token, GONE  # step: merge
        following[place] = beyond = following[after]
        if beyond < size:
            preceding[beyond] = place
        offer(preceding[place], place)
        offer(place, beyond)
    return Merged([symbol for symbol in symbols if symbol != GONE], halves)


def merge_with_ties(numbers: Sequence[int], joins: Mapping[Pair, Found]) -> list[int]:
    """A word merged where pieces may be equally good: the leftmost of them first."""
    return merge_by_score(numbers, [False] * len(numbers), joins).symbols


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
