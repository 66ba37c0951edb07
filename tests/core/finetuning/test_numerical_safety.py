"""Numbers that would spoil a model are refused, and what has to stay fp32 does."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from core.finetuning.adapter import add_lora
from core.finetuning.lora_config import LoRAConfig
from core.finetuning.methods import prepare
from core.finetuning.quantization import quantize_model
from core.finetuning.quantized_linear import QuantizedLinear
from core.finetuning.settings import FinetuningSettings
from core.finetuning.task_vector import TaskVector
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT

SHAPE = ModelConfig(vocab_size=50, block_size=16, n_layer=2, n_head=2, n_embd=16)
IDS = torch.arange(12).view(2, 6)
EXCEPTIONAL = [math.nan, math.inf, -math.inf, 1e300, 10**400]
CHANGES: list[Callable[[nn.Module], nn.Module]] = [
    lambda model: model.bfloat16(),
    lambda model: model.half(),
    lambda model: model.to(torch.bfloat16),
]


def small_model() -> GPT:
    return GPT(SHAPE, torch.Generator().manual_seed(0)).eval()


@torch.no_grad()
def logits(model: GPT) -> Tensor:
    return model(IDS)


@pytest.mark.parametrize("scale", EXCEPTIONAL)
@pytest.mark.parametrize("method", ["lora", "bottleneck", "bitfit"])
def test_an_exceptional_scale_is_refused_and_changes_nothing(method: str, scale: float) -> None:
    model = small_model()
    tuning = prepare(model, FinetuningSettings(method=method, lora=LoRAConfig(r=2)))
    generator = torch.Generator().manual_seed(1)
    learned = {
        name: torch.randn(one.shape, generator=generator) / 10
        for name, one in tuning.state().items()
    }
    tuning.load_state(learned)
    tuning.scale = 0.5
    before = logits(model)
    with pytest.raises(ValueError, match="scale is .*0 to 1 is usual"):
        tuning.scale = scale
    assert tuning.scale == 0.5 and torch.equal(logits(model), before)


def test_a_task_vector_refuses_it_while_it_learns() -> None:
    weight = nn.Parameter(torch.ones(3))
    vector = TaskVector([weight])
    with pytest.raises(ValueError, match="scale is nan"):
        vector.scale = math.nan
    assert vector.scale == 1 and torch.equal(weight, torch.ones(3))


@pytest.mark.parametrize("share", EXCEPTIONAL)
def test_an_exceptional_share_is_refused_and_both_adapters_stay(share: float) -> None:
    model = small_model()
    first, second = (add_lora(model, LoRAConfig(r=2)) for _ in range(2))
    with pytest.raises(ValueError, match="share is .*0 to 1 is usual"):
        first.blend(second, share)
    first.check_added()
    second.check_added()


@pytest.mark.parametrize("change", CHANGES)
def test_half_a_model_keeps_the_units_of_its_codes(change: Callable[[nn.Module], object]) -> None:
    model = small_model()
    quantize_model(model)
    linears = [one for one in model.modules() if isinstance(one, QuantizedLinear)]
    before = [one.weight for one in linears]
    change(model)
    assert linears and model.wte.weight.dtype in (torch.bfloat16, torch.float16)
    for linear, weight in zip(linears, before, strict=True):
        assert linear.bias is not None and linear.bias.dtype == model.wte.weight.dtype
        assert torch.equal(linear.weight, weight)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("dora", [False, True])
def test_half_a_model_keeps_its_adapter_whole(
    dora: bool, change: Callable[[nn.Module], object]
) -> None:
    model = small_model()
    adapter = add_lora(model, LoRAConfig(r=2, target_modules=("all-linear",), dora=dora))
    with torch.no_grad():
        for parameter in adapter.parameters():
            parameter.add_(torch.randn_like(parameter) / 10)
    before = [parameter.detach().clone() for parameter in adapter.parameters()]
    full = logits(model)
    change(model)
    assert all(map(torch.equal, adapter.parameters(), before))
    assert logits(model).dtype == model.wte.weight.dtype
    torch.testing.assert_close(logits(model).float(), full, rtol=0, atol=0.05)


def test_a_quantized_model_moves_to_another_device_as_a_whole() -> None:
    model = small_model()
    quantize_model(model)
    add_lora(model, LoRAConfig(r=2))
    model.to("meta", torch.bfloat16)
    tensors = [*model.parameters(), *model.buffers()]
    assert all(one.is_meta for one in tensors)
    linear = next(one for one in model.modules() if isinstance(one, QuantizedLinear))
    assert linear.unit.dtype == linear.mean.dtype == torch.float32
