"""A training text as one row of symbols, in which neighbors are counted and merged.

Equal words are counted once: each different word is in the row a single time, with its number of
occurrences in the text. A wall separates words, so that no pair crosses it. A merged symbol keeps
the position of its left part, and the position of its right part becomes a gap; every symbol links
to its nearest remaining neighbors. So a merge updates only the places where it happens, however
long a word is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

WALL = -1  # before, between and after the words
GAP = -2  # merged into the symbol on its left

Pair = tuple[int, int]


class SymbolRow:
    """The words of a text, symbol by symbol.

    symbols  (n) ids, with WALL before each word and after the last
    times    (n) number of occurrences in the text of the word at each position
    count    how often each pair of neighbors occurs in the text
    where    initial positions (of the left symbol) of each pair, ascending
    counts   initial number of occurrences of each symbol in the text, by id
    tokens   current number of symbols in the text
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
        self.tokens_before = self.tokens  # number before the latest merge
        self.symbols: list[int] = symbols.tolist()
        self.times: list[int] = times.tolist()
        self.following = list(range(1, len(symbols) + 1))
        self.preceding = list(range(-1, len(symbols) - 1))

    def _count_pairs(self, symbols: np.ndarray, times: np.ndarray) -> None:
        """Counts all pairs of neighbors at once: sorts them, then adds up equal pairs."""
        left, right = symbols[:-1].astype(np.int64), symbols[1:].astype(np.int64)
        places = np.flatnonzero((left != WALL) & (right != WALL))
        if len(places) == 0:
            return
        size = int(symbols.max()) + 1
        keys = left[places] * size + right[places]
        order = np.argsort(keys, kind="stable")  # stable: each pair's places stay ascending
        keys, places = keys[order], places[order]
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        counts = np.add.reduceat(times[places], starts)
        pairs = [divmod(key, size) for key in keys[starts].tolist()]
        self.count.update(zip(pairs, counts.tolist()))
        for pair, found in zip(pairs, np.split(places, starts[1:])):
            self.where[pair] = found.tolist()

    def merge(self, left: int, right: int, token: int, places: list[int]) -> dict[Pair, list[int]]:
        """Joins left and right into `token` at these places (ascending), and updates the counts.

        Skips places where a neighboring merge has already taken one of the two. Of overlapping
        pairs ("aaa"), the left one is merged. The count of the pair itself is not updated. Returns
        the new pairs of neighbors, with their places.
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
        """Returns True if the pair is at this place now."""
        symbols = self.symbols
        return symbols[place] == pair[0] and symbols[self.following[place]] == pair[1]

    def first_place(self, pair: Pair, places: list[int]) -> int:
        """Returns the first of these places where the pair still is; len(symbols) if none."""
        return next((place for place in places if self.stands(pair, place)), len(self.symbols))


def row_of_words(spelled: Iterable[Sequence[int]], times: Sequence[int]) -> SymbolRow:
    """Builds a row from words as ids and their numbers of occurrences."""
    symbols = [WALL]
    lengths = []
    for word in spelled:
        symbols += word
        symbols.append(WALL)
        lengths.append(len(word) + 1)
    return SymbolRow(np.array(symbols), np.append(0, np.repeat(times, lengths)))
