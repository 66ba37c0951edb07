"""Endless pairs of a source and a target: training data of an encoder-decoder.

B   pairs in a batch
Ts  tokens of the longest source in it
Tt  tokens of the longest target, plus one for its start or end
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.data.batches import NO_TOKEN, rank_rows
from core.data.corpus import SPLITS, check_split
from core.tokenization import CharacterTokenizer

HELD_OUT = 20  # one target in twenty, always the same, is excluded from training
START, END = "<s>", "</s>"  # around every target

PairBatch = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and its target.

    spans  for each character of the target, the span of the source that determines it (start and
           stop), or None
    """

    source: str
    target: str
    spans: tuple[tuple[int, int] | None, ...] = ()


class PairCorpus(Protocol):
    """Pairs, drawn one at a time. In both texts, each character is one token."""

    name: str
    tokenizer: CharacterTokenizer

    def pair(self, split: str, generator: np.random.Generator) -> Pair:
        """Draws a pair of "train" or "validation"; the two splits share no target."""

    def describe(self) -> str:
        """Describes the corpus in a few words."""


def pair_tokenizer(characters: str) -> CharacterTokenizer:
    """Returns a tokenizer of these characters, for sources and targets."""
    specials = {START: 0, END: 1}
    return CharacterTokenizer([*specials, *sorted(set(characters))], specials)


SORTED = 8  # batches that are drawn together, with their pairs sorted by length


class PairBatches:
    """Draws batches of one split, each a pure function of the seed, the step and the micro-batch.

    Pairs of similar length are batched together (AIAYN section 5.1), so that little computation is
    spent on padding.

    batch_size  B
    longest     limit on the tokens of a source or target; `batch` raises ValueError if a corpus
                exceeds it
    """

    def __init__(
        self, corpus: PairCorpus, split: str, batch_size: int, longest: int, seed: int
    ) -> None:
        check_split(split)
        self.corpus = corpus
        self.split = split
        self.batch_size = batch_size
        self.longest = longest
        self.seed = seed
        self._drawn: tuple[tuple[int, ...], list[list[Pair]]] | None = None  # the newest batches

    def pairs(self, step: int, micro_batch: int = 0) -> list[Pair]:
        """Returns the B pairs of a batch."""
        key = (self.seed, SPLITS.index(self.split), step // SORTED, micro_batch)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = key, self._draw(key)
        return self._drawn[1][step % SORTED]

    def _draw(self, key: tuple[int, ...]) -> list[list[Pair]]:
        """Draws SORTED batches, in random order."""
        B, generator = self.batch_size, np.random.default_rng(np.random.SeedSequence(key))
        pairs = [self.corpus.pair(self.split, generator) for _ in range(SORTED * B)]
        pairs.sort(key=lambda pair: len(pair.source))
        order = generator.permutation(SORTED)
        return [pairs[place * B : (place + 1) * B] for place in order]

    def batch(self, step: int, micro_batch: int = 0, rank: int = 0, ranks: int = 1) -> PairBatch:
        """Returns source ids (B, Ts); target ids (B, Tt), which begin with START; and the next
        tokens to predict (B, Tt), the last one END. int64; shorter rows are padded with -1.

        With several ranks, each takes its rows of the same batch. Raises ValueError for a text that
        is too long.
        """
        return self.tensors(self.pairs(step, micro_batch), rank, ranks)

    def tensors(self, pairs: Sequence[Pair], rank: int = 0, ranks: int = 1) -> PairBatch:
        """Returns the `batch` of these pairs."""
        tokenizer = self.corpus.tokenizer
        start, end = (tokenizer.special_tokens[one] for one in (START, END))
        sources = [tokenizer.encode_ids(pair.source, specials=False) for pair in pairs]
        targets = [tokenizer.encode_ids(pair.target, specials=False) for pair in pairs]
        longest = max(max(map(len, sources)), max(map(len, targets)) + 1)
        if longest > self.longest:
            raise ValueError(
                f"{self.corpus.name} has a text of {longest} tokens, more than the model's "
                f"block_size of {self.longest}; use a block_size of {longest} or more"
            )
        rows = rank_rows(len(pairs), rank, ranks)
        return (
            padded(sources)[rows],
            padded([[start, *ids] for ids in targets])[rows],
            padded([[*ids, end] for ids in targets])[rows],
        )


def padded(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Returns ids of different lengths as one int64 array, padded with -1."""
    longest = max(map(len, rows))
    return np.array([[*ids, *[NO_TOKEN] * (longest - len(ids))] for ids in rows], np.int64)


class Copies:
    """Digits to copy: first task of The Annotated Transformer (Rush 2018, "A First Example")."""

    name = "copies"

    def __init__(self, length: int = 10) -> None:
        self.length = length
        self.tokenizer = pair_tokenizer("0123456789")

    def pair(self, split: str, generator: np.random.Generator) -> Pair:
        check_split(split)
        while True:
            digits = "".join(map(str, generator.integers(0, 10, self.length)))
            is_held_out = zlib.crc32(digits.encode()) % HELD_OUT == 0
            if is_held_out == (split == "validation"):
                break
        return Pair(digits, digits, tuple((place, place + 1) for place in range(self.length)))

    def describe(self) -> str:
        return f"{self.length} digits to be copied"
