"""The parameters that a config says, component by component, against those of the built model."""

import random
from typing import Any

import pytest

from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.parameters import (
    inner_matrices,
    parameter_count,
    parameter_shapes,
    parameters,
)


def some_config(seed: int) -> ModelConfig:
    """Any of the switches, at any small size."""
    rng = random.Random(seed)
    n_head = rng.choice((1, 2, 4))
    changes: dict[str, Any] = {
        "n_kv_head": rng.choice((None, 1)),
        "head_size": rng.choice((None, 6)),
        "n_inner": rng.choice((None, 13)),
        "bias": rng.random() < 0.5,
        "qkv_bias": rng.choice((None, False, True)),
        "qk_norm": rng.random() < 0.5,
        "norm": rng.choice(("layer_norm", "rms_norm")),
        "norm_placement": rng.choice(("pre", "post")),
        "positions": rng.choice(("learned", "sinusoidal", "rope")),
        "mlp": rng.choice(("relu", "gelu", "gelu_tanh", "swiglu")),
        "window": rng.choice((None, (None, 3))),
        "tie_weights": rng.random() < 0.5,
    }
    return ModelConfig(
        vocab_size=rng.randint(1, 40),
        block_size=rng.randint(1, 20),
        n_layer=rng.randint(1, 3),
        n_head=n_head,
        n_embd=n_head * rng.choice((2, 4, 8)),
        **changes,
    )


def component(name: str) -> str:
    """Which field of ParameterCount a parameter of this name belongs to."""
    for part, field in {
        "wte": "token_embedding", "wpe": "position_embedding", "_norm": "norms",
        "attn": "attention", "mlp": "mlp", "ln_": "norms", "lm_head": "output_head",
    }.items():  # fmt: skip
        if part in name:
            return field
    raise AssertionError(name)


@pytest.mark.parametrize("seed", range(60))
def test_every_component_has_as_many_parameters_as_the_built_model(seed: int) -> None:
    config = some_config(seed)
    named = list(GPT(config).named_parameters())
    found = parameters(config)
    counted = dict.fromkeys(type(found).__slots__, 0)
    for name, parameter in named:
        counted[component(name)] += parameter.numel()
    assert {name: getattr(found, name) for name in counted} == counted
    assert found.total == parameter_count(config) == sum(counted.values())


@pytest.mark.parametrize("seed", range(20))
def test_the_matrices_of_a_layer_are_those_of_the_built_model(seed: int) -> None:
    config = some_config(seed)
    built = [p for name, p in GPT(config).named_parameters() if name.startswith("h.0.")]
    matrices = [tuple(parameter.shape) for parameter in built if parameter.dim() == 2]
    assert sorted(inner_matrices(config)) == sorted(matrices)


@pytest.mark.parametrize("seed", range(60))
def test_every_parameter_has_the_name_and_the_shape_of_the_built_model(seed: int) -> None:
    config = some_config(seed)
    built = {name: tuple(p.shape) for name, p in GPT(config).named_parameters()}
    assert parameter_shapes(config) == built
