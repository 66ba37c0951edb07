"""FLOPs against torch's own counter, and MFU against the papers."""

from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from core.training.estimates.devices import DEVICES
from core.training.estimates.flops import (
    flops_per_token,
    model_flops_utilization,
)
from core.transformer import ModelConfig, preset
from core.transformer.gpt import GPT

TINY = ModelConfig(vocab_size=37, block_size=16, n_layer=3, n_head=4, n_embd=32)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mlp": "swiglu", "positions": "rope"},
        {"n_kv_head": 1},
        {"head_size": 4, "n_inner": 40, "tie_weights": False},
        {"window": (None, 4, 4)},  # what the window hides is computed as well
    ],
    ids=str,
)
def test_flops_are_those_that_torch_counts(changes: dict) -> None:
    config = replace(TINY, **changes)
    model, ids = GPT(config), torch.zeros(2, 16, dtype=torch.long)
    # Of fused kernels on a CPU it counts nothing.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model.loss(ids, ids)[0].backward()
    assert counter.get_total_flops() == 32 * flops_per_token(config)


def test_gpt_2_takes_the_usual_number_a_token() -> None:
    """6 N + 12 L H Q T with N without positions, 8.57e8; norms and biases are no products."""
    gpt2 = preset("gpt2")
    assert flops_per_token(gpt2) == pytest.approx(8.57e8, rel=4e-3)
    bare = 6 * 123_653_376 + 12 * 12 * 768 * 1024
    assert flops_per_token(gpt2) == pytest.approx(bare, rel=1e-3)


def test_utilization_of_palm_is_the_papers() -> None:
    """540.35e9 parameters, 118 layers of 48 heads of 256, 2,048 tokens; 238.3 thousand tokens a
    second on 6,144 TPU v4: 46.2 % (Chowdhery et al. 2022, section 4.1 and appendix B).
    """
    per_token = 6 * 540.35e9 + 12 * 118 * 48 * 256 * 2048
    peak = DEVICES["TPU v4"].peak_flops("bf16")
    found = model_flops_utilization(238.3e3, per_token, peak, 6144)
    assert found == pytest.approx(0.462, abs=5e-4)


def test_an_unknown_peak_gives_no_utilization() -> None:
    assert model_flops_utilization(1e5, 1e9, None) is None
