"""The best way to cut a text, as fast as Python can: Viterbi's search without building a lattice.

The pieces at all positions are found with arrays, which leaves Python one comparison for every
piece that occurs in the text. The time is proportional to the text's length, whatever the text is.
The result is that of `Lattice.viterbi`.

Source: Kudo 2018, section 3.2; Viterbi 1967.
"""

import math
from array import array

import numpy as np

from core.tokenization.unigram.piece_trie import CHUNK, PieceTrie, code_points
from core.tokenization.unigram.radix_sort import stable_order

LENGTH_BITS = 24  # a piece and its length are packed into one number


class Search:
    """Finds best paths with the pieces of a trie.

    scores         (V) indexed by the pieces' ids
    unknown_id     the id for each character that is not itself a piece
    unknown_score  its score, below all others
    """

    def __init__(
        self, trie: PieceTrie, scores: np.ndarray, unknown_id: int, unknown_score: float
    ) -> None:
        self.trie = trie
        self.scores = np.asarray(scores, dtype=np.float64)
        self.unknown_id = unknown_id
        self.unknown_score = unknown_score

    def best(self, text: str) -> tuple[list[int], list[int]]:
        """Returns the ids of the best path, and the position in the text where each piece ends.

        Of equals the piece that starts first wins. Sums are rounded to 32 bits, as in `arrive`.
        """
        best = array("f", [-math.inf]) * (len(text) + 1)
        best[0] = 0.0
        arrived = array("q", [0]) * (len(text) + 1)
        characters = code_points(text)
        for first in range(0, len(text), CHUNK):
            starts, ends, scores, pieces = self._edges(characters, first)
            for start, end, score, piece in zip(starts, ends, scores, pieces):
                candidate = best[start] + score
                if candidate > best[end]:
                    best[end] = candidate
                    arrived[end] = piece
        return _backtrace(arrived)

    def _edges(self, characters: np.ndarray, first: int) -> tuple[list, list, list, list]:
        """Returns a chunk's edges from `first` on: starts, ends, scores and packed pieces."""
        stop = min(first + CHUNK, len(characters))
        found = self.trie.matches_from(characters, first, stop)
        starts, lengths, ids, scores = (
            found.starts,
            found.lengths,
            found.ids,
            self.scores[found.ids],
        )
        covered = np.zeros(stop - first, dtype=bool)
        covered[starts[lengths == 1] - first] = True
        if not covered.all():
            unknown = first + np.flatnonzero(~covered)
            starts = np.concatenate([starts, unknown])
            # Stable: an unknown edge comes after the pieces with the same start.
            order = stable_order(starts - first)
            starts = starts[order]
            lengths = np.append(lengths, np.ones_like(unknown))[order]
            ids = np.append(ids, np.full_like(unknown, self.unknown_id))[order]
            scores = np.append(scores, np.full(len(unknown), self.unknown_score))[order]
        pieces = (ids.astype(np.int64) << LENGTH_BITS) | lengths
        return starts.tolist(), (starts + lengths).tolist(), scores.tolist(), pieces.tolist()


def _backtrace(arrived: array) -> tuple[list[int], list[int]]:
    """Follows the best path back from the end, then reverses it."""
    ids: list[int] = []
    ends: list[int] = []
    place = len(arrived) - 1
    mask = (1 << LENGTH_BITS) - 1
    while place > 0:
        piece = arrived[place]
        ids.append(piece >> LENGTH_BITS)
        ends.append(place)
        place -= piece & mask
    ids.reverse()
    ends.reverse()
    return ids, ends
