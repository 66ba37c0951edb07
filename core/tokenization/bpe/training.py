"""Byte-pair encoding, trained from scratch.

Start with single bytes. Count every pair of neighbors, join the most frequent pair into a new
piece, and repeat until the vocabulary is large enough. That is the whole algorithm; two modules
make it fast: symbol_row (equal words are counted once, a merge updates only the places where it
happens) and pair_queue (a heap finds the most frequent pair without a search).

Many pairs are equally frequent, and implementations differ in which of them they merge:

    hf       the pair with the smallest ids; ids go to the special tokens, then to the bytes in the
             order of their characters, then to the merges. This is the rule of the Hugging Face
             tokenizers library, whose merges this trainer reproduces exactly
    rustbpe  the pair with the smallest ids too, but a byte's id is the byte itself: nanochat's rule
    minbpe   the pair that occurs first in the text; ids as in rustbpe. Karpathy's teaching code

Source: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword
Units", section 3.2, on bytes as in Radford et al. 2019.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.tokenization.bpe.pair_queue import PairQueue
from core.tokenization.bpe.patterns import word_pattern
from core.tokenization.byte_level import ALPHABET, BYTE_OF_CHARACTER, CHARACTER_OF_BYTE, clean_text
from core.tokenization.counting import count_words
from core.tokenization.steps import (
    AlphabetStep,
    CountingStep,
    MergeStep,
    Rival,
    rivals_by_count,
)
from core.tokenization.symbol_row import WALL, Pair, SymbolRow

TIES = ("hf", "rustbpe", "minbpe")
NO_BYTE = 0xFF  # never occurs in UTF-8, so it can separate words

BPEStep = CountingStep | AlphabetStep | MergeStep


@dataclass(frozen=True, slots=True)
class TrainedBPE:
    """The result of training: pieces by id, and merges by rank as pairs of ids."""

    vocabulary: list[str]
    merges: list[Pair]
    special_tokens: dict[str, int]


def row_of_bytes(counted: Counter[str], id_of_byte: Sequence[int]) -> SymbolRow:
    """Builds a row in which every word is spelled with its bytes."""
    words = [word.encode() for word in counted]
    data = np.frombuffer(b"\xff" + b"\xff".join(words) + b"\xff", np.uint8)
    ids = np.array(id_of_byte)
    ids[NO_BYTE] = WALL
    lengths = [len(word) + 1 for word in words]
    times = np.repeat(list(counted.values()), lengths)
    return SymbolRow(ids[data], np.append(0, times))


def alphabet_step(row: SymbolRow, pieces: Sequence[str], algorithm: str) -> AlphabetStep:
    """Returns the first step of training: the initial pieces, and how often each occurs."""
    counts = np.zeros(len(pieces), np.int64)
    counts[: len(row.counts)] = row.counts  # step: alphabet
    return AlphabetStep(pieces, counts.tolist(), row.tokens, algorithm)


class Learner:
    """Repeatedly merges the most frequent pair of a row.

    vocabulary  the pieces so far; new ones are appended
    reserved    pieces that get their ids after all merges
    earliest    which of equally frequent pairs comes first, as in PairQueue
    """

    algorithm = "bpe"

    def __init__(
        self,
        row: SymbolRow,
        vocabulary: list[str],
        reserved: Sequence[str] = (),
        earliest: bool = False,
    ) -> None:
        self.row = row
        self.vocabulary = vocabulary
        self.reserved = len(reserved)
        self.queue = PairQueue(row, earliest)
        self.ids = {piece: token for token, piece in enumerate(vocabulary)}
        self.merges: list[Pair] = []

    @property
    def size(self) -> int:
        """Number of pieces in the vocabulary, including reserved ones."""
        return len(self.vocabulary) + self.reserved

    def learn(
        self, vocab_size: int, min_frequency: int, rivals: int
    ) -> Generator[MergeStep, None, list[Pair]]:
        """Merges until the vocabulary has vocab_size pieces, or no pair is frequent enough."""
        while self.size < vocab_size:
            best = self.queue.pop()
            if best is None or -best.negative_count < max(1, min_frequency):
                break
            pair, count = best.pair, best.pair_count  # step: choose
            next_best = [(it.pair, it.pair_count) for it in self.queue.best(rivals)]
            others = rivals_by_count(next_best, self.vocabulary)
            token = self.name(self.join(pair))
            gained = self.row.merge(*pair, token, best.places)
            for neighbors, places in gained.items():
                self.queue.add(neighbors, places)
            yield self.tell(pair, token, count, count, others)
        return self.merges

    def join(self, pair: Pair) -> str:
        """Returns the spelling of two pieces as one."""
        return self.vocabulary[pair[0]] + self.vocabulary[pair[1]]

    def name(self, piece: str) -> int:
        """Returns the id of a piece; adds it to the vocabulary if it has none."""
        if piece not in self.ids:
            self.ids[piece] = len(self.vocabulary)
            self.vocabulary.append(piece)
        return self.ids[piece]

    def tell(
        self,
        pair: Pair,
        token: int,
        count: int,
        score: float,
        rivals: tuple[Rival, ...],
        parts: tuple[int, ...] = (),
    ) -> MergeStep:
        """Records a merge and returns it as a step."""
        self.merges.append(pair)
        return MergeStep(
            rank=len(self.merges) - 1,
            left=pair[0],
            right=pair[1],
            count=count,
            token=token,
            left_piece=self.vocabulary[pair[0]],
            right_piece=self.vocabulary[pair[1]],
            piece=self.vocabulary[token],
            vocab_size=self.size,
            score=score,
            tokens=self.row.tokens,
            tokens_before=self.row.tokens_before,
            rivals=rivals,
            algorithm=self.algorithm,
            parts=parts,
        )


def bpe_steps(
    texts: Iterable[str],
    vocab_size: int,
    special_tokens: Sequence[str] = (),
    min_frequency: int = 0,
    *,
    tie: str = "hf",
    pattern: str = "gpt2",
    rivals: int = 0,
) -> Generator[BPEStep, None, TrainedBPE]:
    """Trains on the texts, one merge at a time; the generator returns the result.

    tie      which of equally frequent pairs is merged: "hf", "rustbpe" or "minbpe"
    pattern  how words are cut, by the names of core.tokenization.bpe.patterns
    rivals   how many of the next best pairs each MergeStep lists

    It ends early, with fewer than vocab_size pieces, when no two neighbors are left to join or no
    pair occurs min_frequency times.

    Raises ValueError for an unknown rule or pattern, a text without words, and a vocab_size too
    small for the special tokens and the 256 bytes.
    """
    if tie not in TIES:
        raise ValueError(f"there is no rule {tie!r} for ties: choose one of {', '.join(TIES)}")
    words = word_pattern(pattern)
    specials = list(dict.fromkeys(special_tokens))
    if tie == "hf":
        vocabulary = specials + [letter for letter in ALPHABET if letter not in specials]
        after: list[str] = []
    else:
        vocabulary, after = list(CHARACTER_OF_BYTE), specials
        if taken := BYTE_OF_CHARACTER.keys() & specials:
            raise ValueError(f"the special token {min(taken)!r} is also a byte: give it a name")
    smallest = len(vocabulary) + len(after)
    if vocab_size < smallest:
        raise ValueError(
            f"vocab_size {vocab_size:,} is too small: {len(specials)} special tokens and 256 bytes "
            f"need {smallest:,}; choose at least {smallest:,}"
        )
    ids = {piece: token for token, piece in enumerate(vocabulary + after)}

    counted = yield from count_words(
        (sum(map(len, batch)), batch) for text in texts for batch in words.batches(clean_text(text))
    )
    row = row_of_bytes(counted, [ids[letter] for letter in CHARACTER_OF_BYTE])
    yield alphabet_step(row, vocabulary + after, "bpe")
    learner = Learner(row, vocabulary, after, earliest=tie == "minbpe")
    merges = yield from learner.learn(vocab_size, min_frequency, rivals)
    first = 0 if tie == "hf" else len(vocabulary)
    return TrainedBPE(
        vocabulary + after, merges, {token: first + i for i, token in enumerate(specials)}
    )
