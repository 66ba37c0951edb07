"""Merges one word: of all pairs that can be joined, the lowest rank first, from the left.

Two functions give the same result. A short word, as nearly all are, is searched for its best pair
before every merge. For a long one (a hundred thousand letters without a space) that would take
hours, so there is a list of places for each rank, and a merge checks only its neighbors.
"""

import heapq
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

LONG = 100  # symbols; at this length, searching becomes slower than lists
NEVER = (1 << 62, -1)  # (rank, id) of a pair that no merge joins
GONE = -1

Found = tuple[int, int]


class Ranks(Protocol):
    """A table of merges: the (rank, id of the result) of a pair of ids, or the default."""

    def get(self, pair: tuple[int, int], default: Found, /) -> Found: ...


class Choice(NamedTuple):
    """A merge chosen by merge_short, and its state before the merge.

    symbols  the word, as ids
    found    (rank, id of the result) of each pair of neighbors; NEVER if no merge joins them
    place    index of the left symbol of the chosen pair; token is below 0 if no merge applies
    """

    symbols: list[int]
    found: list[Found]
    rank: int
    token: int
    place: int


def merge_all(ids: Sequence[int], ranks: Ranks) -> list[int]:
    """Merges a word until no pair can be merged."""
    return merge_short(ids, ranks) if len(ids) < LONG else merge_long(ids, ranks)


def merge_short(ids: Sequence[int], ranks: Ranks, seen: list[Choice] | None = None) -> list[int]:
    """Searches the whole word before each merge; appends every choice to `seen` for display."""
    symbols = list(ids)
    found = [ranks.get(pair, NEVER) for pair in pairwise(symbols)]
    while found:
        rank, token = min(found)  # step: choose
        place = found.index((rank, token))
        if seen is not None:
            seen.append(Choice(list(symbols), list(found), rank, token, place))
        if token < 0:
            break
        symbols[place : place + 2] = [token]  # step: merge
        del found[place]
        if place > 0:
            found[place - 1] = ranks.get((symbols[place - 1], token), NEVER)
        if place < len(found):
            found[place] = ranks.get((token, symbols[place + 1]), NEVER)
    return symbols


def merge_long(ids: Sequence[int], ranks: Ranks) -> list[int]:
    """Processes the ranks in ascending order, each with a list of the places where it applies."""
    size = len(ids)
    symbols = list(ids)
    following = list(range(1, size + 1))
    preceding = list(range(-1, size - 1))
    best = [ranks.get(pair, NEVER) for pair in pairwise(symbols)]  # one per place
    waiting: dict[Found, list[int]] = {}
    for place, found in enumerate(best):
        if found is not NEVER:
            waiting.setdefault(found, []).append(place)
    best.append(NEVER)  # nothing begins at the last symbol
    heap = list(waiting)
    heapq.heapify(heap)
    while heap:
        merge = heapq.heappop(heap)
        places = sorted(waiting.pop(merge))
        for index, place in enumerate(places):
            if best[place] != merge:
                continue  # a neighboring merge came first
            after = following[place]
            beyond = following[after]
            symbols[place], symbols[after] = merge[1], GONE
            best[after] = NEVER
            following[place] = beyond
            if beyond < size:
                preceding[beyond] = place
            earlier = False
            for start in (preceding[place], place):
                if start < 0:
                    continue
                found = NEVER
                if (end := following[start]) < size:
                    found = ranks.get((symbols[start], symbols[end]), NEVER)
                best[start] = found
                if found is NEVER:
                    continue
                if found not in waiting:
                    waiting[found] = []
                    heapq.heappush(heap, found)
                waiting[found].append(start)
                earlier = earlier or found < merge
            if earlier:  # a new pair has a lower rank: postpone the remaining places
                if rest := places[index + 1 :]:
                    waiting[merge] = rest
                    heapq.heappush(heap, merge)
                break
    return [symbol for symbol in symbols if symbol != GONE]
