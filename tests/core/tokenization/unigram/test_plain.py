"""The plain twin of Unigram against the code that runs."""

import random

import numpy as np
import pytest

from core.jobs import to_the_end
from core.tokenization.unigram.em import Model, build_corpus, expect, maximize
from core.tokenization.unigram.lattice import build_lattice
from core.tokenization.unigram.piece_trie import PieceTrie
from core.tokenization.unigram.plain import expect as plain_expect
from core.tokenization.unigram.plain import maximize as plain_maximize
from core.tokenization.unigram.plain import viterbi


def some_pieces(rng: random.Random) -> list[str]:
    """All characters, and some longer pieces."""
    longer = {"".join(rng.choices("abcd", k=rng.randint(2, 4))) for _ in range(rng.randint(0, 25))}
    return ["a", "b", "c", "d", *sorted(longer)]


def test_its_best_way_is_that_of_the_lattice() -> None:
    """Scores are multiples of 1/8, whose sums are exact: with so few of them most ways are equal to
    others, and the rule for ties is tested too.
    """
    rng = random.Random(5)
    for _ in range(300):
        pieces = some_pieces(rng)
        scores = np.array([rng.randint(-24, -1) / 8 for _ in pieces])
        text = "".join(rng.choices("abcd", k=rng.randint(0, 25)))
        best = build_lattice(text, PieceTrie(pieces), scores, -1, -100.0).viterbi()
        found, score = viterbi(text, dict(zip(pieces, scores.tolist())))
        assert found == best.path.pieces and score == best.path.score, (text, pieces, scores)


def test_its_em_is_that_of_the_trainer() -> None:
    rng = random.Random(6)
    for _ in range(40):
        pieces = some_pieces(rng)
        scores = np.array([rng.uniform(-6, -1) for _ in pieces], np.float32)
        words = {
            "".join(rng.choices("abcd", k=rng.randint(1, 9))): rng.randint(1, 30) for _ in range(30)
        }
        model, plain = Model(pieces, scores), dict(zip(pieces, scores.tolist()))
        corpus = to_the_end(build_corpus(list(words.items()), pieces))
        for iteration in range(3):
            expected = to_the_end(expect(model, corpus, 0, iteration))
            counts = plain_expect(words, plain)
            assert list(counts) == model.pieces
            assert list(counts.values()) == pytest.approx(expected.tolist(), rel=1e-4, abs=1e-6)
            model = to_the_end(maximize(model, expected, corpus, 0, iteration))
            plain = plain_maximize(counts)
            assert list(plain) == model.pieces
            assert list(plain.values()) == pytest.approx(model.scores.tolist(), rel=1e-4, abs=1e-4)
