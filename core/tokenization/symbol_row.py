"""A training text as one row of symbols, whose neighbors are counted and merged.

Equal words are counted once: each different word stands in the row a single time, with how often
the text holds it. A wall stands between words, so that no pair crosses it. A merged symbol stays
where its left part was and its right part becomes a gap; every symbol knows the living ones beside
it. So a merge touches the places where it happens and nothing else, however long a word is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

WALL = -1  # stands before, between and after the words
GAP = -2  # was merged into the symbol on its left

Pair = tuple[int, int]


class SymbolRow:
    """The words of a text, symbol by symbol.

    symbols  (n) ids, with WALL before each word and after the last
    times    (n) how often the text holds the word that a place belongs to
    count    how often each pair of neighbors stands in the text
    where    the places (of the left symbol) of each pair, rising, as they were at the start
    counts   how often each symbol stood in the text at the start, by id
    tokens   how many symbols the text has now
    """

    def __init__(self, symbols: np.ndarray, times: np.ndarray) -> None:
        if len(symbols) == 0 or symbols[0] != WALL or symbols[-1] != WALL:
            raise ValueError("a row of symbols begins and ends with a wall: add them")
        self.count: defaultdict[Pair, int] = defaultdict(int)
        self.where: dict[Pair, list[int]] = {}
        self._count_pairs(symbols, times)
        inside = symbols != WALL
        self.counts = np.bincount(symbols[inside], weights=times[inside]).astype(np.int64)
        self.tokens = int(self.counts.sum())
        self.tokens_before = self.tokens  # how many there were before the last merge
        self.symbols: list[int] = symbols.tolist()
        self.times: list[int] = times.tolist()
        self.following = list(range(1, len(symbols) + 1))
        self.preceding = list(range(-1, len(symbols) - 1))

    def _count_pairs(self, symbols: np.ndarray, times: np.ndarray) -> None:
        """Counts all neighbors at once: equal pairs are brought side by side and added up."""
        left, right = symbols[:-1].astype(np.int64), symbols[1:].astype(np.int64)
        places = np.flatnonzero((left != WALL) & (right != WALL))
        if len(places) == 0:
            return
        size = int(symbols.max()) + 1
        keys = left[places] * size + right[places]
        order = np.argsort(keys, kind="stable")  # stable: the places of a pair keep rising
        keys, places = keys[order], places[order]
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        counts = np.add.reduceat(times[places], starts)
        pairs = [divmod(key, size) for key in keys[starts].tolist()]
        self.count.update(zip(pairs, counts.tolist()))
        for pair, found in zip(pairs, np.split(places, starts[1:])):
            self.where[pair] = found.tolist()

    def merge(self, left: int, right: int, token: int, places: list[int]) -> dict[Pair, list[int]]:
        """Joins left and right into `token` at these places (rising), and updates the counts.

        Nothing happens where the pair is gone because a neighboring merge took one of the two. Of
        overlapping pairs ("aaa"), the left one is merged. The count of the pair itself is not
        updated. Returns the new pairs of neighbors, with their places.
        """
        symbols, following, preceding = self.symbols, self.following, self.preceding
        times, count = self.times, self.count
        joined = 0
        gained: defaultdict[Pair, list[int]] = defaultdict(list)
        for place in places:
            after = following[place]
            if symbols[place] != left or symbols[after] != right:
                continue
            weight = times[place]
            before, beyond = preceding[place], following[after]
            symbols[place] = token  # step: merge
            symbols[after] = GAP
            following[place], preceding[beyond] = beyond, place
            neighbor = symbols[before]
            if neighbor != WALL:
                count[neighbor, left] -= weight
                count[neighbor, token] += weight
                gained[neighbor, token].append(before)
            neighbor = symbols[beyond]
            if neighbor != WALL:
                count[right, neighbor] -= weight
                count[token, neighbor] += weight
                gained[token, neighbor].append(place)
            joined += weight
        tokens_before = self.tokens
        tokens = tokens_before - joined  # step: update
        self.tokens_before, self.tokens = tokens_before, tokens
        return gained

    def stands(self, pair: Pair, place: int) -> bool:
        """Whether the pair is at this place now."""
        symbols = self.symbols
        return symbols[place] == pair[0] and symbols[self.following[place]] == pair[1]

    def first_place(self, pair: Pair, places: list[int]) -> int:
        """The first of these places where the pair still stands; len(symbols) if at none."""
        return next((place for place in places if self.stands(pair, place)), len(self.symbols))


def row_of_words(spelled: Iterable[Sequence[int]], times: Sequence[int]) -> SymbolRow:
    """A row from words as ids, and how often the text holds each."""
    symbols = [WALL]
    lengths = []
    for word in spelled:
        symbols += word
        symbols.append(WALL)
        lengths.append(len(word) + 1)
    return SymbolRow(np.array(symbols), np.append(0, np.repeat(times, lengths)))
