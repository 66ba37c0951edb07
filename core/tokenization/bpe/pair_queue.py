"""Finds the most frequent pair without a search, with a heap that is corrected lazily.

Merges change the counts of thousands of pairs. The heap does not update them, so its counts may be
too high but never too low: when a pair is popped whose count has fallen, it is pushed again with
its current count.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from typing import NamedTuple

from core.tokenization.symbol_row import Pair, SymbolRow


class Candidate(NamedTuple):
    """A pair in the heap; the smallest is the best: the highest count, then the lowest order.

    order   decides between equal counts
    serial  prevents Python from comparing the lists
    places  positions of the pair when it was added
    """

    negative_count: int
    order: Pair | int
    serial: int
    pair: Pair
    places: list[int]

    @property
    def pair_count(self) -> int:  # `count` is a method of tuples
        """Number of occurrences of the pair in the text when it was added."""
        return -self.negative_count


class PairQueue:
    """All pairs of a row, the best first.

    earliest  among equally frequent pairs, prefer the one that occurs first in the text (True) or
              the one with the smallest ids (False)
    """

    def __init__(self, row: SymbolRow, earliest: bool = False) -> None:
        self._row = row
        self._earliest = earliest
        self._serial = 0
        self._heap: list[Candidate] = []
        for pair, places in row.where.items():
            self._heap.append(self._candidate(pair, places))
        heapq.heapify(self._heap)

    def add(self, pair: Pair, places: list[int]) -> None:
        """Adds a pair with its new places in the text."""
        if self._row.count[pair] > 0:
            heapq.heappush(self._heap, self._candidate(pair, places))

    def _candidate(self, pair: Pair, places: list[int]) -> Candidate:
        self._serial += 1
        order: Pair | int = pair
        if self._earliest:
            order = self._row.first_place(pair, places)
            del places[: bisect_left(places, order)]  # the pair has gone from there for good
        return Candidate(-self._row.count[pair], order, self._serial, pair, places)

    def pop(self) -> Candidate | None:
        """Removes and returns the best pair by current counts, or None if none is left."""
        while self._heap:
            candidate = heapq.heappop(self._heap)
            if self._is_current(candidate):
                return candidate
            heapq.heappush(self._heap, self._candidate(candidate.pair, candidate.places))
        return None

    def _is_current(self, candidate: Candidate) -> bool:
        if -candidate.negative_count != self._row.count[candidate.pair]:
            return False
        return not self._earliest or (
            candidate.negative_count == 0 or self._row.stands(candidate.pair, int(candidate.order))  # type: ignore[arg-type]
        )

    def best(self, number: int) -> list[Candidate]:
        """Returns the pairs that pop would return next, without removing them."""
        found: list[Candidate] = []
        while len(found) < number and (candidate := self.pop()) is not None:
            found.append(candidate)
        for candidate in found:
            heapq.heappush(self._heap, candidate)
        return found
