"""Examples: tokenized prompts and answers, of which only the answers are learned.

    tokens   Once upon a time ... Who is it about?  Dario <|endoftext|>
    learned   -    -   -   -       -  -  -   -        x        x

B  examples in a batch      T  tokens in the longest of them, less one
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from core.data.batches import NO_TOKEN, Batch
from core.data.fables import fable
from core.data.questions import Question, question, seed_count, seed_of
from core.finetuning.settings import FABLES, QUESTIONS
from core.tokenization import Tokenizer

CACHED = 1024  # tokenized examples, enough for those of every evaluation
# Skills to learn from the app's own stories, by their names in the settings.
SKILLS: Mapping[str, Callable[[int], Question]] = {QUESTIONS: question, FABLES: fable}


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A tokenized text, and which part of it is learned.

    ids      (n,) int64: its tokens
    learned  (n,) bool: True for learned tokens; () if a class is learned instead
    label    index of the class, or -1
    """

    ids: np.ndarray
    learned: np.ndarray
    label: int = -1

    @property
    def prompt(self) -> list[int]:
        """The tokens before the first learned one."""
        return self.ids[: int(self.learned.argmax())].tolist()

    @property
    def answer(self) -> list[int]:
        """The learned tokens."""
        return self.ids[self.learned].tolist()


class Examples(Protocol):
    """Two splits of examples: "train" and "validation"."""

    @property
    def have_prompts(self) -> bool:
        """Whether the learned part follows a prompt, so that the model can be asked."""

    def count(self, split: str) -> int:
        """Returns the number of examples of a split, at least 1."""

    def example(self, split: str, index: int) -> Example:
        """Returns one example; the same index always gives the same one."""

    def describe(self) -> str:
        """Returns a line that describes the examples to the user."""


def answered(tokenizer: Tokenizer, prompt: str, answer: str, ends: Sequence[int] = ()) -> Example:
    """Makes an example of a prompt and its answer, which ends with the first of the tokens that end
    a text, or with a line break if none is known.

    The two are encoded separately, as in generation, where the model reads the prompt alone.
    """
    before = tokenizer.encode_ids(prompt, specials=False)
    end = list(ends[:1]) or tokenizer.encode_ids("\n", specials=False)
    after = tokenizer.encode_ids(answer, specials=False) + end
    learned = np.repeat([False, True], [len(before), len(after)])
    return Example(np.array([*before, *after], np.int64), learned)


class StoryExamples:
    """One example per story of the app: a skill, such as answering who the story is about."""

    have_prompts = True

    def __init__(self, skill: str, tokenizer: Tokenizer, ends: Sequence[int]) -> None:
        self.skill = skill
        self.tokenizer = tokenizer
        self.ends = tuple(ends)
        self._made = lru_cache(CACHED)(self._make)

    def count(self, split: str) -> int:
        return seed_count(split)

    def example(self, split: str, index: int) -> Example:
        return self._made(split, index)

    def _make(self, split: str, index: int) -> Example:
        asked = SKILLS[self.skill](seed_of(split, index))
        return answered(self.tokenizer, asked.prompt, asked.answer, self.ends)

    def describe(self) -> str:
        kept = seed_count("validation")
        return f"{self.skill}: stories without end, and {kept} others to validate on"


class ExampleBatches:
    """Draws batches of examples in an order that depends on the seed: every example comes once
    before any is repeated.
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

    def batch(self, step: int, micro_batch: int = 0) -> list[Example]:
        """Returns B examples; the same arguments always give the same batch."""
        first = (step * self.micro_batches + micro_batch) * self.batch_size
        count = self.examples.count(self.split)
        places = (divmod(first + row, count) for row in range(self.batch_size))
        return self._those([int(self._order(epoch)[place]) for epoch, place in places])

    def in_order(self, most: int) -> Iterator[list[Example]]:
        """Yields the first `most` batches of the split (0: all), each example once."""
        count = self.examples.count(self.split)
        count = min(count, most * self.batch_size) if most else count
        for first in range(0, count, self.batch_size):
            yield self._those(range(first, min(first + self.batch_size, count)))

    def _those(self, indices: Sequence[int]) -> list[Example]:
        return [self.examples.example(self.split, index) for index in indices]


def padded(examples: Sequence[Example]) -> Batch:
    """Returns ids and targets, (B, T) int64; targets are the ids shifted by one, where learned.

    Shorter examples are padded to the longest; no token attends to padding, which comes later.
    """
    T = max(len(one.ids) for one in examples) - 1
    ids = np.zeros((len(examples), T), np.int64)
    targets = np.full((len(examples), T), NO_TOKEN, np.int64)
    for row, one in enumerate(examples):
        n = len(one.ids) - 1
        ids[row, :n] = one.ids[:-1]
        targets[row, :n] = np.where(one.learned, one.ids, NO_TOKEN)[1:]
    return ids, targets
