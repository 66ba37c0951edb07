"""Examples: prompts with answers, as tokens of which the answers alone are learned.

    tokens   Once upon a time ... Who is it about?  Dario <|endoftext|>
    learned   -    -   -   -       -  -  -   -        x        x

B  examples in a batch      T  tokens in the longest of them, less one
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from core.data.batches import NO_TOKEN, Batch, rank_rows
from core.data.questions import question_count, question_of
from core.tokenization import Tokenizer


@dataclass(frozen=True, slots=True)
class Example:
    """Tokens of a text, and which of them are learned: as many bools."""

    ids: Sequence[int]
    learned: Sequence[bool]

    @property
    def prompt(self) -> Sequence[int]:
        """The tokens before the first one that is learned."""
        return self.ids[: self.learned.index(True)]

    @property
    def answer(self) -> Sequence[int]:
        """The tokens that are learned."""
        return [id for id, is_learned in zip(self.ids, self.learned, strict=True) if is_learned]


class Examples(Protocol):
    """Two splits of examples: "train" and "validation"."""

    def count(self, split: str) -> int:
        """How many a split has: 1 at least."""

    def example(self, split: str, index: int) -> Example:
        """One of them, the same one each time."""

    def describe(self) -> str:
        """One line for people: how many there are."""


def answered(tokenizer: Tokenizer, prompt: str, answer: str, ends: Sequence[int] = ()) -> Example:
    """A prompt and its answer, which ends with the first of the tokens that end a text; with a line
    break where nobody knows one.

    Both are encoded by themselves, as they are where the model is asked: it reads the prompt alone.
    """
    before = tokenizer.encode_ids(prompt, specials=False)
    end = list(ends[:1]) or tokenizer.encode_ids("\n", specials=False)
    learned = tokenizer.encode_ids(answer, specials=False) + end
    return Example((*before, *learned), [False] * len(before) + [True] * len(learned))


class StoryQuestions:
    """The questions of `core.data.questions` as examples."""

    def __init__(self, tokenizer: Tokenizer, ends: Sequence[int]) -> None:
        self.tokenizer = tokenizer
        self.ends = tuple(ends)
        self.example = lru_cache(1024)(self._example)

    def count(self, split: str) -> int:
        return question_count(split)

    def _example(self, split: str, index: int) -> Example:
        asked = question_of(split, index)
        return answered(self.tokenizer, asked.prompt, asked.answer, self.ends)

    def describe(self) -> str:
        kept = question_count("validation")
        return f"questions about stories without end; {kept} about others to validate on"


class ExampleBatches:
    """Draws (ids, targets) of one split; targets are the ids moved by one, where they are learned.

    Every example comes once before one comes again, in an order that the seed decides. A batch is
    as wide as its longest example; the others end with padding, which no token before it sees.
    """

    def __init__(
        self, examples: Examples, split: str, batch_size: int, micro_batches: int, seed: int
    ) -> None:
        self.examples = examples
        self.split = split
        self.batch_size = batch_size
        self.micro_batches = micro_batches
        self.seed = seed
        self._order = lru_cache(2)(self._draw_order)

    def _draw_order(self, epoch: int) -> np.ndarray:
        generator = np.random.default_rng([self.seed, epoch])
        return generator.permutation(self.examples.count(self.split))

    def batch(self, step: int, micro_batch: int = 0, rank: int = 0, ranks: int = 1) -> Batch:
        """ids and targets, each (about B / ranks, T) int64: this rank's rows of the batch."""
        first = (step * self.micro_batches + micro_batch) * self.batch_size
        count = self.examples.count(self.split)
        places = (divmod(first + row, count) for row in range(self.batch_size))
        drawn = [int(self._order(epoch)[place]) for epoch, place in places]
        return self._rows(drawn, rank, ranks)

    def in_order(self, most: int, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        """The first `most` batches of the split (0: all of them), each example once."""
        count = self.examples.count(self.split)
        count = min(count, most * self.batch_size) if most else count
        for first in range(0, count, self.batch_size):
            yield self._rows(range(first, min(first + self.batch_size, count)), rank, ranks)

    def _rows(self, indices: Sequence[int], rank: int, ranks: int) -> Batch:
        ids, targets = padded([self.examples.example(self.split, index) for index in indices])
        rows = rank_rows(len(ids), rank, ranks)
        return ids[rows], targets[rows]


def padded(examples: Sequence[Example]) -> Batch:
    """ids and targets of examples, each (B, T) int64."""
    T = max(len(one.ids) for one in examples) - 1
    ids = np.zeros((len(examples), T), np.int64)
    targets = np.full((len(examples), T), NO_TOKEN, np.int64)
    for row, one in enumerate(examples):
        read = np.asarray(one.ids, np.int64)
        ids[row, : len(read) - 1] = read[:-1]
        targets[row, : len(read) - 1] = np.where(one.learned, read, NO_TOKEN)[1:]
    return ids, targets
