"""The lattices of many words at once, as arrays: what a trainer needs in every round.

The lattice of a word is small, but there are thousands of words, and every round processes all of
their edges. So the edges of all words share one table, and a sweep takes one edge of every word at
a time: first all that end at the words' first character, then all that end at the second, and so
on. Within a word that is exactly the order in which `Lattice` visits its nodes.

Numbers have 32 bits and are added in the order of SentencePiece, so that a vocabulary trained here
has the same scores as one trained there.

Letters in shapes: W words; P places, those before and after each character of every word; M edges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from core.tokenization.unigram.piece_trie import Matches, PieceTrie, code_points
from core.tokenization.unigram.radix_sort import stable_order

BETWEEN = "\0"  # follows every word; its place is the end of that word


def log_add(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns log(exp(a) + exp(b)) without overflow of 32-bit numbers; b is finite."""
    high = np.maximum(a, b)
    gap = (np.minimum(a, b) - high).astype(np.float64)
    return (high + np.log(np.exp(gap) + 1.0)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Edges in an order in which whole groups can be processed at once.

    order   (M) edges; no two edges of a group belong to the same word
    bounds  the start of each group in `order`, and the end of the last one
    places  the places before and after the edges of each group
    """

    order: np.ndarray
    bounds: list[int]
    places: list[tuple[np.ndarray, np.ndarray]]

    @classmethod
    def by(cls, key: np.ndarray, start: np.ndarray, end: np.ndarray) -> Self:
        """Groups the edges with equal keys, the smallest key first."""
        order = stable_order(key)
        ordered = key[order]
        changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
        bounds = [0, *changes.tolist(), len(order)] if len(order) else []
        places = zip(_cut(start[order], bounds), _cut(end[order], bounds))
        return cls(order, bounds, list(places))

    def groups(self, values: np.ndarray) -> list[np.ndarray]:
        """Returns a value of each edge (M), cut into groups."""
        return _cut(values[self.order], self.bounds)


def _cut(values: np.ndarray, bounds: list[int]) -> list[np.ndarray]:
    return [values[start:stop] for start, stop in pairwise(bounds)]


class WordLattices:
    """Every piece at every place of every word.

    words  none of them empty
    trie   finds the pieces; they have the ids 0 to n - 1
    whole  False omits the piece that is the whole word, to find the other ways to cut it

    piece, start, end  (M) the edges; piece is -1 for the unknown, which has an edge wherever a
                       character is not a piece; start and end are places
    starts, ends       (W) the places before and after each word
    """

    def __init__(self, words: Sequence[str], trie: PieceTrie, *, whole: bool = True) -> None:
        text = BETWEEN.join([*words, ""])
        characters = code_points(text)
        self.n_places = len(text)
        self.ends = np.flatnonzero(characters == ord(BETWEEN))  # (W) place after each word
        self.starts = np.append(0, self.ends[:-1] + 1)  # (W) place before each word
        found = trie.matches_from(characters, 0, len(characters))
        if not whole:
            found = _without_whole_words(found, self.starts, self.ends)
        single = np.full(len(text), -1)  # the piece of each character alone; -1 for none
        is_single = found.lengths == 1
        single[found.starts[is_single]] = found.ids[is_single]
        unknown = np.flatnonzero(characters != ord(BETWEEN))
        # Edges by start, then by length; the one for the unknown comes last.
        start = np.concatenate([found.starts, unknown])
        order = stable_order(start)
        self._start = start[order].astype(np.int32)
        length = np.concatenate([found.lengths, np.ones_like(unknown)])[order].astype(np.int32)
        self._end = self._start + length
        self._piece = np.concatenate([found.ids, single[unknown]])[order].astype(np.int32)
        self._unknown = np.repeat([False, True], [len(found), len(unknown)])[order]
        before = np.repeat(self.starts, self.ends - self.starts + 1)[self._start]  # word's start
        place, longest = self._start - before.astype(np.int32), int(length.max(initial=1))
        self._forward_key = (place + length) * (longest + 1) + (longest - length)
        after = int(place.max(initial=0)) - place
        self._backward_key = after * (longest + 2) + np.where(self._unknown, longest + 1, length)
        self.renumber(np.arange(trie.n_pieces))

    def renumber(self, new_ids: np.ndarray) -> None:
        """Gives the pieces new ids; new_ids (n) is indexed by the old ones, -1 removes a piece.

        If a character is no longer a piece, its edge for the unknown becomes active.
        """
        self._piece = np.append(new_ids, -1)[self._piece]  # index -1 finds the appended -1
        self._drop((self._piece >= 0) | self._unknown)
        awake = (self._piece >= 0) != self._unknown
        self.piece = np.where(self._unknown, -1, self._piece)[awake]
        self.start = self._start[awake]
        self.end = self._end[awake]
        self._forward = Sweep.by(self._forward_key[awake], self.start, self.end)
        self._backward = Sweep.by(self._backward_key[awake], self.start, self.end)

    def _drop(self, stays: np.ndarray) -> None:
        if stays.all():
            return
        for name in ("_start", "_end", "_piece", "_unknown", "_forward_key", "_backward_key"):
            setattr(self, name, getattr(self, name)[stays])

    def forward(self, score: np.ndarray) -> np.ndarray:
        """Returns the log probability of all ways to each place (P); score (M) of the edges."""
        sums = np.full(self.n_places, -np.inf, dtype=np.float32)
        sums[self.starts] = 0
        for (start, end), gain in zip(self._forward.places, self._forward.groups(score)):
            sums[end] = log_add(sums[end], sums[start] + gain)
        return sums

    def backward(self, score: np.ndarray) -> np.ndarray:
        """Returns the same for all ways from each place to the end of its word (P)."""
        sums = np.full(self.n_places, -np.inf, dtype=np.float32)
        sums[self.ends] = 0
        for (start, end), gain in zip(self._backward.places, self._backward.groups(score)):
            sums[start] = log_add(sums[start], sums[end] + gain)
        return sums

    def shares(self, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the probability of each edge (M), and the log probability of each word (W)."""
        before, after = self.forward(score), self.backward(score)
        whole = before[self.ends]
        through = before[self.start] + score + after[self.end] - self.of_words(whole)
        return np.exp(through.astype(np.float64)), whole

    def of_words(self, values: np.ndarray) -> np.ndarray:
        """Returns, for each edge, the value of its word (M); values (W)."""
        return np.repeat(values, self.ends - self.starts + 1)[self.start]

    def viterbi(self, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the score of the best way to each place (P) and its last edge (P), -1 for none.

        Of equal ways the one whose last edge is longest wins.
        """
        best = np.full(self.n_places, -np.inf, dtype=np.float32)
        best[self.starts] = 0
        arrived = np.full(self.n_places, -1, dtype=np.int32)
        edges = self._forward.groups(np.arange(len(self.start), dtype=np.int32))
        gains = self._forward.groups(score)
        for (start, end), gain, edge in zip(self._forward.places, gains, edges):
            candidate = best[start] + gain
            better = candidate > best[end]
            end = end[better]
            best[end] = candidate[better]
            arrived[end] = edge[better]
        return best, arrived

    def backtrace(self, arrived: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Returns the edges of the best ways, in rounds of (words, edges), from last to first.

        Words whose first edge was reached are missing from later rounds.
        """
        rounds = []
        words = np.arange(len(self.ends))
        place = self.ends
        while len(words):
            edge = arrived[place]
            rounds.append((words, edge))
            place = self.start[edge]
            going_on = place > self.starts[words]
            words, place = words[going_on], place[going_on]
        return rounds


def _without_whole_words(found: Matches, starts: np.ndarray, ends: np.ndarray) -> Matches:
    end_of = np.zeros(ends[-1] + 1 if len(ends) else 0, dtype=np.int64)
    end_of[starts] = ends
    part = found.starts + found.lengths != end_of[found.starts]
    return Matches(found.starts[part], found.lengths[part], found.ids[part])
