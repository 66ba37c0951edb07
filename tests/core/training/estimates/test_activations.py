"""What the model keeps, byte for byte, and how much memory a step takes, against what it does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from core.training.estimates.activations import kept, step_memory
from core.training.estimates.memory import numbers_remembered
from core.training.language_modelling import LanguageModelling
from core.training.loop import train_steps
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.parameters import parameter_count
from tests.core.training.estimates.peak_memory import peak_of, step_of, step_peak
from tests.core.training.small import small_config

NANO = ModelConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, n_embd=128, bias=False)
SMALL = replace(NANO, block_size=40, n_layer=2, n_embd=32)

SWITCHES: list[dict[str, Any]] = [
    {},
    {"positions": "rope"},
    {"norm": "rms_norm"},
    {"mlp": "swiglu"},
    {"mlp": "relu"},
    {"n_kv_head": 2},
    {"dropout": 0.1},
    {"window": (None, 8)},
    {"norm_placement": "post"},
    {"tie_weights": False},
    {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "n_kv_head": 1},
]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("changes", SWITCHES, ids=str)
def test_the_forward_pass_keeps_what_is_estimated(changes: dict[str, Any], precision: str) -> None:
    config, sequences, stored = replace(SMALL, **changes), 3, {}
    model = GPT(config)
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    alive = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            stored[storage.data_ptr()] = storage.nbytes()
        alive.append(tensor)
        return tensor

    ids = torch.zeros(sequences, config.block_size, dtype=torch.long)
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"),
    ):
        model.loss(ids, ids)
    found = kept(config, sequences, precision)
    assert found.total == pytest.approx(sum(stored.values()), rel=0.005)


SIZES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    # activations, parameters and attention weights are the largest part
    ({"n_layer": 4, "n_head": 4, "n_embd": 128, "block_size": 64}, {"batch_size": 12}, "fp32"),
    ({"n_layer": 6, "n_head": 4, "n_embd": 256, "block_size": 32}, {"batch_size": 2}, "fp32"),
    ({"n_layer": 2, "n_head": 8, "n_embd": 64, "block_size": 256}, {"batch_size": 4}, "bf16"),
    ({"n_layer": 2, "n_head": 2, "n_embd": 128, "block_size": 64},
     {"batch_size": 4, "micro_batches": 3}, "fp32"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "changes", "precision"), SIZES)
def test_a_step_of_the_loop_takes_the_memory_that_is_estimated(
    tmp_path: Path, shape: dict[str, Any], changes: dict[str, Any], precision: str
) -> None:
    config = small_config(
        tmp_path,
        model=ModelConfig(vocab_size=1, **shape),
        precision=precision,
        **changes,
        steps=3,
        sample_every=0,
        probe_every=0,
        evaluate_every=0,
        checkpoint_every=0,
    )
    task = LanguageModelling(config, tmp_path / "cache")
    moments = train_steps(config, tmp_path / "run", False, task)

    def one_step() -> None:
        next(moment for moment in moments if moment.phase == "schedule")

    one_step()  # the first makes the optimizer's states
    peak = peak_of(one_step)
    moments.close()
    model = task.model_config
    remembered = numbers_remembered(model, "adamw")
    found = step_memory(
        model,
        config.batch_size,
        remembered,
        config.precision,
        micro_batches=config.micro_batches,
    )
    before = 4 * (parameter_count(model) + remembered)
    assert peak + before == pytest.approx(max(found.values()), rel=0.1)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_large_vocabulary_has_its_own_peak(precision: str) -> None:
    """The head's table and the probabilities of 20,000 pieces are most of it."""
    config = replace(NANO, vocab_size=20_000, n_layer=2, n_embd=64)
    found = step_memory(config, 2, 2 * parameter_count(config), precision)
    assert step_peak(GPT(config), 2, precision) == pytest.approx(max(found.values()), rel=0.05)


def test_recomputed_blocks_keep_their_input_alone() -> None:
    model, remembered = GPT(NANO), 2 * parameter_count(NANO)
    for block in model.blocks:
        forward = block.forward
        block.forward = lambda *given, f=forward: checkpoint(f, *given, use_reentrant=False)  # type: ignore[method-assign,misc]
    found = max(step_memory(NANO, 12, remembered, recompute=True).values())
    assert step_peak(model, 12, "fp32") == pytest.approx(found, rel=0.1)
    assert found < 0.6 * max(step_memory(NANO, 12, remembered).values())


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    ("config", "sequences"),
    [
        (replace(NANO, n_embd=256, block_size=256), 32),
        (replace(NANO, n_embd=768, n_head=12, n_layer=6), 4),
        (replace(NANO, vocab_size=50_257, n_embd=384, n_head=6, block_size=512), 8),
    ],
)
def test_a_step_on_a_gpu_takes_the_memory_that_is_estimated(
    config: ModelConfig, sequences: int, precision: str
) -> None:
    model = GPT(config).to("cuda")
    step = step_of(model, sequences, precision, "cuda")
    step()
    step()
    count = sum(parameter.numel() for parameter in model.parameters())
    found = step_memory(config, sequences, 2 * count, precision, "cuda")
    # Of the libraries: cuBLAS keeps a workspace.
    others = torch.cuda.memory_allocated() - 12 * count
    torch.cuda.reset_peak_memory_stats()
    step()
    peak = torch.cuda.max_memory_allocated() - others
    assert peak == pytest.approx(max(found.values()), rel=0.1)
