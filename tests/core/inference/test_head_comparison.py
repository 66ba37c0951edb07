"""How differently heads attend on two texts: against torch, by hand, and in the bundled model."""

import numpy as np
import pytest
import torch

import core
from core.inference.activations import capture
from core.inference.head_comparison import (
    moved_attention,
    moved_step,
    same_queries,
    score_difference,
)
from core.inference.heads import head_scores
from tests.core.test_trace import MarkedLines


def causal(seed: int, shape: tuple[int, int], T: int) -> np.ndarray:
    weights = np.random.default_rng(seed).random((*shape, T, T)) * np.tri(T)
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def attention_on(model, ids: list[int]) -> np.ndarray:
    attention = capture(model, ids, ("attention",)).attention
    assert attention is not None
    return attention


def test_the_share_that_moves_is_half_of_the_distance_and_what_has_to_be_carried() -> None:
    first, second = causal(0, (2, 3), 6), causal(1, (2, 3), 6)
    found = moved_attention(first, second)
    pairs = (torch.from_numpy(one).reshape(-1, 6) for one in (first, second))
    wanted = torch.pairwise_distance(*pairs, p=1, eps=0).numpy().reshape(2, 3, 6) / 2
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    np.testing.assert_allclose(found, np.maximum(first - second, 0).sum(-1), atol=1e-6)


def test_it_runs_from_the_same_to_nothing_in_common() -> None:
    first = np.array([[1, 0, 0], [0.5, 0.5, 0]], np.float32)
    assert not moved_attention(first, first).any()
    second = np.array([[0, 0, 1], [0.5, 0.25, 0.25]], np.float32)
    np.testing.assert_allclose(moved_attention(first, second), [1, 0.25])


def test_queries_whose_own_token_differs_tell_nothing_of_what_they_find() -> None:
    assert same_queries([1, 2, 3, 4], [1, 9, 3, 4]).tolist() == [True, False, True, True]
    assert same_queries([1, 2, 3], [1, 2, 9]).all(), "none comes after the difference"
    assert same_queries([1, 2], [1, 2]).all()


def test_the_marked_line_computed_the_values_of_the_step() -> None:
    first, second = causal(0, (1, 1), 5)[0, 0, -1], causal(1, (1, 1), 5)[0, 0, -1]
    with MarkedLines() as lines:
        step = moved_step(first, second)
    lines.left(step)


def test_texts_of_different_lengths_are_compared_by_their_scores_alone() -> None:
    model = core.load("stories").model
    texts = [5, 6, 7, 5, 6], [5, 6, 7, 8]
    first, second = (attention_on(model, ids) for ids in texts)
    with pytest.raises(ValueError, match="of as many tokens"):
        moved_attention(first, second)
    scores, others = (head_scores(attention_on(model, ids), ids) for ids in texts)
    difference = score_difference(scores, others)
    assert difference.shape == scores.induction.shape
    assert (difference >= np.abs(scores.induction - others.induction)).all()
    assert not score_difference(scores, scores).any()


def test_an_induction_head_of_the_bundled_model_changes_most_when_a_repeat_is_gone() -> None:
    lm = core.load("stories")
    text = "Once upon a time, Mira found a red kite. One day, Mira"
    ids, others = (lm.tokenizer.encode(one).ids for one in (text, text.replace("Mira", "Tom", 1)))
    first, second = (attention_on(lm.model, one) for one in (ids, others))
    moved = np.where(same_queries(ids, others), moved_attention(first, second), 0)
    layer, head, query = np.unravel_index(moved.argmax(), moved.shape)
    assert moved.max() > 0.3 and query == len(ids) - 1, "at the second Mira"
    assert head_scores(first, ids).induction[layer, head] > 0.5
