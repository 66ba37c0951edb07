"""The training data as tokens: endless stories, or the tokens of a text file.

B  windows in a batch
L  tokens in a window
"""

from collections import OrderedDict
from typing import Protocol

import numpy as np

from core.data import stories
from core.tokenization import END_OF_TEXT, CharacterTokenizer, Tokenizer

SPLITS = ("train", "validation")

# Seeds of the training stories are below the limit, those of the validation stories far above.
# (Python's generator reads a seed as 32-bit words, and [s, s - 1] gives the same numbers as [s]:
# the first validation seed is chosen so that none of the 400 collides with a training seed.)
TRAIN_SEED_LIMIT = 1 << 29
FIRST_VALIDATION_SEED = 1 << 62
TRAIN_STORIES = 1_000_000
VALIDATION_STORIES = 400
CACHED_STORIES = 60_000  # about 25 MB


class Corpus(Protocol):
    """Two splits of tokens: "train" and "validation"."""

    @property
    def name(self) -> str:
        """The name shown to the user: "stories", or the name of the file."""

    @property
    def vocab_size(self) -> int:
        """The vocabulary size: all ids are below it."""

    def tokens(self, split: str) -> np.ndarray:
        """Returns a split's tokens, (n,) unsigned, read-only. Raises ValueError if endless."""

    def windows(self, split: str, generator: np.random.Generator, B: int, L: int) -> np.ndarray:
        """Returns (B, L) int64: B runs of L tokens, determined by the generator alone.

        Raises ValueError if the split has fewer than L tokens.
        """

    def describe(self) -> str:
        """Returns a line that describes its size to the user."""


def id_type(vocab_size: int) -> np.dtype:
    """Returns the smaller of uint16 and uint32 that can represent every id."""
    return np.dtype(np.uint16 if vocab_size <= 1 << 16 else np.uint32)


def check_split(split: str) -> None:
    """Raises ValueError for any name but "train" and "validation"."""
    if split not in SPLITS:
        raise ValueError(f'there is no split {split!r}: use "train" or "validation"')


def cut_windows(
    tokens: np.ndarray, name: str, generator: np.random.Generator, B: int, L: int
) -> np.ndarray:
    """Returns (B, L) int64: B runs of L tokens whose starts are drawn uniformly, as in nanoGPT."""
    if len(tokens) < L:
        raise ValueError(too_short(name, len(tokens), L))
    starts = generator.integers(0, len(tokens) - L + 1, B)
    return np.stack([tokens[start : start + L] for start in starts]).astype(np.int64)


def too_short(name: str, found: int, needed: int) -> str:
    """Returns the error, with a remedy, for a split that is shorter than one window."""
    return (
        f"{name} has {found:,} tokens, but one sequence needs {needed:,} (the block size and one "
        "more to predict): choose a longer text, or make the block size smaller"
    )


class StoriesCorpus:
    """Stories, generated and tokenized on demand, so that training starts at once.

    A window of the train split starts in a story whose seed is drawn from `n_stories` and continues
    into the next ones. Half of the windows start at the beginning of a story, as prompts do, the
    others anywhere in it. The validation split is a fixed set of 400 other stories.

    Stories are separated by <|endoftext|>, or by a blank line if the tokenizer has no such token.
    """

    name = "stories"

    def __init__(self, tokenizer: Tokenizer, n_stories: int = TRAIN_STORIES) -> None:
        if not 0 < n_stories <= TRAIN_SEED_LIMIT:
            raise ValueError(f"n_stories must be between 1 and {TRAIN_SEED_LIMIT:,}")
        self._tokenizer = tokenizer
        self._type = id_type(tokenizer.vocab_size)
        self.n_stories = n_stories
        self._separator = _separator(tokenizer)
        self._cache: OrderedDict[int, np.ndarray] = OrderedDict()
        self._validation: np.ndarray | None = None

    @property
    def vocab_size(self) -> int:
        return self._tokenizer.vocab_size

    def story_tokens(self, seed: int) -> np.ndarray:
        """Returns the tokens of one story and of the separator after it."""
        tokens = self._cache.get(seed)
        if tokens is None:
            ids = self._tokenizer.encode_ids(stories.story(seed), specials=False)
            tokens = np.array(ids + self._separator, self._type)
            tokens.flags.writeable = False
            self._cache[seed] = tokens
            if len(self._cache) > CACHED_STORIES:
                self._cache.popitem(last=False)
        return tokens

    def tokens(self, split: str) -> np.ndarray:
        check_split(split)
        if split == "train":
            raise ValueError("the stories to train on have no end: draw windows of them instead")
        if self._validation is None:
            seeds = range(FIRST_VALIDATION_SEED, FIRST_VALIDATION_SEED + VALIDATION_STORIES)
            self._validation = np.concatenate([self.story_tokens(seed) for seed in seeds])
            self._validation.flags.writeable = False
        return self._validation

    def windows(self, split: str, generator: np.random.Generator, B: int, L: int) -> np.ndarray:
        check_split(split)
        if split == "validation":
            return cut_windows(self.tokens(split), "the validation split", generator, B, L)
        seeds = generator.integers(0, self.n_stories, B)
        from_start = generator.random(B) < 0.5
        places = generator.random(B)
        batch = np.empty((B, L), np.int64)
        for row, seed, at_start, place in zip(batch, seeds, from_start, places, strict=True):
            self._fill(row, int(seed), 0.0 if at_start else float(place))
        return batch

    def _fill(self, row: np.ndarray, seed: int, place: float) -> None:
        """Writes a story's tokens from `place` (a share of its length), then later stories."""
        tokens = self.story_tokens(seed)
        tokens = tokens[int(place * len(tokens)) :]
        filled = 0
        while filled < len(row):
            part = tokens[: len(row) - filled]
            row[filled : filled + len(part)] = part
            filled += len(part)
            seed += 1
            tokens = self.story_tokens(seed % self.n_stories)

    def describe(self) -> str:
        return f"stories without end; {VALIDATION_STORIES} others to validate on"


def _separator(tokenizer: Tokenizer) -> list[int]:
    if END_OF_TEXT in tokenizer.special_tokens:
        return [tokenizer.special_tokens[END_OF_TEXT]]
    return tokenizer.encode_ids("\n\n", specials=False)


def story_characters() -> CharacterTokenizer:
    """Returns the character tokenizer of the stories: all characters that they may contain."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = sorted(" \n!\"',.:?" + letters + letters.upper())
    return CharacterTokenizer(
        [*vocabulary, END_OF_TEXT], special_tokens={END_OF_TEXT: len(vocabulary)}
    )
