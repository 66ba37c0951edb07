"""A text's surprise against torch's cross-entropy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.inference.surprise import perplexity, surprise_of, surprises
from core.transformer import ModelConfig
from core.transformer.gpt import GPT

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


def test_a_model_that_knows_nothing_is_as_unsure_as_among_all() -> None:
    model = GPT(CONFIG).eval()
    with torch.no_grad():
        model.wte.weight.zero_()
    assert perplexity(surprises(model, [1, 2, 3])) == pytest.approx(20)
    assert np.isnan(perplexity(surprises(model, [1])))
