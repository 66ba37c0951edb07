"""Unigram's first vocabulary: every sequence of characters that may be worth a piece.

A sequence is a candidate if it occurs at least twice and is followed by at least two different
characters: one that is always followed by the same character is no better than the longer sequence.
These are the inner nodes of the text's suffix tree. They are found here by sorting: if all
positions of the text are sorted by the text that follows them, positions with a common beginning
are adjacent.

Source: Kudo 2018, section 3.2, step 1; Abouelhoda, Kurtz and Ohlebusch 2004 for the intervals.
"""

from collections import Counter
from collections.abc import Generator, Sequence

import numpy as np

from core.jobs import Pace
from core.tokenization.sentencepiece.normalizer import SPACE
from core.tokenization.sentencepiece.text import LONGEST_PIECE, RARE, is_valid_piece
from core.tokenization.steps import WorkingStep
from core.tokenization.unigram.piece_trie import code_points
from core.tokenization.unigram.radix_sort import stable_order

LINE_END = "\0"  # follows every line; no piece crosses it
MOST_SEEDS = 1_000_000


def seed_pieces(
    lines: Sequence[str], longest: int = LONGEST_PIECE, most: int = MOST_SEEDS
) -> Generator[WorkingStep, None, tuple[list[str], np.ndarray]]:
    """Finds the initial pieces, and how much text each covers: its count times its length.

    First come all characters, by frequency, then the sequences that cover the most text.
    """
    text = LINE_END.join([*lines, ""])
    alphabet = Counter(text)
    del alphabet[RARE], alphabet[LINE_END]
    singles = sorted(alphabet.items(), key=lambda item: (-item[1], item[0]))
    places, depths, covered = yield from repeated_sequences(text, longest)
    pieces: list[str] = []
    weights: list[int] = []
    pace = Pace()
    for place, depth, weight in zip(places.tolist(), depths.tolist(), covered.tolist()):
        piece = text[place : place + depth]
        if is_valid_piece(piece, longest):
            pieces.append(piece)
            weights.append(weight)
            if len(pieces) == most:
                break
        if pace.is_due():
            yield WorkingStep("seeds", len(pieces))
            pace.go_on()
    return (
        [character for character, _ in singles] + pieces,
        np.array([times for _, times in singles] + weights, dtype=np.float32),
    )


def repeated_sequences(
    text: str, longest: int
) -> Generator[WorkingStep, None, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Finds sequences of 2 to `longest` characters that are followed by two different characters.

    Returns for each the position of an occurrence, its length, and its count times its length, the
    largest first. Sequences that cannot be a piece, because a line ends or a word begins inside
    them, are omitted.
    """
    characters = code_points(text)
    order = yield from sort_places(characters, longest + 1)
    padded = np.concatenate([characters, np.zeros(longest + 1, dtype=characters.dtype)])
    room = room_for_pieces(characters)
    found: list[tuple[np.ndarray, ...]] = []
    # same[i]: the same `depth` characters start at order[i - 1] and at order[i].
    same = np.zeros(len(order), dtype=bool)
    same[1:] = padded[order[1:]] == padded[order[:-1]]
    for depth in range(1, longest + 1):
        following = padded[order + depth]
        still_same = same.copy()
        still_same[1:] &= following[1:] == following[:-1]
        if depth > 1:
            first = np.flatnonzero(~same)  # where a group with a common beginning starts
            behind = np.append(first[1:], len(order))
            # How many different characters follow: each change is the start of another.
            branches = np.add.reduceat(~still_same, first, dtype=np.int64)
            chosen = (branches >= 2) & (room[order[first]] >= depth)
            first, behind = first[chosen], behind[chosen]
            count = behind - first
            found.append((order[first], np.full(len(first), depth), count * depth, behind))
        same = still_same
        yield WorkingStep("seeds", sum(len(places) for places, *_ in found))
    places, depths, covered, behind = (np.concatenate(column) for column in zip(*found))
    # Equals in the order in which a walk through the sorted positions leaves their groups.
    ranking = np.lexsort((-depths, behind, -covered))
    return places[ranking], depths[ranking], covered[ranking]


def room_for_pieces(characters: np.ndarray) -> np.ndarray:
    """Returns the greatest length, in characters, of a piece that starts at each position."""
    size = len(characters)
    here = np.arange(size)
    closed = np.isin(characters, [ord(LINE_END), ord(RARE)])
    next_closed = _next(np.where(closed, here, size))
    next_space = _next(np.where(characters == ord(SPACE), here, size))
    next_space = np.append(next_space[1:], size)  # a piece may start with "▁"
    return np.minimum(next_closed, next_space) - here


def _next(places: np.ndarray) -> np.ndarray:
    """Returns, for each index, the least of the places from it on."""
    return np.minimum.accumulate(places[::-1])[::-1]


def sort_places(characters: np.ndarray, depth: int) -> Generator[WorkingStep, None, np.ndarray]:
    """Sorts the positions of a text by the `depth` characters that follow each.

    As many characters as fit into 63 bits are compared at once. The result also ranks the text
    after those characters, so every further sort doubles the number of characters compared.
    """
    _, codes = np.unique(characters, return_inverse=True)
    codes = codes.astype(np.int64) + 1  # 0: the text has ended
    depth = min(depth, len(codes))
    bits = int(codes.max()).bit_length()
    ahead = max(1, min(depth, 63 // bits))
    keys = np.zeros(len(codes), dtype=np.int64)
    for step in range(ahead):
        keys <<= bits
        keys[: len(codes) - step] |= codes[step:]
    while True:
        order = stable_order(keys)
        yield WorkingStep("seeds", 0)
        if ahead >= depth:
            return order
        ordered = keys[order]
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.cumsum(np.append(True, ordered[1:] != ordered[:-1]))
        keys = rank << 32
        keys[: len(rank) - ahead] |= rank[ahead:]
        ahead *= 2
        yield WorkingStep("seeds", 0)
