"""Tries and lattices against what counting by hand gives."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tokenization.unigram.lattice import Lattice, Node, build_lattice
from core.tokenization.unigram.piece_trie import CHUNK, PieceTrie

PIECES = ["a", "b", "ab", "ba", "aba", "bb", "é", "🙂b", "abab"]
SCORES = np.array([-2.0, -2.5, -3.0, -3.5, -4.75, -4.0, -6.0, -7.0, -6.5])
TEXTS = st.text("abé🙂x", min_size=1, max_size=9)


def lattice_of(text: str) -> Lattice:
    return build_lattice(text, PieceTrie(PIECES), SCORES, 99, -17.0)


def all_paths(lattice: Lattice, place: int = 0) -> list[tuple[Node, ...]]:
    """Every path from a place to the end, by trying everything."""
    if place == len(lattice.text):
        return [()]
    starting = [node for node in lattice.nodes if node.start == place]
    return [(node, *rest) for node in starting for rest in all_paths(lattice, node.end)]


def total(path: tuple[Node, ...], alpha: float = 1.0) -> float:
    return alpha * sum(node.score for node in path)


@given(st.text("abé🙂x", max_size=30), st.sets(st.text("abé🙂", min_size=1, max_size=5)))
def test_a_trie_finds_every_piece_at_every_place(text, pieces):
    pieces = sorted(pieces)
    found = PieceTrie(pieces).matches(text)
    expected = [
        (start, stop - start, pieces.index(text[start:stop]))
        for start in range(len(text))
        for stop in range(start + 1, len(text) + 1)
        if text[start:stop] in pieces
    ]
    assert list(zip(found.starts, found.lengths, found.ids)) == expected
    assert len(found) == len(expected)


def test_pieces_are_found_across_the_places_where_a_long_text_is_walked_in_parts():
    trie = PieceTrie(["abc", "c", "xx"], [5, 7, 9])
    text = "x" * (CHUNK - 2) + "abc" + "y" * CHUNK + "c"
    found = trie.matches(text)
    assert found.ids[CHUNK - 3 :].tolist() == [5, 7, 7]
    assert found.starts[CHUNK - 3 :].tolist() == [CHUNK - 2, CHUNK, len(text) - 1]
    assert trie.longest == 3


@given(TEXTS)
def test_viterbi_finds_the_best_of_all_paths(text):
    lattice = lattice_of(text)
    best = lattice.viterbi()
    scores = [total(path) for path in all_paths(lattice)]
    assert best.path.score == pytest.approx(max(scores), abs=1e-4)
    assert total(best.path.nodes) == pytest.approx(max(scores), abs=1e-4)
    assert "".join(best.path.pieces) == text
    for place in range(len(text) + 1):
        before = [total(path) for path in all_paths(lattice_of(text[:place]))]
        assert best.scores[place] == pytest.approx(max(before), abs=1e-4)
        arrived = best.arrived[place]
        assert (arrived is None) == (place == 0)
        assert arrived is None or arrived.end == place


def test_of_equal_paths_the_one_with_the_earlier_start_wins():
    nodes = [Node(0, 1, "a", 0, -1.0), Node(1, 2, "b", 1, -1.0), Node(0, 2, "ab", 2, -2.0)]
    assert Lattice("ab", nodes).viterbi().path.ids == [2]
    assert Lattice("ab", nodes[::-1]).viterbi().path.ids == [2]


@given(TEXTS, st.sampled_from([0.0, 0.3, 1.0, 2.5]))
def test_sums_over_all_paths(text, alpha):
    lattice = lattice_of(text)
    weights = {path: math.exp(total(path, alpha)) for path in all_paths(lattice)}
    mass = sum(weights.values())
    assert lattice.forward(alpha)[-1] == pytest.approx(math.log(mass))
    assert lattice.backward(alpha)[0] == pytest.approx(math.log(mass))
    through = [
        sum(weight for path, weight in weights.items() if node in path) / mass
        for node in lattice.nodes
    ]
    assert lattice.posteriors(alpha) == pytest.approx(through)


@given(TEXTS)
def test_the_n_best_are_the_best_of_all_paths(text):
    lattice = lattice_of(text)
    scores = sorted((total(path) for path in all_paths(lattice)), reverse=True)
    found = lattice.n_best(7)
    assert [path.score for path in found] == pytest.approx(scores[:7])
    assert len({path.nodes for path in found}) == len(found)
    assert all("".join(path.pieces) == text for path in found)
    assert len(list(lattice.paths())) == len(scores)


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_samples_have_the_probabilities_of_the_paths(alpha):
    lattice = lattice_of("ababb")
    weights = {path: math.exp(total(path, alpha)) for path in all_paths(lattice)}
    mass = sum(weights.values())
    generator = np.random.default_rng(5)
    draws = 4000
    drawn = [lattice.sample(alpha, generator) for _ in range(draws)]
    assert len(weights) == 11
    for path, weight in weights.items():
        expected = draws * weight / mass
        times = sum(sample.nodes == path for sample in drawn)
        assert abs(times - expected) < 5 * math.sqrt(expected)
    assert drawn[0].score == pytest.approx(total(drawn[0].nodes))


def test_a_large_alpha_leaves_the_best_path():
    lattice = lattice_of("abababé")
    best = lattice.viterbi().path
    generator = np.random.default_rng(0)
    assert all(lattice.sample(500.0, generator).nodes == best.nodes for _ in range(20))


def test_sampling_again_with_the_same_seed_gives_the_same():
    lattice = lattice_of("ababababab")
    one, two = (np.random.default_rng(3) for _ in range(2))
    assert [lattice.sample(0.2, one) for _ in range(9)] == [
        lattice.sample(0.2, two) for _ in range(9)
    ]


def test_what_no_piece_covers_is_unknown_character_by_character():
    path = lattice_of("axyb").viterbi().path
    assert path.pieces == ["a", "x", "y", "b"]
    assert path.ids == [0, 99, 99, 1]


def test_an_empty_text_has_one_empty_path():
    lattice = lattice_of("")
    assert lattice.viterbi().path.nodes == ()
    assert [path.nodes for path in lattice.n_best(3)] == [()]
    assert lattice.sample(1.0, np.random.default_rng(0)).nodes == ()
    assert lattice.forward().tolist() == lattice.backward().tolist() == [0.0]
    assert lattice.posteriors().tolist() == []


def test_impossible_lattices_and_settings_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match="unknown token"):
        Lattice("ab", [Node(0, 1, "a", 0, -1.0)])
    with pytest.raises(ValueError, match="does not lie in"):
        Lattice("ab", [Node(1, 3, "b?", 0, -1.0)])
    lattice = lattice_of("ab")
    with pytest.raises(ValueError, match="at least one"):
        lattice.n_best(0)
    for alpha in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="sharpness"):
            lattice.forward(alpha)


def test_a_node_that_no_path_reaches_is_no_part_of_any_path():
    nodes = [Node(0, 2, "ab", 0, -1.0), Node(1, 2, "b", 1, -0.5)]
    lattice = Lattice("ab", nodes)
    assert lattice.viterbi().path.ids == [0]
    assert [path.ids for path in lattice.paths()] == [[0]]
    assert lattice.posteriors().tolist() == [1.0, 0.0]
    assert lattice.viterbi().scores.tolist() == [0.0, -math.inf, -1.0]


def test_all_lattices_of_a_long_text_fit_one_sweep():
    """2^199 paths, and every question answered."""
    lattice = lattice_of("ab" * 100)
    paths = lattice.n_best(50)
    assert all(a.score >= b.score for a, b in itertools.pairwise(paths))
    assert lattice.forward()[-1] > lattice.viterbi().path.score


def test_equal_paths_by_the_thousand_do_not_delay_the_n_best():
    pieces = ["a" * length for length in range(1, 9)]
    scores = -2.0 * np.ones(8)
    lattice = build_lattice("a" * 301, PieceTrie(pieces), scores, 99, -12.0)
    paths = lattice.n_best(20)
    assert [path.score for path in paths] == pytest.approx([-76.0] * 20)
    assert len({path.nodes for path in paths}) == 20
