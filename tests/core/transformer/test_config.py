"""ModelConfig: what can be, what cannot be and what to do about it, and the papers' parameter
counts.
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields import fields_of
from core.transformer import PRESETS, ModelConfig, preset
from core.transformer.config import RopeScaling
from core.transformer.parameters import parameter_count
from tests.core.any_json import JSON

SMALL = {"vocab_size": 11, "block_size": 8, "n_layer": 2, "n_head": 2, "n_embd": 8}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_embd": 9}, "use n_embd 8 or 10"),
        ({"n_head": 0}, "n_head must be a whole number"),
        ({"n_layer": 1.5}, "n_layer must be a whole number"),
        ({"n_head": True}, "n_head must be a whole number"),
        ({"dropout": 1.0}, "of at least 0 and below 1, not 1.0; 0.0 to 0.3 is usual"),
        ({"norm_eps": 0.0}, "norm_eps"),
        ({"window": ()}, "empty"),
        ({"window": (None, 0)}, r"window\[1\] must be"),
        ({"norm": "batch_norm"}, "unknown; use 'layer_norm' or 'rms_norm'"),
        ({"positions": "fixed"}, "use 'learned', 'sinusoidal' or 'rope'"),
        ({"n_head": 4, "n_kv_head": 3}, "does not divide n_head 4; use 1 or 2 or 4"),
        ({"n_kv_head": 4}, "does not divide n_head 2"),
        ({"positions": "rope", "head_size": 3}, "use head_size 4"),
        ({"rope_base": 0.0}, "above 1, not 0.0; 10,000 is usual"),
        ({"rope_scaling": 2.0}, "rope_scaling"),
        ({"rope_scaling": RopeScaling()}, "belongs to positions 'rope'"),
        ({"norm_placement": "middle"}, "unknown"),
    ],
)
def test_an_impossible_config_says_the_remedy(changes, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig(**{**SMALL, **changes})


def test_a_gate_leaves_as_many_weights_as_there_are_without():
    """Shazeer 2020, section 3: three layers of 8/3 C instead of two of 4 C."""
    shape = {**SMALL, "n_embd": 12, "bias": False}
    assert ModelConfig(**shape).inner_width == 48
    assert ModelConfig(**shape, mlp="swiglu").inner_width == 32
    assert parameter_count(ModelConfig(**shape)) == parameter_count(
        ModelConfig(**shape, mlp="swiglu")
    )


def test_json_round_trip_keeps_every_field():
    config = ModelConfig(**SMALL, window=(None, 4), mlp="relu", norm_placement="post", bias=False)
    assert ModelConfig.from_json(config.to_json()) == config
    assert config.to_json()["architecture"] == "gpt"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "mamba"}, "architecture"),
        ({"format": 99}, "format 99, .* update"),
        ({"n_layers": 2}, "unknown field 'n_layers' in the model config"),
        ({"vocab_size": "many"}, "vocab_size"),
        ({"model_type": "mamba", "d_conv": 4}, "type 'mamba', made by another program, .* choose"),
        ({"architectures": ["X"]}, r"type \['X'\], made by another program"),
    ],
)
def test_a_foreign_config_file_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig.from_json({**ModelConfig(**SMALL).to_json(), **changes})
    with pytest.raises(ValueError, match="incomplete"):
        ModelConfig.from_json({"vocab_size": 3})


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": "x" * 9000},
        {"format": ["x"] * 9000},
        {"n_layer": "x" * 9000},
        {"n_embd": 10**4000},
        {"mlp": "x" * 9000},
        {"x" * 9000: 1},
        {str(number): 1 for number in range(9000)},
    ],
)
def test_a_refusal_quotes_no_more_than_a_person_reads(changes):
    with pytest.raises(ValueError) as told:
        ModelConfig.from_json({**ModelConfig(**SMALL).to_json(), **changes})
    assert len(str(told.value)) < 500


@given(st.sampled_from(list(fields_of(ModelConfig))), JSON)
def test_any_json_gives_a_config_or_an_error_that_names_the_field(name, value):
    values = ModelConfig(**SMALL).to_json() | {name: value}
    try:
        config = ModelConfig.from_json(values)
    except ValueError as error:
        assert name in str(error)
    else:
        assert ModelConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@given(JSON)
def test_any_json_instead_of_a_config_is_refused(value):
    with pytest.raises(ValueError, match="architecture|model config|^unknown field"):
        ModelConfig.from_json(value)


# Exact for GPT-1 and GPT-2; GPT-3 from the standard formula with V = 50,257, T = 2,048 and biases
# (13B with the width of 5120 that is built; the 5140 of the paper would give 12.95).
COUNTS = {
    "gpt1": 116_534_784,
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
}
BILLIONS = {
    "gpt3-125m": 0.1252, "gpt3-350m": 0.3559, "gpt3-760m": 0.7603, "gpt3-1.3b": 1.3157,
    "gpt3-2.7b": 2.6516, "gpt3-6.7b": 6.6584, "gpt3-13b": 12.8534, "gpt3-175b": 174.60,
}  # fmt: skip


@pytest.mark.parametrize("name", PRESETS)
def test_preset_has_the_papers_parameter_count(name):
    count = parameter_count(preset(name))
    if name in COUNTS:
        assert count == COUNTS[name]
    else:
        assert count / 1e9 == pytest.approx(BILLIONS[name], rel=5e-4)


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(ValueError, match="gpt2-medium"):
        preset("gpt5")
