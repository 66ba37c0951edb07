"""Costs by component: their sums are the published numbers, and those of the other estimates."""

from dataclasses import replace

import pytest

from core.training.estimates.activations import kept
from core.training.estimates.components import NAMES, components
from core.training.estimates.flops import flops_per_token
from core.transformer.cache import KeyValueCache
from core.transformer.config import ModelConfig
from core.transformer.parameters import parameter_count
from core.transformer.presets import ENCODER_DECODER_PRESETS, PRESETS, preset


def test_a_forward_pass_of_gpt2_takes_so_much_arithmetic():
    """transformer_sizing.ipynb of nanoGPT counts the same."""
    made = components(preset("gpt2"), 1024)
    assert sum(part.flops for part in made) == 291_648_307_200


def test_the_weights_of_gpt3_are_those_of_its_matrices():
    bare = replace(preset("gpt3-175b"), bias=False, tie_weights=False)
    made = {part.name: part.parameters for part in components(bare, 2048)}
    assert made["token_embedding"] == made["output_head"] == 617_558_016
    assert (made["attention"], made["mlp"]) == (57_982_058_496, 115_964_116_992)
    matrices = ("token_embedding", "attention", "mlp", "output_head")
    assert sum(made[name] for name in matrices) == 175_181_291_520


@pytest.mark.parametrize("name", PRESETS)
def test_the_parts_of_every_preset_add_up(name):
    config = preset(name)
    made = components(config, config.block_size)
    assert tuple(part.name for part in made) == NAMES
    assert sum(part.parameters for part in made) == parameter_count(config)
    assert sum(part.weights for part in made) == 4 * parameter_count(config)
    flops = sum(part.flops for part in made) * 3 / config.block_size
    assert flops == pytest.approx(flops_per_token(config), rel=1e-12)
    assert sum(part.activations for part in made) == kept(config, 1).total


def test_the_cache_is_as_large_as_the_real_one():
    import torch

    from core.transformer.gpt import GPT

    config = ModelConfig(
        vocab_size=5, block_size=256, n_layer=2, n_head=4, n_kv_head=2, n_embd=16, positions="rope"
    )
    cache = KeyValueCache(config)
    with torch.no_grad():
        GPT(config)(torch.zeros(1, 256, dtype=torch.long), cache=cache)
    assert sum(part.cache for part in components(config, 256)) == cache.bytes
    short = components(replace(config, window=(None, 16)), 256)
    assert sum(part.cache for part in short) == cache.bytes // 2 * (1 + 16 / 256)


@pytest.mark.parametrize("name", ENCODER_DECODER_PRESETS)
def test_an_encoder_decoder_has_the_costs_of_both_stacks(name):
    config = preset(name)
    made = components(config, 100)
    assert sum(part.parameters for part in made) == parameter_count(config)
    decoder = {part.name: part for part in components(config.decoder, 100)}
    both = {part.name: part for part in made}
    assert both["attention"].flops == 3 * decoder["attention"].flops  # one of them crosses
    assert both["mlp"].flops == 2 * decoder["mlp"].flops
    assert both["attention"].cache == 2 * decoder["attention"].cache
