"""Unigram's training: against SentencePiece, against counting by hand, and step by step."""

import math
import random
import re
import string
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from core.data import story_text
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece
from core.tokenization.sentencepiece.text import prepare
from core.tokenization.steps import (
    ExpectStep,
    FinishStep,
    MaximizeStep,
    PruneStep,
    SeedStep,
    WorkingStep,
)
from core.tokenization.unigram.em import digamma
from core.tokenization.unigram.lattice import Lattice, Node
from core.tokenization.unigram.piece_trie import PieceTrie
from core.tokenization.unigram.seeds import repeated_sequences, seed_pieces, sort_places
from core.tokenization.unigram.training import train, unigram_steps
from core.tokenization.unigram.word_lattices import WordLattices
from tests.core.tokenization.sentencepiece.reference import (
    drain,
    pieces_of,
    processor,
    train_reference,
)


def trained(text: str, vocab_size: int, **settings: Any) -> list[Piece]:
    return drain(unigram_steps([text], vocab_size, **settings))[1]


def reference(text: str, vocab_size: int, **settings: Any) -> list[tuple[str, float]]:
    settings = {"model_type": "unigram", **settings}
    return pieces_of(processor(train_reference(text.split("\n"), vocab_size, **settings)))


def assert_same(ours: list[Piece], theirs: list[tuple[str, float]]) -> None:
    assert [piece.text for piece in ours] == [piece for piece, _ in theirs]
    assert [piece.score for piece in ours] == pytest.approx(
        [score for _, score in theirs], abs=1e-4
    )


def crowd(seed: int) -> str:
    """Lines of many scripts, with rare characters, repeated lines, digits and marks."""
    rng = random.Random(seed)
    scripts = (
        "При вет мир|こん にちは 世界|テー ブル 漢 字|na ïve e\u0301|हि न्दी|12 3 3.1|the ing re a b"
    )
    syllables = [part.split() for part in scripts.split("|")]
    words = ["".join(rng.choices(rng.choice(syllables), k=rng.randint(1, 5))) for _ in range(200)]
    weights = [1 / (rank + 1) for rank in range(200)]
    lines = [" ".join(rng.choices(words, weights, k=rng.randint(1, 9))) for _ in range(600)]
    lines += [*lines[:20], "", "  ", "\u2585 x", chr(rng.randrange(0x4E00, 0x9000))]
    return "\n".join(lines)


@pytest.mark.peers
@pytest.mark.parametrize("vocab_size", [100, 300, 900])
def test_pieces_and_scores_are_the_references_on_stories(vocab_size):
    text = story_text(4, 60_000)
    assert_same(trained(text, vocab_size), reference(text, vocab_size))


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(4))
def test_pieces_and_scores_are_the_references_on_a_crowd_of_scripts(seed):
    text = crowd(seed)
    assert_same(trained(text, 100), reference(text, 100))


@pytest.mark.peers
def test_pieces_and_scores_are_the_references_without_normalizing():
    text = crowd(9) + "\nA  wide\tＡ  ﬁne"
    theirs = reference(text, 100, normalization_rule_name="identity")
    assert_same(trained(text, 100, normalizer=SentencePieceNormalizer("identity")), theirs)


@pytest.mark.peers
def test_pieces_and_scores_are_the_references_around_written_out_meta_pieces():
    text = story_text(2, 20_000).replace("the ", "the <cat>cat ").replace("q", "<s>")
    ours = trained(
        text, 600, special_tokens=["<dog>"], user_defined=["<cat>", "was"], byte_fallback=True
    )
    theirs = reference(
        text,
        600,
        control_symbols=["<dog>"],
        user_defined_symbols=["<cat>", "was"],
        byte_fallback=True,
    )
    assert_same(ours, theirs)


@pytest.mark.peers
@pytest.mark.parametrize("coverage", [0.98, 0.99, 1.0])
def test_pieces_and_scores_are_the_references_with_rarer_and_all_characters(coverage):
    text = crowd(7)
    theirs = reference(text, 100, character_coverage=coverage)
    assert_same(trained(text, 100, character_coverage=coverage), theirs)


# -- seeds -------------------------------------------------------------------------------------


@pytest.mark.peers
@pytest.mark.parametrize(
    ("text", "vocab_size"), [("a", 5), ("aaaa", 5), ("aaaa", 6), ("ab", 6), ("a a a", 5)]
)
def test_a_text_shorter_than_a_piece_is_learned_as_by_the_reference(text, vocab_size):
    assert_same(trained(text, vocab_size), reference(text, vocab_size))


def test_a_text_of_one_character_says_how_many_pieces_it_yields():
    with pytest.raises(ValueError, match="vocab_size 300 is too large: .*choose at most 5,"):
        trained("a", 300)


def test_seeds_are_what_occurs_with_two_different_characters_behind():
    text = "▁abcab\0▁abd\0▁xbcab\0"
    places, depths, covered = drain(repeated_sequences(text, 4))[1]
    found = {text[p : p + d]: int(c) for p, d, c in zip(places, depths, covered)}
    expected = {}
    for start in range(len(text)):
        for depth in range(2, 5):
            piece = text[start : start + depth]
            places = [p for p in range(len(text) - len(piece)) if text.startswith(piece, p)]
            behind = {text[p + len(piece)] for p in places}
            if len(behind) > 1 and "\0" not in piece and "▁" not in piece[1:]:
                expected[piece] = len(places) * depth
    assert found == expected == {"ab": 8, "▁ab": 6}
    assert list(covered) == sorted(covered, reverse=True)


@pytest.mark.parametrize("letters", ["ab", string.ascii_letters, "".join(map(chr, range(9, 5000)))])
def test_places_are_sorted_by_what_follows(letters):
    rng = random.Random(1)
    text = "".join(rng.choices(letters, k=500)) + "aaaaaaaaaaaaaaaaaaaaaaaa"
    codes = np.array([ord(letter) for letter in text])
    order = drain(sort_places(codes, 17))[1].tolist()
    assert [text[p : p + 17] for p in order] == sorted(text[p : p + 17] for p in range(len(text)))


def test_seeds_begin_with_the_characters_and_are_at_most_so_many():
    pieces, weights = drain(seed_pieces(["▁aab▅", "▁aac", "▁baa"], most=1))[1]
    assert pieces == ["a", "▁", "b", "c", "aa"]
    assert weights.tolist() == [6, 3, 2, 1, 6]


# -- lattices of many words ----------------------------------------------------------------------


WORDS = ["▁ab", "b", "▁abab▅", "aaaa", "▁", "bxa"]
PIECES = ["▁", "a", "b", "ab", "▁a", "aa", "aaa", "▁abab"]


def table_and_lattices(kept: list[int]) -> tuple[WordLattices, np.ndarray, list[Lattice]]:
    """The table of all words after only some pieces were kept, and each word's own lattice."""
    scores = -np.arange(1, len(PIECES) + 1) / 2
    new_ids = np.full(len(PIECES), -1)
    new_ids[kept] = np.arange(len(kept))
    table = WordLattices(WORDS, PieceTrie(PIECES))
    table.renumber(new_ids)
    left = [PIECES[piece] for piece in kept]
    lattices = []
    for word in WORDS:
        nodes = [
            Node(start, start + len(piece), piece, id_, float(scores[id_]))
            for start in range(len(word))
            for id_, piece in sorted(enumerate(left), key=lambda item: len(item[1]))
            if word.startswith(piece, start)
        ]
        nodes += [
            Node(place, place + 1, word[place], -1, -20.0)
            for place in range(len(word))
            if word[place] not in left
        ]
        lattices.append(Lattice(word, nodes))
    edge_scores = np.append(scores[: len(kept)], -20.0).astype(np.float32)[table.piece]
    return table, edge_scores, lattices


@pytest.mark.parametrize("kept", [list(range(8)), [7, 2, 0, 4], [3, 6]], ids=str)
def test_the_table_tells_of_every_word_what_its_lattice_does(kept):
    table, edge_scores, lattices = table_and_lattices(kept)
    before, after = table.forward(edge_scores), table.backward(edge_scores)
    share, whole = table.shares(edge_scores)
    best, arrived = table.viterbi(edge_scores)
    paths: list[list[int]] = [[] for _ in WORDS]
    for words, edges in table.backtrace(arrived):
        for word, edge in zip(words, edges):
            paths[word].insert(0, int(table.piece[edge]))
    for number, lattice in enumerate(lattices):
        start, end = table.starts[number], table.ends[number]
        assert before[start : end + 1] == pytest.approx(lattice.forward(), abs=1e-4)
        assert after[start : end + 1] == pytest.approx(lattice.backward(), abs=1e-4)
        assert whole[number] == pytest.approx(lattice.forward()[-1], abs=1e-4)
        mine = (table.start >= start) & (table.start < end)
        edges = list(zip(table.start[mine] - start, table.end[mine] - start, table.piece[mine]))
        assert edges == [(node.start, node.end, node.id) for node in lattice.nodes]
        assert share[mine] == pytest.approx(lattice.posteriors(), abs=1e-4)
        assert best[end] == pytest.approx(lattice.viterbi().path.score, abs=1e-4)
        assert paths[number] == lattice.viterbi().path.ids


def test_without_whole_words_every_word_is_cut():
    table = WordLattices(["aa", "aaa", "ab"], PieceTrie(PIECES), whole=False)
    pairs = set(zip(table.start.tolist(), table.end.tolist()))
    assert not pairs & set(zip(table.starts.tolist(), table.ends.tolist()))
    assert len(pairs) == 2 + 5 + 2


# -- steps ---------------------------------------------------------------------------------------


def test_digamma_is_the_derivative_of_the_logarithm_of_gamma():
    for x in (0.5, 1.0, 1.7, 6.9, 7.0, 100.0, 1e6):
        step = 1e-4 * x
        slope = (math.lgamma(x + step) - math.lgamma(x - step)) / (2 * step)
        assert digamma(np.float32(x)) == pytest.approx(slope, abs=1e-5)
    assert digamma(np.float32(1)) == pytest.approx(-0.5772156649, abs=1e-8)  # Euler's constant


def test_every_step_of_training_is_consistent_with_the_one_before():
    text = drain(prepare([story_text(1, 20_000)], SentencePieceNormalizer()))[1]
    steps, result = drain(train(text, 200, 3))
    steps = [step for step in steps if not isinstance(step, WorkingStep)]
    assert isinstance(steps[0], SeedStep) and isinstance(steps[-1], FinishStep)
    assert np.exp(steps[0].scores.astype(float)).sum() == pytest.approx(1, abs=1e-3)
    objectives = []
    for before, step in pairwise(steps):
        assert len(step.pieces) == len(step.scores) == step.vocab_size
        if isinstance(step, ExpectStep):
            assert step.pieces == before.pieces
            assert step.tokens == pytest.approx(step.expected.sum(), rel=1e-4)
            objectives.append((step.round, step.iteration, step.objective))
            # However the words are cut, the pieces' characters are the words' characters.
            spelled = sum(len(p) * e for p, e in zip(step.pieces, step.expected.tolist()))
            assert spelled == pytest.approx(sum(len(w) * n for w, n in text.words), rel=1e-3)
        elif isinstance(step, MaximizeStep | PruneStep):
            gone = [piece for piece, _ in step.removed]
            assert sorted([*step.pieces, *gone]) == sorted(before.pieces)
        if isinstance(step, MaximizeStep):
            assert all(expected < 0.5 for _, expected in step.removed)
        if isinstance(step, PruneStep):
            assert step.vocab_size >= 0.75 * before.vocab_size - 1 or step.vocab_size >= 220
            assert [loss for _, loss in step.removed] == sorted(loss for _, loss in step.removed)
            finite = step.losses[np.isfinite(step.losses)].tolist()
            assert finite == sorted(finite, reverse=True)
            by_piece = dict(zip(before.pieces, step.measured.tolist()))
            assert [by_piece[piece] for piece in step.pieces] == step.losses.tolist()
    for (round_, first, higher), (again, second, lower) in pairwise(objectives):
        if round_ == again:
            assert (first, second) == (0, 1) and lower < higher
    assert [piece.text for piece in result] == steps[-1].pieces
    assert len(result) == 197
    assert {character for character, _ in text.characters} <= set(steps[-1].pieces)


LOSING = "ab ab ab\nzq\nxy zy xq\n" + "ab " * 40


@pytest.mark.peers
@pytest.mark.parametrize("vocab_size", [10, 11, 12])
def test_the_scores_of_lost_characters_are_the_references(vocab_size):
    assert_same(trained(LOSING, vocab_size), reference(LOSING, vocab_size))


def test_characters_that_training_loses_come_back():
    assert sorted(piece.text for piece in trained(LOSING, 10)[3:]) == sorted("▁abqxyz")


def test_a_vocabulary_below_the_alphabet_is_refused_with_the_smallest_possible():
    text = "some words of a text"
    smallest = 3 + len(set(text))
    with pytest.raises(ValueError, match=f"choose at least {smallest},"):
        trained(text, smallest - 1)
    assert len(trained(text, smallest)) == smallest


@pytest.mark.peers
def test_a_vocabulary_above_what_the_text_yields_is_refused_with_the_largest_possible():
    text = crowd(5)
    with pytest.raises(ValueError, match="choose at most") as ours:
        trained(text, 5_000)
    with pytest.raises(RuntimeError, match="value <=") as theirs:
        reference(text, 5_000)
    largest = int(re.search(r"value <= (\d+)", str(theirs.value))[1])
    assert f"choose at most {largest:,}," in str(ours.value)
    assert len(trained(text, largest)) == largest


@pytest.mark.parametrize("text", ["", "\n", "   \n "])
def test_an_empty_text_is_refused_with_the_remedy(text):
    with pytest.raises(ValueError, match="choose a text with some words"):
        trained(text, 100)
