"""The steps of every tokenizer's training: what each trainer yields.

A trainer is a generator. Before the first step that changes the vocabulary it yields CountingSteps;
then MergeSteps (BPE, WordPiece, SentencePiece BPE: the vocabulary grows by one piece) or the
Unigram steps (the vocabulary shrinks). Each of these has the size of the vocabulary after it;
WorkingSteps only report progress within a step.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, slots=True)
class CountingStep:
    """Progress before the first step: how much text has been read."""

    characters: int
    words: int
    different_words: int


@dataclass(frozen=True, slots=True)
class WorkingStep:
    """Progress within a longer step, while the vocabulary is unchanged.

    what  the current stage: "seeds", "expect" or "prune"; "measure" while the finished tokenizer
          encodes the text
    done  number of pieces found, words processed, or tokens
    """

    what: str
    done: int


@dataclass(frozen=True, slots=True)
class AlphabetStep:
    """The initial pieces of a vocabulary, in the order of their ids; special tokens come first, or
    last if the tie rule assigns the bytes the ids from 0.

    tokens   number of tokens of the training text with these pieces
    counts   how often each occurs in the text; 0 for special tokens
    algorithm  the trainer, as in MergeStep
    """

    pieces: Sequence[str]
    counts: Sequence[int]
    tokens: int
    algorithm: str = "bpe"

    @property
    def vocab_size(self) -> int:
        """Number of pieces."""
        return len(self.pieces)


@dataclass(frozen=True, slots=True)
class Rival:
    """A pair that lost to the chosen one, with its count and the score that the rule compared."""

    left_piece: str
    right_piece: str
    count: int
    score: float


def rivals_by_count(
    pairs: Iterable[tuple[tuple[int, int], int]], pieces: Sequence[str]
) -> tuple[Rival, ...]:
    """Returns pairs of ids that lost, with their counts as scores, for a rule that compares counts;
    pairs that no longer occur are left out.
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
    count    how often the pair occurred in the text
    token    id of the joined piece
    piece    its spelling ("Ġt"); left_piece + right_piece (WordPiece: without the right "##")
    vocab_size   number of pieces, including this one
    score    the value that the rule compares: the count, or WordPiece's likelihood ratio
    tokens   number of tokens of the training text after this merge
    tokens_before   number of tokens before it
    rivals   the pairs that lost, with their counts before this merge, the best first; empty if not
             requested
    algorithm  the trainer: "bpe", "wordpiece" (by count), "wordpiece-likelihood" or
             "sentencepiece-bpe"
    parts    counts of the left and the right piece in the text, if the score depends on them
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
    """Unigram's first vocabulary: far too many pieces, with initial scores (natural logarithms).

    weights  (n) the weights whose shares give the scores
    """

    pieces: Sequence[str]
    scores: np.ndarray
    weights: np.ndarray | None = None

    @property
    def vocab_size(self) -> int:
        """Number of pieces."""
        return len(self.pieces)


@dataclass(frozen=True, slots=True)
class ExpectStep:
    """E step of Unigram's EM: the expected use of each piece, over all ways to split every word.

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
        """Number of pieces."""
        return len(self.pieces)


@dataclass(frozen=True, slots=True)
class MaximizeStep:
    """M step of Unigram's EM: new scores from the expected counts; rare pieces are removed.

    removed  pieces with an expected count below the floor, with that count
    counts   (n) the expected counts from which the scores are computed
    """

    round: int
    iteration: int
    pieces: Sequence[str]
    scores: np.ndarray
    removed: Sequence[tuple[str, float]]
    counts: np.ndarray | None = None

    @property
    def vocab_size(self) -> int:
        """Number of remaining pieces."""
        return len(self.pieces)


class Weighed(NamedTuple):
    """Losses (m) of the pieces that could be removed: `share` is their uses per word of the text;
    `whole` and `without` are the log probabilities of these uses with and without the piece.
    """

    loss: np.ndarray
    share: np.ndarray
    whole: np.ndarray
    without: np.ndarray


@dataclass(frozen=True, slots=True)
class PruneStep:
    """Unigram removes the pieces that the text needs least.

    removed  removed pieces with the loss of likelihood that their removal costs, smallest first;
             a loss of 0 means that the piece's own best split never uses it
    losses   (n) losses of the remaining pieces, in their order; infinite if there is no
             alternative
    measured  losses of all pieces, in the order of the step before
    weighed   how the losses of the candidates for removal were computed
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
        """Number of remaining pieces."""
        return len(self.pieces)


@dataclass(frozen=True, slots=True)
class FinishStep:
    """Unigram's final vocabulary: the required characters, then the best pieces by score."""

    pieces: Sequence[str]
    scores: np.ndarray
    removed: Sequence[tuple[str, float]]

    @property
    def vocab_size(self) -> int:
        """Number of pieces in the trained vocabulary."""
        return len(self.pieces)


UnigramStep = SeedStep | ExpectStep | MaximizeStep | PruneStep | FinishStep
TrainingStep = CountingStep | WorkingStep | AlphabetStep | MergeStep | UnigramStep
