"""Adapters: they begin as nothing, are merged without a trace, and are taken off again."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from core.finetuning.adapter import adapters_of, add_lora
from core.finetuning.lora import Adapted, LoRAConfig
from core.transformer.config import ModelConfig
from tests.core.finetuning.models import BIASED, GROUPED, learned, logits, model_of

KINDS = [{}, {"rslora": True}, {"dora": True}]
TARGETS = [
    ("attn.c_attn",),
    ("c_attn.q", "c_attn.v"),
    ("c_proj",),
    ("mlp.c_fc", "c_attn.k"),
    ("all-linear",),
]


@pytest.mark.parametrize("shape", [BIASED, GROUPED])
@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_is_nothing_at_first_and_can_be_merged(
    shape: ModelConfig, targets: tuple[str, ...], kind: dict[str, bool]
) -> None:
    model = model_of(shape)
    base = logits(model)
    at_first = add_lora(model, LoRAConfig(r=2, target_modules=targets, **kind))
    torch.testing.assert_close(logits(model), base, rtol=0, atol=1e-6 if kind.get("dora") else 0)
    at_first.remove()

    adapter = learned(model, LoRAConfig(r=2, target_modules=targets, **kind))
    tuned = logits(model)
    assert (tuned - base).abs().max() > 1e-2
    adapter.merge()
    torch.testing.assert_close(logits(model), tuned, rtol=0, atol=1e-5)
    adapter.unmerge()
    assert torch.equal(logits(model), tuned)
    adapter.scale = 0
    assert torch.equal(logits(model), base)
    adapter.scale = 0.5
    half = logits(model)
    adapter.merge()
    torch.testing.assert_close(logits(model), half, rtol=0, atol=1e-5)
    adapter.remove()
    assert torch.equal(logits(model), base)
    assert adapters_of(model) == []


def test_two_adapters_add_up_and_blend_into_one() -> None:
    model = model_of(GROUPED)
    first = learned(model, LoRAConfig(r=2, target_modules=("c_attn.q", "mlp.c_fc")))
    second = learned(model, LoRAConfig(r=3, alpha=5, rslora=True, target_modules=("mlp.c_fc",)))
    assert adapters_of(model) == [first, second]
    first.scale, second.scale = 0.7, 0.3
    wanted = logits(model)
    first.scale = second.scale = 1
    first.blend(second, 0.3)
    assert adapters_of(model) == [first]
    torch.testing.assert_close(logits(model), wanted, rtol=0, atol=1e-5)
    first.remove(merged=True)
    torch.testing.assert_close(logits(model), wanted, rtol=0, atol=1e-5)
    assert not any("base" in name for name, _ in model.named_parameters())


@pytest.mark.parametrize("is_merged", [False, True])
def test_what_is_left_in_the_matrices_stays_whatever_another_adapter_does(is_merged: bool) -> None:
    model = model_of(GROUPED)
    first = learned(model, LoRAConfig(r=2, target_modules=("attn.c_attn",)))
    second = learned(model, LoRAConfig(r=3, target_modules=("c_attn.v", "mlp.c_fc")))
    wanted = logits(model)
    if is_merged:
        second.merge()
    first.remove(merged=True)
    second.merge()
    torch.testing.assert_close(logits(model), wanted, rtol=0, atol=1e-5)
    second.unmerge()
    torch.testing.assert_close(logits(model), wanted, rtol=0, atol=1e-5)


def test_lengths_that_dora_has_learned_keep_their_matrix() -> None:
    model = model_of(GROUPED)
    first = learned(model, LoRAConfig(r=2))
    learned(model, LoRAConfig(r=2, dora=True))
    before = logits(model)
    with pytest.raises(
        ValueError, match=r"h\.0\.attn\.c_attn \(DoRA\) .* remove that adapter first"
    ):
        first.remove(merged=True)
    assert torch.equal(logits(model), before)


def test_a_merge_that_fails_half_way_leaves_the_model_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of(GROUPED)
    adapter = learned(model, LoRAConfig(r=2))
    before, sums = logits(model), Adapted._sum
    without_memory = model.get_submodule("h.1.attn.c_attn")

    def failing(self: Adapted, *given: Any) -> Tensor:
        if self is without_memory:
            raise MemoryError
        return sums(self, *given)

    monkeypatch.setattr(Adapted, "_sum", failing)
    with pytest.raises(MemoryError):
        adapter.merge()
    monkeypatch.undo()
    assert not adapter.is_merged
    assert torch.equal(logits(model), before)


def test_adapters_are_told_in_the_order_in_which_they_came() -> None:
    model = model_of(GROUPED)
    names = ["mlp.c_fc", "c_attn.q", "attn.c_proj", "c_attn.v"]
    added = [add_lora(model, LoRAConfig(r=2, target_modules=(name,))) for name in names]
    assert adapters_of(model) == added
    added[1].remove()
    newest = add_lora(model, LoRAConfig(r=2))
    assert adapters_of(model) == [added[0], *added[2:], newest]


def test_what_cannot_be_is_told_with_its_remedy() -> None:
    model = model_of(BIASED)
    with pytest.raises(ValueError, match="did you mean 'attn.c_attn'"):
        add_lora(model, LoRAConfig(target_modules=("attn.c_atn",)))
    with pytest.raises(ValueError, match="one matrix in this model"):
        add_lora(model, LoRAConfig(target_modules=("lm_head",)))
    with pytest.raises(ValueError, match="use 16 or less"):
        add_lora(model, LoRAConfig(r=17))
    assert all(parameter.requires_grad for parameter in model.parameters())
