"""A text's surprise against torch's cross-entropy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.inference.surprise import (
    MeasuredContext,
    perplexity,
    surprise_of,
    surprises,
    token_log_probabilities,
)
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.look import Look
from tests.core.inference.test_context import model_of

CONFIG = ModelConfig(vocab_size=20, block_size=16, n_layer=2, n_head=2, n_embd=8)


def test_surprise_is_the_loss_of_each_token() -> None:
    model = GPT(CONFIG, torch.Generator().manual_seed(0)).eval()
    ids = torch.tensor([[3, 1, 4, 1, 5, 9]])
    with torch.no_grad():
        logits = model(ids)
    losses = torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:], reduction="none")
    found = surprises(model, ids[0].tolist())
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], losses.numpy(), rtol=1e-5)
    assert surprise_of(logits[0, 2].numpy(), 1) == pytest.approx(found[3])
    assert perplexity(found) == pytest.approx(float(losses.mean().exp()))


@pytest.mark.parametrize("changes", [{}, {"norm_placement": "post"}, {"window": (3,)}], ids=str)
def test_each_token_s_probability_is_that_of_the_logits_before_it(changes, monkeypatch) -> None:
    model, ids = model_of(**changes), [3, 1, 4, 1, 5, 9, 2, 6]
    halved = {"decoder.1.weights": lambda value: value * 0.5}
    head, rows = model.lm_head.forward, []
    monkeypatch.setattr(model.lm_head, "forward", lambda x: rows.append(x.shape[:-1]) or head(x))
    monkeypatch.setattr("core.inference.surprise.LOGITS_AT_ONCE", 3 * model.config.vocab_size)
    found = token_log_probabilities(model, ids, 3, halved)
    assert rows == [(3,), (2,)], "only what is asked for is unembedded, some at a time"
    with torch.no_grad():
        logits = model(torch.tensor([ids]), Look((), halved))[0].double()
    expected = logits[2:-1].log_softmax(-1).gather(-1, torch.tensor(ids[3:])[:, None])[:, 0]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_what_has_no_probability_is_refused() -> None:
    model = model_of()
    for first in (0, 3):
        with pytest.raises(ValueError, match="at least one token must stand before it"):
            token_log_probabilities(model, [1, 2], first)
    with pytest.raises(ValueError, match="replace a site that comes before them"):
        token_log_probabilities(model, [1, 2], replace={"decoder.logits": lambda value: value})


def test_a_model_that_knows_nothing_is_as_unsure_as_among_all() -> None:
    model = GPT(CONFIG).eval()
    with torch.no_grad():
        model.wte.weight.zero_()
    assert perplexity(surprises(model, [1, 2, 3])) == pytest.approx(20)
    assert np.isnan(perplexity(surprises(model, [1])))


def test_a_measured_context_tells_the_surprise_of_whatever_text_comes() -> None:
    model = GPT(CONFIG, torch.Generator().manual_seed(0)).eval()
    context = MeasuredContext(model)
    for ids in ([3], [3, 1], [3, 1, 4], [3, 1, 4], [3, 1], [3, 1, 7], [2, 9, 4, 4], [3, 1, 4, 1]):
        logits = context.read(ids)
        np.testing.assert_allclose(context.surprises, surprises(model, ids), atol=1e-5)
        with torch.no_grad():
            torch.testing.assert_close(logits, model(torch.tensor([ids]))[0, -1])


def test_what_is_appended_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    context = MeasuredContext(GPT(CONFIG, torch.Generator().manual_seed(0)).eval())
    context.read([3, 1])
    assert len(context.surprises) == 2
    monkeypatch.setattr("core.inference.surprise.surprises", None)
    context.read([3, 1, 4])
    context.read([3, 1, 4, 9])
    assert len(context.surprises) == 4
