"""The steps of every tokenizer's training: what each yield of a trainer says.

A trainer is a generator. Before the first step that changes the vocabulary it yields CountingSteps;
then MergeSteps (BPE, WordPiece, SentencePiece BPE: the vocabulary grows by one piece) or the
Unigram steps (the vocabulary shrinks). Every other step knows the vocabulary after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, slots=True)
class CountingStep:
    """Progress before the first step: how much text was read."""

    characters: int
    words: int
    different_words: int


@dataclass(frozen=True, slots=True)
class WorkingStep:
    """A sign of life inside a longer step: nothing about the vocabulary has changed yet.

    what  the step that is being made: "seeds", "expect" or "prune"; "measure" where the finished
          tokenizer encodes the text
    done  how far it is: pieces found, words done, or tokens
    """

    what: str
    done: int


@dataclass(frozen=True, slots=True)
class AlphabetStep:
    """The pieces that a vocabulary starts with, in the order of their ids; special tokens first,
    or last where a tie rule numbers the bytes themselves from 0.

    tokens   how many tokens the training text has with them
    counts   how often each stands in the text; 0 for special tokens
    algorithm  whose step it is, as in MergeStep
    """

    pieces: Sequence[str]
    counts: Sequence[int]
    tokens: int
    algorithm: str = "bpe"

    @property
    def vocab_size(self) -> int:
        """How many pieces there are."""
        return len(self.pieces)


@dataclass(frozen=True, slots=True)
class Rival:
    """A pair that lost against the chosen one, with what the rule saw of it."""

    left_piece: str
    right_piece: str
    count: int
    score: float


def rivals_by_count(
    pairs: Iterable[tuple[tuple[int, int], int]], pieces: Sequence[str]
) -> tuple[Rival, ...]:
    """Pairs of ids that lost, each with its count, where the rule compares counts; a pair that
    stands nowhere any more is none.
    """
    return tuple(
        Rival(pieces[left], pieces[right], count, count)
        for (left, right), count in pairs
        if count > 0
    )


@dataclass(frozen=True, slots=True)
class MergeStep:
    """One merge: the best pair of neighbors becomes a piece.

    rank     0 for the first merge
    left     id of the left piece; right: id of the right piece
    count    how often the pair stood in the text
    token    id of the joined piece
    piece    its spelling ("Ġt"); left_piece + right_piece (WordPiece: without the right "##")
    vocab_size   pieces so far, this one included
    score    what the rule compared: the count, or WordPiece's likelihood ratio
    tokens   how many tokens the training text has after this merge
    tokens_before   how many it had
    rivals   the pairs that lost, as they stood before this merge, the best first; empty when
             nobody watches
    algorithm  whose step it is: "bpe", "wordpiece" (by count), "wordpiece-likelihood" or
             "sentencepiece-bpe"
    parts    how often the text held the left piece and the right one, where the score counts them
    """

    rank: int
    left: int
    right: int
    count: int
    token: int
    left_piece: str
    right_piece: str
    piece: str
    vocab_size: int
    score: float = 0.0
    tokens: int = 0
    rivals: tuple[Rival, ...] = ()
    algorithm: str = "bpe"
    tokens_before: int = 0
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SeedStep:
    """Unigram's first vocabulary: far too many pieces, with first scores (natural logarithms).

    weights  (n) what the scores are the shares of
    """

    pieces: Sequence[str]
    scores: np.ndarray
    weights: np.ndarray | None = None

    @property
    def vocab_size(self) -> int:
        """How many pieces there are."""
        return len(self.pieces)


@dataclass(frozen=True, slots=True)
class ExpectStep:
    """E step of Unigram's EM: how often each piece is used, over all ways to split every word.

    expected   (n) expected counts, in the order of the pieces
    objective  -log likelihood of the words, in nats per word
    tokens     expected number of tokens of the training text
    """

    round: int
    iteration: int
    pieces: Sequence[str]
    scores: np.ndarray
    expected: np.ndarray
    objective: float
    tokens: float

    @property
    def vocab_size(self) -> int:
        """How many pieces there are."""
        return len(self.pieces)


@dataclass(frozen=True, slots=True)
class MaximizeStep:
    """M step of Unigram's EM: new scores from the expected counts; rare pieces go.

    removed  pieces whose expected count was below the floor, with it
    counts   (n) the expected counts that the scores come from
    """

    round: int
    iteration: int
    pieces: Sequence[str]
    scores: np.ndarray
    removed: Sequence[tuple[str, float]]
    counts: np.ndarray | None = None

    @property
    def vocab_size(self) -> int:
        """How many pieces are left."""
        return len(self.pieces)


class Weighed(NamedTuple):
    """Losses (m) of the pieces that could go: `share` of the words with it, and the logarithm of
    the probability of what is written with it `whole` and `without` it.
    """

    loss: np.ndarray
    share: np.ndarray
    whole: np.ndarray
    without: np.ndarray


@dataclass(frozen=True, slots=True)
class PruneStep:
    """Unigram drops the pieces that the text can best do without.

    removed  dropped pieces with the loss of likelihood that dropping them costs, smallest first;
             a loss of 0 stands for a piece that its own best split never uses
    losses   (n) losses of the pieces that stay, in their order; infinite where there is no
             alternative
    measured  losses of all pieces, in the order of the step before
    weighed   how the losses of those that could go came about
    """

    round: int
    pieces: Sequence[str]
    scores: np.ndarray
    removed: Sequence[tuple[str, float]]
    losses: np.ndarray
    measured: np.ndarray | None = None
    weighed: Weighed | None = None

    @property
    def vocab_size(self) -> int:
        """How many pieces are left."""
        return len(self.pieces)


@dataclass(frozen=True, slots=True)
class FinishStep:
    """The last vocabulary of Unigram: the required characters, then the best pieces by score."""

    pieces: Sequence[str]
    scores: np.ndarray
    removed: Sequence[tuple[str, float]]

    @property
    def vocab_size(self) -> int:
        """How many pieces the trained vocabulary has."""
        return len(self.pieces)


UnigramStep = SeedStep | ExpectStep | MaximizeStep | PruneStep | FinishStep
TrainingStep = CountingStep | WorkingStep | AlphabetStep | MergeStep | UnigramStep
