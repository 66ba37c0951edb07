"""An induction head forms while a small model learns to copy (Olsson et al. 2022)."""

import numpy as np
import pytest
import torch

from core.data.batches import repeated_ids as batch_of_repeats
from core.inference.activations import capture
from core.inference.heads import head_scores, repeated_ids
from core.optimization import decay_groups
from core.transformer import ModelConfig
from core.transformer.gpt import GPT

VOCABULARY, LENGTH = 64, 32


def induction_of(model: GPT) -> float:
    """The strongest head's score on fresh sequences; position alone cannot tell their period."""
    sequences = repeated_ids(8, 11, 2, VOCABULARY, np.random.default_rng(9))
    scores = [head_scores(capture(model, s, ("attention",)).attention, s) for s in sequences]
    return float(np.mean([score.induction for score in scores], axis=0).max())


@pytest.mark.full
def test_an_induction_head_forms_within_800_steps():
    config = ModelConfig(vocab_size=VOCABULARY, block_size=LENGTH, n_layer=2, n_head=4, n_embd=64)
    model = GPT(config, torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(decay_groups(model.parameters(), 0.01), lr=1e-3, fused=True)
    generator = np.random.default_rng(0)
    assert induction_of(model) < 0.15
    for step in range(1, 801):
        rows = [batch_of_repeats(generator, VOCABULARY, LENGTH) for _ in range(64)]
        ids, targets = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
        total, count = model.loss(ids, targets)
        (total / count).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 100 == 0 and induction_of(model) > 0.5:
            return
    raise AssertionError(f"no induction head by step 800: {induction_of(model):.2f}")
