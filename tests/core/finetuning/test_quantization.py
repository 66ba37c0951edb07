"""Quantized models: they compute, and learn, as their dequantized twins do, in an eighth of the
room.
"""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from core.finetuning.adapter import add_lora
from core.finetuning.analysis import spectrum_of, strengths, weight_of
from core.finetuning.bottleneck import add_bottlenecks
from core.finetuning.lora import LoRAConfig
from core.finetuning.nf4 import nf4_bytes
from core.finetuning.quantization import (
    dequantize_model,
    model_bytes,
    quantize_model,
    quantize_model_steps,
)
from core.finetuning.quantized_linear import QuantizedLinear
from core.inference.activations import capture
from core.transformer.config import EncoderDecoderConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import GPT
from tests.core.finetuning.models import BIASED, GROUPED, IDS, learned, logits, model_of

KINDS = [{}, {"rslora": True}, {"dora": True}]
LAYER = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")


def pair(shape=BIASED) -> tuple[GPT, GPT]:
    """A quantized model, and one with the same matrices in full."""
    quantized = model_of(shape)
    quantize_model(quantized)
    full = copy.deepcopy(quantized)
    dequantize_model(full)
    return quantized, full


def test_all_linear_layers_but_the_head_are_quantized() -> None:
    model = model_of(BIASED)
    before = model_bytes(model)
    made = quantize_model(model)
    assert made.names == tuple(f"h.{layer}.{end}" for layer in (0, 1) for end in LAYER)
    assert all(isinstance(model.get_submodule(name), QuantizedLinear) for name in made.names)
    assert made.bytes_before == before and made.bytes_after == model_bytes(model)
    matrices = [3 * 16 * 16, 16 * 16, 4 * 16 * 16, 4 * 16 * 16] * 2
    assert made.matrices_before == 4 * sum(matrices)
    assert made.matrices_after == sum(map(nf4_bytes, matrices))
    saved = made.matrices_before - made.matrices_after
    assert made.bytes_before - made.bytes_after == saved
    with pytest.raises(ValueError, match="quantized already"):
        quantize_model(model)


def test_quantized_matrices_take_less_than_a_seventh() -> None:
    config = GROUPED.__class__(vocab_size=50, block_size=8, n_layer=1, n_head=4, n_embd=128)
    made = quantize_model(GPT(config))
    assert made.matrices_after <= 0.14 * made.matrices_before


@pytest.mark.parametrize("shape", [BIASED, GROUPED])
def test_a_quantized_model_computes_what_its_dequantized_twin_does(shape) -> None:
    quantized, full = pair(shape)
    assert torch.equal(logits(quantized), logits(full))
    plain = logits(model_of(shape))
    assert 0 < (logits(quantized) - plain).norm() / plain.norm() < 0.2
    for sites in (["attention"], ["residual"]):
        one, other = (capture(model, [1, 2, 3], sites).sites() for model in pair(shape))
        assert all((one[name] == other[name]).all() for name in one)


@pytest.mark.parametrize("kind", KINDS)
def test_lora_learns_on_it_as_on_its_dequantized_twin(kind: dict[str, bool]) -> None:
    """Losses and gradients of training steps, through every quantized matrix."""
    losses, gradients = [], []
    for model in pair():
        config = LoRAConfig(r=2, target_modules=("c_attn.q", "mlp.c_fc", "c_proj"), **kind)
        adapter = add_lora(model, config, generator=torch.Generator().manual_seed(0))
        optimizer = torch.optim.SGD(adapter.parameters(), lr=0.5)
        for _ in range(3):
            optimizer.zero_grad()
            loss = loss_of(model)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        gradients.append([parameter.grad for parameter in adapter.parameters()])
        assert all(one.grad is None for one in model.parameters() if not one.requires_grad)
    torch.testing.assert_close(losses[:3], losses[3:], rtol=1e-6, atol=0)
    assert losses[2] < losses[0]
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-7)


def loss_of(model: GPT) -> Tensor:
    return torch.nn.functional.cross_entropy(model(IDS[:, :-1]).flatten(0, 1), IDS[:, 1:].flatten())


def test_gradients_flow_to_what_lies_before_and_to_the_bias() -> None:
    linear = torch.nn.Linear(48, 20)
    quantized = QuantizedLinear(linear)
    full = torch.nn.Linear(48, 20)
    full.weight = torch.nn.Parameter(quantized.weight)
    full.bias = torch.nn.Parameter(linear.bias.detach().clone())
    x = torch.randn(3, 5, 48, generator=torch.Generator().manual_seed(0))
    found = []
    for module in (quantized, full):
        one = x.clone().requires_grad_()
        module(one).sin().sum().backward()
        found.append((one.grad, module.bias.grad))
    torch.testing.assert_close(found[0], found[1])
    assert [name for name, _ in quantized.named_parameters()] == ["bias"]


def test_no_full_matrix_is_kept_for_backward() -> None:
    kept: list[Tensor] = []
    module = QuantizedLinear(torch.nn.Linear(96, 80))
    x = torch.randn(2, 96, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda one: kept.append(one) or one, lambda x: x):
        module(x).sum().backward()
    assert all(one.numel() < 96 * 80 for one in kept)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_it_computes_in_the_dtype_of_what_it_reads(dtype: torch.dtype) -> None:
    module = QuantizedLinear(torch.nn.Linear(48, 20))
    x = torch.randn(3, 48, dtype=dtype, requires_grad=True)
    product = module(x)
    assert product.dtype == dtype
    product.sum().backward()
    assert x.grad is not None and x.grad.dtype == dtype


def test_mixed_precision_multiplies_in_16_bits() -> None:
    module = QuantizedLinear(torch.nn.Linear(48, 20))
    full = torch.nn.Linear(48, 20)
    full.weight, full.bias = torch.nn.Parameter(module.weight), module.bias
    x = torch.randn(3, 48, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        product, wanted = module(x), full(x)
    assert product.dtype == torch.bfloat16
    torch.testing.assert_close(product, wanted, rtol=2e-2, atol=2e-2)
    product.float().sum().backward()
    assert x.grad is not None and x.grad.dtype == torch.float32


def test_merging_is_refused_with_the_remedy() -> None:
    quantized, _ = pair()
    adapter = add_lora(quantized, LoRAConfig(r=2))
    for update in adapter.updates.values():
        torch.nn.init.normal_(update.B)
    tuned = logits(quantized)
    with pytest.raises(ValueError, match=r"4 bits a number.*dequantize_model"):
        adapter.merge()
    with pytest.raises(ValueError, match="4 bits a number"):
        adapter.remove(merged=True)
    assert not adapter.is_merged and torch.equal(logits(quantized), tuned)
    adapter.scale = 0.5
    adapter.scale = 1.0
    adapter.unmerge()
    assert torch.equal(logits(quantized), tuned)

    dequantize_model(quantized)
    torch.testing.assert_close(logits(quantized), tuned, rtol=0, atol=1e-6)
    adapter.merge()
    torch.testing.assert_close(logits(quantized), tuned, rtol=0, atol=1e-5)


def test_adapters_are_analyzed_on_it() -> None:
    quantized, full = pair()
    found = []
    for model in (quantized, full):
        adapter = add_lora(model, LoRAConfig(r=2, target_modules=("c_attn.v",)))
        for update in adapter.updates.values():
            torch.nn.init.ones_(update.B)
            torch.nn.init.eye_(update.A)
        found.append(
            (strengths(adapter), spectrum_of(adapter, "h.0.attn.c_attn.v").values.tolist())
        )
        assert weight_of(adapter, "h.1.attn.c_attn.v").shape == (16, 16)
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_on_a_matrix_stays_when_it_is_quantized(kind: dict[str, bool]) -> None:
    model, later = model_of(BIASED), model_of(BIASED)
    config = LoRAConfig(r=2, target_modules=("mlp.c_fc",), **kind)
    adapter = learned(model, config)
    bottlenecks = add_bottlenecks(model, 3)
    made = quantize_model(model)
    assert "h.0.mlp.c_fc.base" in made.names and "h.0.attn.c_proj.base" in made.names
    quantize_model(later)
    if not kind.get("dora"):  # whose lengths are those of the full matrix
        learned(later, config)
        assert torch.equal(logits(model), logits(later))
    adapter.remove()
    bottlenecks.remove()
    dequantize_model(model)
    assert not any("base" in name for name, _ in model.named_parameters())


def test_an_encoder_decoder_is_quantized_too() -> None:
    stack = BIASED
    model = EncoderDecoder(EncoderDecoderConfig(encoder=stack, decoder=stack))
    made = quantize_model(model, ("cross.c_kv", "encoder.h.0.mlp.c_fc"))
    assert made.names == (
        "encoder.h.0.mlp.c_fc", "decoder.h.0.cross.c_kv", "decoder.h.1.cross.c_kv"
    )  # fmt: skip
    assert model(IDS, IDS).isfinite().all()


def test_what_cannot_be_quantized_is_told_and_nothing_is() -> None:
    model = model_of(GROUPED)
    with pytest.raises(ValueError, match="a part of a matrix"):
        quantize_model(model, ("c_attn.q",))
    with pytest.raises(ValueError, match="wte is an embedding"):
        quantize_model(model, ("wte",))
    with pytest.raises(ValueError, match="did you mean"):
        quantize_model(model, ("attn.c_atn",))
    adapter = add_lora(model, LoRAConfig(r=2))
    adapter.merge()
    with pytest.raises(ValueError, match="unmerge it first"):
        quantize_model(model)
    adapter.remove()
    with torch.no_grad():
        model.h[1].mlp.c_fc.weight[0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"h\.1\.mlp\.c_fc: .*earlier checkpoint"):
        quantize_model(model)
    steps = quantize_model_steps(model)
    assert next(steps) == "h.0.attn.c_attn"
    steps.close()
    assert not any(isinstance(module, QuantizedLinear) for module in model.modules())
