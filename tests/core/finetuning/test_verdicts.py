"""The promises of an adapter hold where they hold, and a broken one is seen; nothing is changed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import core
from core.finetuning import check_identity, check_merge, generate_at_scales_steps
from core.finetuning.lora import Adapted, LoRAConfig, LowRank
from core.finetuning.quantization import quantize_model
from core.finetuning.scales import at_scales
from core.finetuning.verdicts import Verdict
from core.inference.sampling import Sampling
from tests.core.finetuning.models import BIASED, GROUPED, learned, logits, model_of

TEXT = [3, 1, 4, 1, 5, 9, 2]


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("kind", [{}, {"rslora": True}, {"dora": True}], ids=str)
def test_both_promises_hold_and_nothing_is_changed(kind: dict[str, Any], merged: bool) -> None:
    model = model_of(GROUPED)
    other = learned(model, LoRAConfig(r=3, target_modules=("mlp.c_fc",)))
    adapter = learned(model, LoRAConfig(r=2, target_modules=("all-linear",), **kind))
    other.scale, adapter.scale = 0.5, 0.7
    if merged:
        adapter.merge()
    before = (
        logits(model),
        {name: one.clone() for name, one in dict(adapter.named_parameters()).items()},
    )

    identity, merge = check_identity(adapter, TEXT), check_merge(adapter, TEXT)

    assert identity.holds and (identity.tolerance > 0) == ("dora" in kind)
    assert merge.holds and merge.compared == identity.compared == len(TEXT) * 50
    assert (adapter.scale, adapter.is_merged, other.scale) == (0.7, merged, 0.5)
    assert torch.equal(logits(model), before[0])
    assert all(
        torch.equal(one, before[1][name]) for name, one in dict(adapter.named_parameters()).items()
    )


def test_a_broken_promise_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = learned(model_of(BIASED), LoRAConfig(r=2))
    forward = LowRank.forward
    monkeypatch.setattr(LowRank, "forward", lambda self, x: forward(self, x) + 1e-3)
    assert not check_identity(adapter, TEXT).holds
    assert not check_merge(adapter, TEXT).holds
    assert not Verdict(math.nan, 1.0, 1).holds


def test_16_bits_are_compared_as_coarsely_as_they_are() -> None:
    model = model_of(GROUPED).to(torch.bfloat16)
    adapter = learned(model, LoRAConfig(r=2))
    assert check_identity(adapter, TEXT).difference == 0
    verdict = check_merge(adapter, TEXT)
    assert 0 < verdict.difference <= verdict.tolerance
    assert all(one.original is None for one in model.modules() if isinstance(one, Adapted))


def test_a_quantized_base_is_never_merged_into() -> None:
    model = model_of(GROUPED)
    quantize_model(model)
    adapter = learned(model, LoRAConfig(r=2))
    before = logits(model)
    assert check_identity(adapter, TEXT).holds
    with pytest.raises(ValueError, match="4 bits"):
        check_merge(adapter, TEXT)
    assert not adapter.is_merged and torch.equal(logits(model), before)


def test_an_encoder_decoder_is_tested_on_a_source_and_a_target() -> None:
    stack = core.ModelConfig(vocab_size=50, block_size=8, n_layer=1, n_head=2, n_embd=16)
    model = core.EncoderDecoder(core.EncoderDecoderConfig(encoder=stack, decoder=stack, end_id=1))
    adapter = core.add_lora(model, LoRAConfig(r=2, target_modules=("cross.c_kv", "c_attn.q")))
    assert check_identity(adapter, TEXT, [0, 4]).compared == 2 * 50
    assert check_merge(adapter, TEXT, [0, 4]).holds
    with pytest.raises(ValueError, match="target_ids"):
        check_merge(adapter, TEXT)
    adapter.remove()
    with pytest.raises(ValueError, match="was removed"):
        check_identity(adapter, TEXT, [0, 4])


def test_two_texts_are_written_in_turn_at_scales_of_their_own() -> None:
    model = model_of(BIASED)
    base = core.generate(model, TEXT, 6, seed=2)
    adapter = learned(model, LoRAConfig(r=2, target_modules=("all-linear",)))
    with torch.no_grad():
        for parameter in adapter.parameters():
            parameter.mul_(3)
    tuned = core.generate(model, TEXT, 6, seed=2)
    assert tuned != base
    texts = [
        generate_at_scales_steps(model, {adapter: scale}, TEXT, 6, Sampling(), seed=2)
        for scale in (0.0, 1.0)
    ]
    adapter.scale = 2.0
    written: list[list[int]] = [[], []]
    for pair in zip(*texts, strict=True):
        assert adapter.scale == 2.0
        for text, token in zip(written, pair, strict=True):
            text.append(token.id)
    assert written == [list(base)[-6:], list(tuned)[-6:]]


def test_merged_for_a_moment_an_adapter_writes_the_same_and_is_taken_out_again() -> None:
    model = model_of(BIASED)
    adapter = learned(model, LoRAConfig(r=2, target_modules=("all-linear",)))
    before = {name: one.clone() for name, one in model.state_dict().items()}
    beside, merged = (
        [*generate_at_scales_steps(model, {adapter: 2.0}, TEXT, 6, merged=merged)]
        for merged in (False, True)
    )
    assert [one.id for one in beside] == [one.id for one in merged]
    np.testing.assert_allclose(beside[-1].logits, merged[-1].logits, atol=1e-4)
    with at_scales({adapter: 2.0}, merged=True):
        assert adapter.is_merged and adapter.scale == 2.0
    assert not adapter.is_merged and adapter.scale == 1.0
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())
    adapter.merge()
    with at_scales({adapter: 0.5}, merged=True):
        assert adapter.is_merged and adapter.scale == 0.5
    assert adapter.is_merged and adapter.scale == 1.0
