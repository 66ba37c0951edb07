"""How a token is chosen: against transformers' own steps, and the draw against a count."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from core.inference.sampling import Sampling, draw, draws, next_token

LOGITS = torch.log(torch.tensor([0.4, 0.1, 0.3, 0.2], dtype=torch.float64))


def test_every_stage_is_kept() -> None:
    found = next_token(LOGITS, Sampling(temperature=0.5, top_k=3, top_p=0.8, min_p=0.3))
    squares = np.array([16, 1, 9, 4]) / 30
    np.testing.assert_allclose(found.probabilities, squares)
    assert found.top_k.tolist() == [True, False, True, True]
    assert found.top_p.tolist() == [True, False, True, False]
    np.testing.assert_allclose(found.kept, [16 / 25, 0, 9 / 25, 0])
    assert torch.equal(found.logits, LOGITS)


def test_min_p_is_a_share_of_the_likeliest() -> None:
    assert next_token(LOGITS, Sampling(min_p=0.6)).min_p.tolist() == [True, False, True, False]
    assert next_token(LOGITS, Sampling(min_p=1.0)).kept.tolist() == [1, 0, 0, 0]
    assert next_token(LOGITS, Sampling(min_p=0.0)).min_p.all()


def test_a_penalty_makes_seen_tokens_less_likely_whatever_their_sign() -> None:
    logits = torch.tensor([2.0, -1.0, 3.0, -2.0])
    found = next_token(logits, Sampling(repetition_penalty=2.0), seen=[0, 1, 0])
    assert found.penalized.tolist() == [1.0, -2.0, 3.0, -2.0]
    assert (
        next_token(logits, Sampling(repetition_penalty=2.0)).penalized.tolist() == logits.tolist()
    )


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(3))
def test_penalty_and_min_p_are_those_of_transformers(seed: int) -> None:
    processors = pytest.importorskip("transformers").generation.logits_process
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(1000, generator=generator, dtype=torch.float64) * 4
    seen = torch.randint(1000, (1, 60), generator=generator)
    scores = processors.RepetitionPenaltyLogitsProcessor(1.3)(seen, logits[None].clone())
    scores = scores / 0.8
    scores = processors.TopPLogitsWarper(0.9)(None, scores)
    scores = processors.MinPLogitsWarper(0.02)(None, scores)
    settings = Sampling(temperature=0.8, top_p=0.9, min_p=0.02, repetition_penalty=1.3)
    found = next_token(logits, settings, seen[0].tolist())
    torch.testing.assert_close(found.kept, torch.softmax(scores[0], -1))


def test_a_draw_falls_on_each_token_as_often_as_it_is_likely() -> None:
    kept = next_token(LOGITS, Sampling(top_k=3)).kept
    drawn = [draw(kept, (at + 0.5) / 9000) for at in range(9000)]
    assert np.bincount(drawn, minlength=4).tolist() == [4000, 0, 3000, 2000]
    assert draw(kept, 0.0) == 0 and draw(kept, math.nextafter(1.0, 0.0)) == 3


def test_a_draw_never_falls_on_what_was_cut_away() -> None:
    kept = torch.tensor([0.0, 0.5, 0.0, 0.5, 0.0], dtype=torch.float64)
    assert {draw(kept, drawn) for drawn in (0.0, 0.25, 0.4999)} == {1}
    assert {draw(kept, drawn) for drawn in (0.5, 0.75, 1.0)} == {3}


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": -1},
        {"temperature": math.nan},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"min_p": -0.1},
        {"min_p": 2.0},
        {"repetition_penalty": 0.0},
        {"top_k": 1.5},
    ],
    ids=str,
)
def test_settings_out_of_range_say_the_remedy(changes: dict) -> None:
    with pytest.raises(ValueError, match="None keeps every token|is usual"):
        Sampling(**changes)


def test_a_seed_gives_the_same_numbers_again() -> None:
    first, again, other = (list(itertools.islice(draws(seed), 5)) for seed in (1, 1, 2))
    assert first == again != other and all(0 <= number < 1 for number in first)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_logits_that_are_no_numbers_are_refused(wrong: float) -> None:
    logits = LOGITS.clone()
    logits[1] = wrong
    with pytest.raises(ValueError, match="not finite: .* choose another model"):
        next_token(logits)
    logits[1] = -float("inf")  # a token that cannot come
    assert next_token(logits).kept[1] == 0
