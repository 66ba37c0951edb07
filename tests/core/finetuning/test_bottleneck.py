"""Bottleneck adapters: by hand, at a strength, and taken off without a trace."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from core.finetuning.adapter import add_lora
from core.finetuning.bottleneck import Bottleneck, Bottlenecks, add_bottlenecks
from core.finetuning.lora import LoRAConfig
from core.inference.attribution import attribute
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT

CONFIG = ModelConfig(vocab_size=50, block_size=16, n_layer=2, n_head=2, n_embd=16, n_inner=40)
IDS = torch.arange(12).view(2, 6)


def model_of(config: ModelConfig = CONFIG) -> GPT:
    return GPT(config, torch.Generator().manual_seed(0)).eval()


def moved(model: GPT, width: int = 3) -> Bottlenecks:
    """Bottlenecks all of whose numbers have moved."""
    generator = torch.Generator().manual_seed(1)
    bottlenecks = add_bottlenecks(model, width, generator=generator)
    with torch.no_grad():
        for bottleneck in bottlenecks.modules:
            for name in ("down", "down_bias", "up", "up_bias"):
                parameter = getattr(bottleneck, name)
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return bottlenecks


def logits(model: GPT) -> Tensor:
    with torch.no_grad():
        return model(IDS)


def test_it_is_nothing_at_first_and_taken_off_without_a_trace() -> None:
    model = model_of()
    base, names = logits(model), list(model.state_dict())
    at_first = add_bottlenecks(model, 3)
    assert torch.equal(logits(model), base)
    at_first.remove()
    bottlenecks = moved(model)
    tuned = logits(model)
    assert (tuned - base).abs().max() > 1e-2
    bottlenecks.scale = 0.0
    assert torch.equal(logits(model), base)
    bottlenecks.scale = 1.0
    assert torch.equal(logits(model), tuned)
    bottlenecks.remove()
    assert list(model.state_dict()) == names
    assert torch.equal(logits(model), base)


def test_a_block_computes_what_it_does_by_hand() -> None:
    model = model_of()
    attention, mlp, *_ = moved(model).modules
    block = model.blocks[0]
    x = torch.randn(2, 6, 16, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        plain = model_of().blocks[0]

        def behind(one: Bottleneck, h: Tensor) -> Tensor:
            narrow = F.gelu(F.linear(h, one.down, one.down_bias))
            return h + F.linear(narrow, one.up, one.up_bias)

        middle = x + behind(attention, plain.attn(plain.ln_1(x)))
        wanted = middle + behind(mlp, plain.mlp(plain.ln_2(middle)))
        torch.testing.assert_close(block(x), wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("width", [1, 8])
def test_each_has_the_paper_s_number_of_parameters(width: int) -> None:
    """2 m C + m + C (Houlsby et al. 2019, section 2.1), two in each block."""
    model = model_of()
    add_bottlenecks(model, width)
    trained = sum(one.numel() for one in model.parameters() if one.requires_grad)
    assert trained == 2 * 2 * (2 * width * 16 + width + 16)


def test_its_numbers_stay_in_fp32_on_a_model_of_16_bits() -> None:
    model = model_of().bfloat16()
    bottlenecks = moved(model)
    assert logits(model).dtype is torch.bfloat16
    assert {one.up.dtype for one in bottlenecks.modules} == {torch.float32}


def test_the_parts_of_a_logit_still_add_up() -> None:
    """What a head writes is told before the bottleneck; what this adds is unexplained, the MLP's
    part of it is the MLP's.
    """
    model = model_of(replace(CONFIG, n_layer=1))
    moved(model).modules[0].scale = 0.0
    told = attribute(model, IDS[0].numpy())
    assert abs(told.terms[-1].value) < 1e-4


def test_lora_may_lie_under_it_but_not_over_it() -> None:
    model = model_of()
    base = logits(model)
    lora = LoRAConfig(r=2, target_modules=("c_proj",))
    adapter = add_lora(model, lora)
    over = moved(model)
    with pytest.raises(ValueError, match=r"Bottleneck that h.0.attn.c_proj has; take that off"):
        add_lora(model, lora)
    over.remove()
    adapter.remove()
    assert torch.equal(logits(model), base)
