"""TrainingConfig: a JSON round trip, and a remedy for everything that cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields import fields_of
from core.training import TrainingConfig
from core.transformer.config import ModelConfig
from tests.core.any_json import JSON
from tests.core.training.small import small_config


def test_json_round_trip(tmp_path: Path) -> None:
    config = small_config(tmp_path, betas=(0.8, 0.95), precision="bf16")
    assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_a_config_has_a_hash_whatever_its_task_is_told(tmp_path: Path) -> None:
    one, same = (small_config(tmp_path, settings={"ranks": [1, 2]}) for _ in range(2))
    assert hash(one) == hash(same) and one == same
    assert one != small_config(tmp_path)


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"steps": 0}, "whole number from 1 to 1,000,000,000, not 0"),
        ({"batch_size": 2.5}, "whole number"),
        ({"learning_rate": 0.0}, "above 0, not 0.0; 3e-4 to 3e-3 is usual"),
        ({"learning_rate": float("nan")}, "finite number above 0, not nan"),
        ({"min_learning_rate": 1.0}, "a tenth of it"),
        ({"betas": (0.9, 1.0)}, "0.9, 0.99"),
        ({"betas": "fast"}, "two numbers"),
        ({"clip": -1.0}, "finite number of at least 0, not -1.0"),
        ({"schedule": "exponential"}, "'cosine', 'constant'"),
        ({"optimizer": "adamax"}, "use 'sgd', 'momentum'"),
        ({"precision": "int8"}, "use 'fp32', 'tf32', 'bf16' or 'fp16'"),
        ({"loss_scale": 0.5}, "65536 is usual"),
        ({"loss_scale_growth_interval": 0}, "2000 is usual"),
        ({"repeated_fraction": 1.5}, "number from 0 to 1, not 1.5"),
        ({"corpus": ""}, "corpus is empty"),
        ({"sample_prompt": 3}, "must be text"),
        ({"stepz": 3}, "unknown field 'stepz'"),
    ],
)
def test_impossible_values_say_the_remedy(
    tmp_path: Path, changes: dict[str, object], remedy: str
) -> None:
    with pytest.raises(ValueError, match=remedy):
        small_config(tmp_path, **changes)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("[]", "JSON object"),
        ("{}", "incomplete: it lacks 'model'"),
        ('{"format": 99}', "update"),
        ('{"model": {"vocab_size": 5}}', "incomplete"),
        ('{"model": {}, "modle": {}}', "unknown field 'modle'"),
        ('{"model": 3}', r"model must be a JSON object \(ModelConfig\), not 3"),
    ],
)
def test_bad_files_say_what_is_wrong(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        TrainingConfig.from_json(json.loads(text))


@given(st.sampled_from(list(fields_of(TrainingConfig))), JSON)
def test_any_json_gives_a_config_or_an_error_that_names_the_field(name: str, value: Any) -> None:
    model = ModelConfig(vocab_size=64, block_size=32, n_layer=1, n_head=1, n_embd=8)
    values = TrainingConfig(model=model).to_json() | {name: value}
    try:
        config = TrainingConfig.from_json(values)
    except ValueError as error:
        assert name in str(error)
    else:
        assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_a_shape_that_cannot_be(tmp_path: Path) -> None:
    model = small_config(tmp_path).model.to_json() | {"n_embd": 10, "n_head": 3}
    with pytest.raises(ValueError, match="not divisible by n_head 3"):
        small_config(tmp_path, model=model)


def test_default_config_is_complete() -> None:
    model = ModelConfig(vocab_size=64, block_size=32, n_layer=1, n_head=1, n_embd=8)
    config = TrainingConfig(model=model)
    assert config.tokens_per_step == 16 * 32
    assert config.change({"steps": 5}).steps == 5
