"""Byte-pair encoding as a textbook prints it: count all pairs, merge the most frequent one, repeat.

`training` and `merging` give the same result and are faster: equal words are counted once, and a
merge checks only the places where it happens. A word is a list of ids, initially one per byte.

Source: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword
Units", section 3.2, algorithm 1.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

Symbol = TypeVar("Symbol", bound=Hashable)
Pair = tuple[int, int]


class Merge(NamedTuple):
    """A pair that became one token, its number of occurrences in the text, and the number of tokens
    in the text after the merge.
    """

    pair: Pair
    times: int
    tokens: int


def train(words: Sequence[Sequence[int]], n_merges: int, first_id: int) -> list[Merge]:
    """Learns merges, the most useful first; they make the tokens first_id, first_id + 1, ...

    Among equally frequent pairs, the one with the smallest ids is merged.
    """
    merges: list[Merge] = []
    for token in range(first_id, first_id + n_merges):
        counts = count_pairs(words)
        if not counts:
            break
        count = max(counts.values())
        pair = min(one for one in counts if counts[one] == count)  # step: choose
        words = [merge(word, pair, token) for word in words]
        tokens = sum(len(word) for word in words)  # step: update
        merges.append(Merge(pair, count, tokens))
    return merges


def count_pairs(words: Sequence[Sequence[int]]) -> Counter[Pair]:
    """Counts each pair of neighbors within the words; no pair crosses a word boundary."""
    counts: Counter[Pair] = Counter()
    for word in words:
        counts.update(pairwise(word))
    return counts


def merge(word: Sequence[Symbol], pair: tuple[Symbol, Symbol], token: Symbol) -> list[Symbol]:
    """Replaces every such pair in a word by `token`, from left to right."""
    merged: list[Symbol] = []
    for symbol in word:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] = token  # step: merge
        else:
            merged.append(symbol)
    return merged


def encode(word: Sequence[int], ranks: Mapping[Pair, tuple[int, int]]) -> list[int]:
    """Splits a word into tokens; `ranks` maps each learned pair to (rank, token).

    The pair learned first is merged first, at its leftmost position. This is repeated until no
    learned pair is left.
    """
    symbols = list(word)
    while True:
        found = [ranks.get(pair) for pair in pairwise(symbols)]
        learned = [one for one in found if one is not None]
        if not learned:
            return symbols
        rank, token = min(learned)  # step: choose
        place = found.index((rank, token))
        symbols[place : place + 2] = [token]  # step: merge
