"""Finds the pieces of a vocabulary in a text, with a tree of their characters.

A trie shares common beginnings of pieces: "the", "then" and "they" are one path t-h-e with two
branches. Walking it from one position of the text finds all pieces that start there. This one
walks from every position at once: level after level, each walk takes one more character, and the
walks that no piece continues end.

Letters in shapes: N characters of the text, M matches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.tokenization.unigram.radix_sort import stable_order

BITS = 21  # of a code point, at most
CHUNK = 1 << 16  # positions that are walked together: their starts fit 16 bits, which sort fast


@dataclass(frozen=True, slots=True)
class Matches:
    """Pieces found in a text, by start and then by length; each array has the shape (M)."""

    starts: np.ndarray
    lengths: np.ndarray
    ids: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


def code_points(text: str) -> np.ndarray:
    """Returns the code points of a text, one per character: (N) of uint32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


class PieceTrie:
    """The tree of all pieces.

    pieces  distinct strings, none empty
    ids     the id of each; by default its index in the list
    """

    def __init__(
        self, pieces: Sequence[str], ids: Sequence[int] | np.ndarray | None = None
    ) -> None:
        self.n_pieces = len(pieces)
        numbers = np.arange(len(pieces)) if ids is None else np.asarray(ids, dtype=np.int64)
        characters = code_points("".join(pieces)).astype(np.int64)
        lengths = np.array([len(piece) for piece in pieces], dtype=np.int64)
        offsets = np.cumsum(lengths) - lengths
        # A level: the sorted keys of its nodes, and the piece that ends in each, -1 for none. A key
        # combines the number of the parent node and the character that leads from it.
        self._levels: list[tuple[np.ndarray, np.ndarray]] = []
        node = np.zeros(len(pieces), dtype=np.int64)
        going_on = np.flatnonzero(lengths > 0)
        while len(going_on):
            depth = len(self._levels)
            above = node[going_on] << BITS
            keys, node[going_on] = np.unique(
                above | characters[offsets[going_on] + depth], return_inverse=True
            )
            piece_of = np.full(len(keys), -1, dtype=np.int32)
            ending = going_on[lengths[going_on] == depth + 1]
            piece_of[node[ending]] = numbers[ending]
            self._levels.append((keys, piece_of))
            going_on = going_on[lengths[going_on] > depth + 1]

    @property
    def longest(self) -> int:
        """The length of the longest piece, in characters."""
        return len(self._levels)

    def matches(self, text: str) -> Matches:
        """Finds every piece at every position of the text."""
        return self.matches_from(code_points(text), 0, len(text))

    def matches_from(self, characters: np.ndarray, first: int, stop: int) -> Matches:
        """Finds every piece, of any length, that starts at a position from first to stop - 1."""
        parts = [
            self._walk(characters, start, min(start + CHUNK, stop))
            for start in range(first, stop, CHUNK)
        ]
        if len(parts) == 1:
            return parts[0]
        empty = [np.zeros(0, dtype=np.int64)]
        return Matches(
            np.concatenate([part.starts for part in parts] or empty),
            np.concatenate([part.lengths for part in parts] or empty),
            np.concatenate([part.ids for part in parts] or empty),
        )

    def _walk(self, characters: np.ndarray, first: int, stop: int) -> Matches:
        starts, lengths, ids = [], [], []
        walking = np.arange(first, stop)
        node = np.zeros(len(walking), dtype=np.int64)
        for depth, (keys, piece_of) in enumerate(self._levels):
            inside = np.searchsorted(walking, len(characters) - depth)  # the others reach the end
            walking, node = walking[:inside], node[:inside]
            wanted = (node << BITS) | characters[walking + depth]
            node = np.searchsorted(keys, wanted)
            found = keys[np.minimum(node, len(keys) - 1)] == wanted
            walking, node = walking[found], node[found]
            if not len(walking):
                break
            pieces = piece_of[node]
            ending = pieces >= 0
            starts.append(walking[ending])
            lengths.append(np.full(len(starts[-1]), depth + 1))
            ids.append(pieces[ending])
        if not starts:
            return Matches(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
        start = np.concatenate(starts)
        # Stable: the shorter piece, which was found on an earlier level, stays in front.
        order = stable_order(start - first)
        return Matches(start[order], np.concatenate(lengths)[order], np.concatenate(ids)[order])
