"""Merging by score: of all neighbors that spell a piece, the best piece first, from the left.

Pieces with scores have no list of merges. But the pairs of strings that spell a piece can be listed
once: every split of every piece into two halves that can occur while a text is merged. Then a
piece's rank in the order of scores is the rank of its merges.

Source: Kudo and Richardson 2018, section 3.1.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from core.tokenization.sentencepiece.vocabulary import SentencePieceVocabulary

Pair = tuple[int, int]
Found = tuple[int, int]  # the rank of a piece's score, 0 for the best, and the piece's id

GONE = -1  # a symbol that was merged into its left neighbor


class Symbols(dict[str, int]):
    """Numbers for all strings that a text can be cut into: the piece's id, or one above all ids.

    spelled  the strings by number
    """

    def __init__(self, pieces: SentencePieceVocabulary) -> None:
        super().__init__(pieces.ids)
        self.spelled = list(pieces.spelled)

    def __missing__(self, string: str) -> int:
        """Assigns the next number to a string that is not a piece."""
        number = self[string] = len(self.spelled)
        self.spelled.append(string)
        return number


def find_joins(pieces: SentencePieceVocabulary, symbols: Symbols) -> dict[Pair, Found]:
    """Returns, for each pair of symbols, the rank and the id of the piece that it merges into."""
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
    """Returns the ids of the pieces that share their score with another piece."""
    by_rank: dict[int, set[int]] = {}
    for rank, token in joins.values():
        by_rank.setdefault(rank, set()).add(token)
    return {token for tokens in by_rank.values() if len(tokens) > 1 for token in tokens}


@dataclass(slots=True)
class Merged:
    """A row of symbols after merging, with the last pair found that spells each piece."""

    symbols: list[int]
    halves: dict[int, Pair] = field(default_factory=dict)


class Offer(NamedTuple):
    """Two neighbors that spell a piece; the smallest is the best: by score, then from the left.

    place, after  positions of the two in the row
    left, right   their numbers; token: the piece's id
    """

    rank: int
    place: int
    after: int
    left: int
    right: int
    token: int


class Choice(NamedTuple):
    """A chosen merge: the row before it (GONE for merged symbols), the merge, and the other offers,
    including outdated ones.

    draw  the random number drawn for it with a dropout: below the dropout, it is skipped
    """

    row: list[int]
    best: Offer
    heap: list[Offer]
    draw: float | None = None

    @property
    def others(self) -> list[Offer]:
        """The other offers that are still valid, the best first."""
        return standing(self.heap, self.row)


def standing(offers: Iterable[Offer], row: Sequence[int]) -> list[Offer]:
    """Returns the offers whose two symbols are still in the row as neighbors, the best first."""
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

    With a dropout above 0, each merge is skipped for good with that probability. Every chosen
    merge, including skipped ones, is appended to `seen`, so that a caller can show it.
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
        """Whether both symbols are still in the row, next to each other."""
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
    """Merges a word in which pieces may have equal scores: the leftmost of them first."""
    return merge_by_score(numbers, [False] * len(numbers), joins).symbols


def split_unused(merged: Merged, unused: Mapping[int, object] | frozenset[int]) -> list[int]:
    """Splits the pieces that must not occur in a result into the pairs they were merged from."""
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
