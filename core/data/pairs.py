"""Pairs of a source and a target, without end: what an encoder-decoder learns from.

B   pairs in a batch
Ts  tokens of the longest source in it
Tt  tokens of the longest target, and one for its beginning or its end
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.data.batches import NO_TOKEN, rank_rows
from core.data.corpus import SPLITS, check_split
from core.tokenization import CharacterTokenizer

HELD_OUT = 20  # one in so many, always the same, is kept from training
START, END = "<s>", "</s>"  # round every target

PairBatch = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and the target that is to be written for it.

    spans  for each character of the target, from where to where in the source its reason stands;
           None where there is none
    """

    source: str
    target: str
    spans: tuple[tuple[int, int] | None, ...] = ()


class PairCorpus(Protocol):
    """Pairs, drawn one by one. Both texts have one token a character."""

    name: str
    tokenizer: CharacterTokenizer

    def pair(self, split: str, generator: np.random.Generator) -> Pair:
        """A pair of "train" or "validation"; no target of one is ever one of the other."""

    def describe(self) -> str:
        """What it is, in a few words."""


def pair_tokenizer(characters: str) -> CharacterTokenizer:
    """A tokenizer of these characters, for sources and targets."""
    specials = {START: 0, END: 1}
    return CharacterTokenizer([*specials, *sorted(set(characters))], specials)


SORTED = 8  # batches whose pairs are drawn together, and sorted by length


class PairBatches:
    """Draws batches of one split, each a pure function of the seed, the step and the micro-batch.

    Pairs of about the same length are batched together (AIAYN section 5.1), so that little of what
    is computed is padding.

    batch_size  B
    longest     tokens that a source or a target may have; where a corpus has longer ones, `batch`
                raises ValueError
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
        self._drawn: tuple[tuple[int, ...], list[list[Pair]]] | None = None  # the last ones

    def pairs(self, step: int, micro_batch: int = 0) -> list[Pair]:
        """The B pairs of a batch."""
        key = (self.seed, SPLITS.index(self.split), step // SORTED, micro_batch)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = key, self._draw(key)
        return self._drawn[1][step % SORTED]

    def _draw(self, key: tuple[int, ...]) -> list[list[Pair]]:
        """SORTED batches, in any order."""
        B, generator = self.batch_size, np.random.default_rng(np.random.SeedSequence(key))
        pairs = [self.corpus.pair(self.split, generator) for _ in range(SORTED * B)]
        pairs.sort(key=lambda pair: len(pair.source))
        order = generator.permutation(SORTED)
        return [pairs[place * B : (place + 1) * B] for place in order]

    def batch(self, step: int, micro_batch: int = 0, rank: int = 0, ranks: int = 1) -> PairBatch:
        """Source ids (B, Ts); target ids (B, Tt), which begin with START; and what is to be
        predicted after each of them (B, Tt), END at last. int64; -1 fills up what is shorter.

        Of several ranks each takes its rows of the same batch. Raises ValueError for a text that is
        too long.
        """
        return self.tensors(self.pairs(step, micro_batch), rank, ranks)

    def tensors(self, pairs: Sequence[Pair], rank: int = 0, ranks: int = 1) -> PairBatch:
        """`batch` of these pairs."""
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
    """Ids of different lengths as one int64 array, with -1 after the shorter ones."""
    longest = max(map(len, rows))
    return np.array([[*ids, *[NO_TOKEN] * (longest - len(ids))] for ids in rows], np.int64)


class Copies:
    """Digits, to be written once more: the first task of The Annotated Transformer (Rush 2018, "A
    First Example").
    """

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
