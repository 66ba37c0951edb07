"""Weights, gradients, states and activations: the papers' own numbers."""

from dataclasses import replace

import pytest
import torch

from core.optimization import OPTIMIZERS
from core.training.config import TrainingConfig
from core.training.estimates.memory import (
    activations,
    layer_activations,
    model_state,
    numbers_remembered,
    shard,
)
from core.training.optimizers import build_optimizer, state_names
from core.transformer import ModelConfig, preset
from core.transformer.gpt import GPT

PSI = 7_500_000_000  # parameters of the ZeRO paper's example
TINY = ModelConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=8)


@pytest.mark.parametrize("layout", ["mixed", "fp32", "autocast"])
def test_adam_takes_sixteen_bytes_a_parameter(layout: str) -> None:
    assert model_state(1, 2, layout).total == 16


def test_the_parts_of_mixed_precision_are_those_of_the_paper() -> None:
    state = model_state(1, 2)
    assert (state.weights, state.gradients, state.optimizer, state.master) == (2, 2, 8, 4)
    assert model_state(1, 0, "fp32").total == 8  # SGD
    assert model_state(1, 1, "fp32").total == 12  # momentum


@pytest.mark.parametrize(
    ("stage", "gigabytes"), [(0, 120.0), (1, 31.40625), (2, 16.640625), (3, 1.875)]
)
def test_zero_shards_as_in_figure_1_of_its_paper(stage: int, gigabytes: float) -> None:
    """7.5 billion parameters on 64 devices: 120, 31.4, 16.6 and 1.9 GB."""
    whole = model_state(PSI, 2 * PSI)
    assert shard(whole, stage, 64).total == gigabytes * 1e9
    assert shard(whole, stage, 1) == whole


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_remembers_as_many_numbers_as_it_does(name: str) -> None:
    model = GPT(TINY)
    groups = [{"params": list(model.parameters())}]
    built = build_optimizer(TrainingConfig(model=TINY, optimizer=name), model, groups, 0.01)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    built.step()
    kept = sum(
        built.state[parameter][key].numel()
        for group in built.param_groups
        for parameter in group["params"]
        for key in state_names(built, group)
        if key != "step"
    )
    assert numbers_remembered(TINY, name) == kept


@pytest.mark.parametrize(("recompute", "factor"), [("none", 114), ("selective", 34), ("full", 2)])
def test_activations_of_gpt_3_are_those_of_the_paper(recompute: str, factor: int) -> None:
    """A layer at 2,048 tokens: 2.87, 0.86 and 0.05 GB."""
    gpt3 = preset("gpt3-175b")
    found = layer_activations(gpt3, 1, recompute)
    assert found == factor * 2048 * 12_288
    assert round(found / 1e9, 2) == {114: 2.87, 34: 0.86, 2: 0.05}[factor]
    around = 2048 * (5 * 12_288 + 4 * 50_257)
    assert activations(gpt3, 1, recompute) == 96 * found + around
    assert activations(gpt3, 3, recompute) == 3 * activations(gpt3, 1, recompute)


def test_a_number_of_four_bytes_takes_twice_as_much_and_a_mask_does_not() -> None:
    model = replace(TINY, n_embd=8, block_size=8)
    # 34 = 16 numbers and 2 bytes of masks; 5 a s / h: 2 numbers and a byte
    assert layer_activations(model, 1, "selective", item=4) == 8 * 8 * (16 * 4 + 2)
    assert layer_activations(model, 1, "none", item=4) == 8 * 8 * (16 * 4 + 2 + 9 * 2)


@pytest.mark.parametrize(
    ("call", "remedy"),
    [
        (lambda: model_state(1, 2, "fp12"), "use fp32 or autocast or mixed"),
        (lambda: shard(model_state(1, 2), 4, 2), "use 0 .none., 1, 2 or 3"),
        (lambda: shard(model_state(1, 2), 1, 0), "at least 1"),
        (lambda: activations(TINY, 1, "some"), "none or selective or full"),
        (lambda: numbers_remembered(TINY, "adamx"), "unknown"),
    ],
)
def test_what_cannot_be_says_the_remedy(call, remedy) -> None:
    with pytest.raises(ValueError, match=remedy):
        call()
