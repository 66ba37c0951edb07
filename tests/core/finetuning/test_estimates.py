"""What a fine-tuning is said to take, against what a model made ready for it takes."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import core
from core.finetuning.estimates import FinetuningEstimate, estimate_finetuning
from core.finetuning.lora import LoRAConfig
from core.finetuning.methods import Tuning, prepare
from core.finetuning.pass_cost import work_of
from core.finetuning.settings import FINETUNING, FinetuningSettings
from core.finetuning.trainable_parameters import count, trainable_shapes
from core.training.config import TrainingConfig
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.presets import preset
from tests.core.training.estimates.peak_memory import peak_of

SMALL = ModelConfig(vocab_size=65, block_size=40, n_layer=3, n_head=4, n_embd=32, bias=False)
LLAMA: dict[str, Any] = {
    "positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "n_kv_head": 1, "tie_weights": False,
}  # fmt: skip
SWITCHES: list[dict[str, Any]] = [
    {"bias": True},
    {"mlp": "relu", "window": (None, 8)},
    {"dropout": 0.1, "norm_placement": "post"},
    {"n_kv_head": 2, "tie_weights": False},
    LLAMA,
]


def lora(*targets: str, **changes: Any) -> FinetuningSettings:
    given = LoRAConfig(r=4, target_modules=targets, **changes)
    return FinetuningSettings(lora=given, quantize="none")


FUSED = FinetuningSettings(lora=LoRAConfig())  # on every c_attn
METHODS = [
    lora("attn.c_attn"),
    lora("c_attn.q", "c_attn.v"),
    lora("c_proj"),
    lora("h.1.mlp.c_fc"),
    lora("all-linear", dora=True),
    lora("attn.c_attn", dropout=0.1),
    FinetuningSettings(method="full"),
    FinetuningSettings(method="last-layers", last_layers=2),
    FinetuningSettings(method="head"),
    FinetuningSettings(method="bitfit"),
    FinetuningSettings(method="bottleneck", bottleneck_width=8),
    FinetuningSettings(method="prompt", prompt_tokens=5),
]


def name_of(settings: FinetuningSettings) -> str:
    if settings.method != "lora":
        return settings.method
    return " ".join((*settings.lora.target_modules, "DoRA" * settings.lora.dora))


def ready(config: ModelConfig, settings: FinetuningSettings) -> Tuning:
    generator = torch.Generator().manual_seed(0)
    return prepare(GPT(config, generator).train(), settings, generator)


def batch(tuning: Tuning, vocab_size: int, sequences: int, tokens: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    ids, targets = torch.randint(vocab_size, (2, sequences, tokens), generator=generator)
    return tuning.batch(ids, targets)


def estimated(
    config: ModelConfig,
    settings: FinetuningSettings,
    sequences: int,
    tokens: int | None,
    **changes: Any,
) -> FinetuningEstimate:
    run = TrainingConfig(
        model=config,
        task=FINETUNING,
        settings=settings.to_json(),
        batch_size=sequences,
        **changes,
    )
    return estimate_finetuning(run, tokens=tokens)


@pytest.mark.parametrize("settings", METHODS, ids=name_of)
@pytest.mark.parametrize("changes", SWITCHES, ids=str)
def test_as_many_numbers_learn_as_are_told(
    changes: dict[str, Any], settings: FinetuningSettings
) -> None:
    config = replace(SMALL, **changes)
    learning = ready(config, settings).parameters.values()
    assert sorted(trainable_shapes(config, settings).values()) == sorted(
        tuple(one.shape) for one in learning
    )


def test_a_classifier_has_a_head_of_its_own() -> None:
    for method in ("lora", "head"):
        settings = FinetuningSettings(method=method, data="pets.jsonl", classes=("cat", "dog"))
        learning = ready(SMALL, settings).parameters.values()
        assert count(trainable_shapes(SMALL, settings)) == sum(one.numel() for one in learning)


def test_the_papers_counts_come_out() -> None:
    assert count(trainable_shapes(preset("gpt2"), FUSED)) == 294_912
    bitfit = FinetuningSettings(method="bitfit")
    assert count(trainable_shapes(preset("gpt2"), bitfit)) == 102_144
    queries_values = lora("c_attn.q", "c_attn.v")  # LoRA, section 1: 4.7M numbers at rank 1
    assert count(trainable_shapes(preset("gpt3-175b"), queries_values)) == 4_718_592 * 4


def kept_bytes(tuning: Tuning, ids: Tensor, targets: Tensor, precision: str) -> int:
    """Of all tensors that a forward pass saves and that are still there after it."""
    model = tuning.model
    assert isinstance(model, GPT)
    weights = {one.untyped_storage().data_ptr() for one in (*model.parameters(), *model.buffers())}
    saved = []

    def keep(tensor: Tensor) -> Tensor:
        own = tensor.detach()
        saved.append(weakref.ref(own))
        return own

    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"),
    ):
        loss, _ = model.loss(ids, targets)
    assert loss.requires_grad
    there = [tensor for reference in saved if (tensor := reference()) is not None]
    storages = {one.untyped_storage().data_ptr(): one.untyped_storage() for one in there}
    return sum(one.nbytes() for place, one in storages.items() if place not in weights)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("settings", METHODS, ids=name_of)
@pytest.mark.parametrize("changes", SWITCHES, ids=str)
def test_the_forward_pass_keeps_what_is_estimated(
    changes: dict[str, Any], settings: FinetuningSettings, precision: str
) -> None:
    config = replace(SMALL, **changes)
    tuning = ready(config, settings)
    ids, targets = batch(tuning, 65, 3, 30)
    work = work_of(
        config,
        trainable_shapes(config, settings),
        *ids.shape,
        precision=precision,
        dropout=settings.lora.dropout,
    )
    found = kept_bytes(tuning, ids, targets, precision)
    assert work.kept + work.loss == pytest.approx(found, rel=0.05)


SHAPES = {
    "wide": ModelConfig(vocab_size=300, block_size=64, n_layer=2, n_head=4, n_embd=128),
    "words": ModelConfig(vocab_size=9000, block_size=64, n_layer=2, n_head=4, n_embd=64),
    "llama": replace(SMALL, n_embd=96, n_inner=256, block_size=128, **LLAMA),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "settings",
    [
        lora("attn.c_attn"),
        lora("all-linear", dora=True),
        FinetuningSettings(method="full"),
        FinetuningSettings(method="last-layers"),
        FinetuningSettings(method="prompt"),
        FinetuningSettings(method="head", quantize="nf4"),
        FinetuningSettings(quantize="nf4"),
    ],
    ids=lambda settings: f"{name_of(settings)} {settings.quantize}",
)
def test_a_step_takes_the_memory_that_is_estimated(
    shape: str, settings: FinetuningSettings
) -> None:
    config, sequences, tokens = SHAPES[shape], 4, 40
    estimate = estimated(config, settings, sequences, tokens)
    tuning = ready(config, settings)
    model = tuning.model
    assert isinstance(model, GPT)
    optimizer = torch.optim.AdamW(tuning.parameters.values(), fused=True)
    ids, targets = batch(tuning, config.vocab_size, sequences, tokens)

    def step() -> None:
        loss, number = model.loss(ids, targets)
        (loss / number).backward()
        optimizer.step()
        optimizer.zero_grad()

    step()  # the first makes the optimizer's states
    tensors = {id(one): one for one in (*model.parameters(), *model.buffers())}
    weights = sum(one.nbytes for one in tensors.values())
    state = sum(one.nbytes for kept in optimizer.state.values() for one in kept.values())
    assert estimate.bytes_weights == weights
    assert estimate.bytes_optimizer == pytest.approx(state, rel=0.01)
    assert estimate.bytes_saved == sum(one.nbytes for one in tuning.state().values())
    assert estimate.bytes_peak == pytest.approx(weights + state + peak_of(step), rel=0.1)


def test_lora_on_gpt2_remembers_little_and_saves_a_small_file() -> None:
    config = preset("gpt2")
    narrow, full = (
        estimated(config, replace(FUSED, method=method), 8, 128) for method in ("lora", "full")
    )
    assert narrow.trainable == 294_912 and narrow.share < 0.0024
    assert narrow.bytes_optimizer < 0.02 * full.bytes_optimizer
    assert narrow.bytes_saved < 3e6
    assert narrow.bytes_peak < 0.6 * full.bytes_peak
    assert narrow.seconds < full.seconds and narrow.flops < 0.75 * full.flops


def test_what_a_run_is_told_to_do_changes_what_it_takes() -> None:
    config, settings = replace(SMALL, n_layer=12, n_embd=64), FUSED
    usual = estimated(config, settings, 8, 40)
    long = estimated(config, settings, 8, 40, steps=4000, evaluate_every=0, sample_every=0)
    assert long.seconds > usual.seconds and long.seconds_per_step == usual.seconds_per_step
    twice = estimated(config, settings, 8, 40, micro_batches=2)
    assert twice.seconds_per_step == 2 * usual.seconds_per_step
    assert estimated(config, settings, 8, 20).bytes_activations == usual.bytes_activations / 2
    again = estimated(config, settings, 8, 40, activation_checkpointing=True)
    assert again.bytes_activations < usual.bytes_activations / 2
    parts = estimated(config, settings, 8, 40, ranks=2, parallel="fsdp2")
    assert parts.bytes_weights == usual.bytes_weights // 2
    muon = estimated(config, settings, 8, 40, optimizer="muon")
    assert muon.bytes_optimizer == usual.bytes_optimizer // 2  # A and B are matrices
    quantized = estimated(config, replace(FUSED, quantize="nf4"), 8, 40)
    assert quantized.bytes_weights < 0.3 * usual.bytes_weights
    assert quantized.seconds_per_step > usual.seconds_per_step


def test_questions_are_shorter_than_other_texts_may_be() -> None:
    config = replace(SMALL, block_size=512)
    texts = FinetuningSettings(data="letters.txt", base_data="")
    questions = replace(texts, data="questions")
    asked, read = (estimated(config, one, 2, None) for one in (questions, texts))
    assert asked == estimated(config, questions, 2, 120)
    assert read == estimated(config, texts, 2, 256) == estimated(config, texts, 2, 1000)
    with_base = estimated(config, replace(questions, base_data="stories"), 2, None)
    assert with_base.seconds > asked.seconds  # to see what is forgotten takes time as well
    assert with_base.seconds_per_step == asked.seconds_per_step


def test_what_cannot_be_tuned_is_told_with_its_remedy() -> None:
    with pytest.raises(ValueError, match="use 1 to 3"):
        estimated(SMALL, FinetuningSettings(method="last-layers", last_layers=4), 1, 8)
    with pytest.raises(ValueError, match="use fewer"):
        estimated(SMALL, FinetuningSettings(method="prompt", prompt_tokens=40), 1, 8)
    with pytest.raises(ValueError, match="use 32 or less"):
        estimated(SMALL, FinetuningSettings(lora=LoRAConfig(r=33)), 1, 8)
    with pytest.raises(ValueError, match="core.finetuning_config"):
        core.estimate_finetuning(TrainingConfig(model=SMALL))
