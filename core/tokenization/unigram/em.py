"""The probabilities of the pieces, by expectation-maximization: the heart of Unigram's training.

A text does not show which pieces it is made of. If we knew how likely the pieces are, we could
compute how often each is used, over all ways to cut every word (the E step). If we knew how often
each is used, we could compute how likely it is (the M step). So we start with a guess and alternate
the two: each pair of steps makes the text more probable.

The order of operations and the 32-bit numbers are those of SentencePiece 0.2.1 on one thread,
so that the scores are the same.

Source: Kudo 2018, "Subword Regularization", section 3.2; Liang and Klein 2007, "Structured Bayesian
Nonparametric Models with Variational Inference", for the digamma.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.tokenization.steps import ExpectStep, MaximizeStep, WorkingStep
from core.tokenization.unigram.lattice import UNKNOWN_PENALTY
from core.tokenization.unigram.piece_trie import PieceTrie
from core.tokenization.unigram.word_lattices import WordLattices

RARELY_USED = 0.5  # a piece with a smaller expected count is dropped at once
BLOCK = 40_000  # characters of the words whose lattices are processed between two yields


@dataclass(frozen=True, slots=True)
class Model:
    """The current pieces with their scores (n); their order affects only rounding."""

    pieces: list[str]
    scores: np.ndarray

    def of_edges(self, lattices: WordLattices) -> np.ndarray:
        """Returns the score of each edge (M); the unknown scores less than every piece."""
        unknown = self.scores.min() - UNKNOWN_PENALTY
        return np.append(self.scores, unknown)[lattices.piece]


@dataclass(frozen=True, slots=True)
class Block:
    """Some of the words, with the number of times each occurs (W)."""

    lattices: WordLattices
    counts: np.ndarray

    def used_pieces(self) -> np.ndarray:
        """Returns the piece of each edge (M); SentencePiece counts the unknown as the first."""
        return np.maximum(self.lattices.piece, 0)


@dataclass(frozen=True, slots=True)
class Corpus:
    """The words of the text, the most frequent first, in blocks."""

    blocks: list[Block]
    n_words: int

    def renumber(self, kept: np.ndarray, n_pieces: int) -> None:
        """Drops all pieces but these and numbers them in this order."""
        new_ids = np.full(n_pieces, -1)
        new_ids[kept] = np.arange(len(kept))
        for block in self.blocks:
            block.lattices.renumber(new_ids)


def build_corpus(
    words: Sequence[tuple[str, int]], pieces: Sequence[str]
) -> Generator[WorkingStep, None, Corpus]:
    """Finds every piece in every word."""
    trie = PieceTrie(pieces)
    blocks: list[Block] = []
    done = 0
    for part in in_blocks([word for word, _ in words]):
        counts = [times for _, times in words[done : done + len(part)]]
        blocks.append(Block(WordLattices(part, trie), np.array(counts, dtype=np.float32)))
        done += len(part)
        yield WorkingStep("seeds", done)
    return Corpus(blocks, sum(times for _, times in words))


def in_blocks(words: Sequence[str]) -> list[list[str]]:
    """Splits the words into lists of about BLOCK characters."""
    blocks: list[list[str]] = []
    size = 0
    for word in words:
        if not blocks or size > BLOCK:
            blocks.append([])
            size = 0
        blocks[-1].append(word)
        size += len(word) + 1
    return blocks


def expect(
    model: Model, corpus: Corpus, round_: int, iteration: int
) -> Generator[WorkingStep | ExpectStep, None, np.ndarray]:
    """The E step: returns how often each piece is used (n), over all ways to cut every word."""
    expected = np.zeros(len(model.pieces), dtype=np.float32)
    objective = 0.0
    done = 0
    for block in corpus.blocks:
        lattices = block.lattices
        share, whole = lattices.shares(model.of_edges(lattices))
        used = share * lattices.of_words(block.counts)
        np.add.at(expected, block.used_pieces(), used)  # step: expect
        objective -= float(whole @ block.counts) / corpus.n_words
        done += len(block.counts)
        if block is not corpus.blocks[-1]:
            yield WorkingStep("expect", done)
    yield ExpectStep(
        round=round_,
        iteration=iteration,
        pieces=model.pieces,
        scores=model.scores,
        expected=expected,
        objective=objective,
        tokens=float(expected.sum(dtype=np.float64)),
    )
    return expected


def maximize(
    model: Model, expected: np.ndarray, corpus: Corpus, round_: int, iteration: int
) -> Generator[MaximizeStep, None, Model]:
    """The M step: computes new scores from the expected counts (n); drops rarely used pieces."""
    often = expected >= RARELY_USED
    counts = expected[often]
    scores = new_scores(counts).scores.astype(np.float32)
    kept = np.flatnonzero(often)
    better = Model([model.pieces[piece] for piece in kept], scores)
    gone = np.flatnonzero(~often)
    if len(gone):
        corpus.renumber(kept, len(model.pieces))
    yield MaximizeStep(
        round=round_,
        iteration=iteration,
        pieces=better.pieces,
        scores=better.scores,
        removed=[(model.pieces[piece], float(expected[piece])) for piece in gone],
        counts=counts,
    )
    return better


class NewScores(NamedTuple):
    """scores (n) are digammas (n) minus the total, in 64 bits; the model rounds them to 32."""

    scores: np.ndarray
    digammas: np.ndarray
    total: np.ndarray


def new_scores(counts: np.ndarray) -> NewScores:
    """Returns the scores that follow from expected counts (n).

    Taking the digamma of a count instead of its logarithm lowers the scores of rare pieces a lot
    and those of frequent pieces hardly at all, so that fewer pieces share the probability.
    """
    total = digamma(add_in_order(counts)).astype(np.float32)
    digammas = digamma(counts)
    scores = digammas - total  # step: maximize
    return NewScores(scores, digammas, total)


def digamma(x: np.ndarray | np.float32 | float) -> np.ndarray:
    """Returns the derivative of log(gamma(x)) for x > 0, approximately log(x) - 1 / 2x.

    digamma(x) = digamma(x + 1) - 1 / x raises x until the asymptotic series is exact enough.
    Source: Abramowitz and Stegun 1964, 6.3.5 and 6.3.18, about x - 1/2.
    """
    x = np.array(x, dtype=np.float64)
    below = np.zeros_like(x)
    while (small := x < 7).any():
        below = np.where(small, below - 1 / x, below)
        x = np.where(small, x + 1, x)
    x = x - 0.5
    square = (1 / x) ** 2
    fourth = square * square
    series = square / 24 - 7 / 960 * fourth
    series += 31 / 8064 * fourth * square - 127 / 30720 * fourth * fourth
    return below + np.log(x) + series


def add_in_order(values: np.ndarray) -> np.float32:
    """Adds up 32-bit numbers one after the other, rounding each partial sum to 32 bits."""
    return np.add.accumulate(values, dtype=np.float32)[-1]


class FirstScores(NamedTuple):
    """scores (n) are logs (n) minus the total, in 64 bits; the model rounds them to 32."""

    scores: np.ndarray
    logs: np.ndarray
    total: np.float32


def log_shares(weights: np.ndarray) -> FirstScores:
    """Returns the first scores: the log of each piece's share of the sum of all weights (n)."""
    total = np.float32(np.log(np.float64(add_in_order(weights))))
    logs = np.log(weights.astype(np.float64))
    scores = logs - total  # step: seed
    return FirstScores(scores, logs, total)
