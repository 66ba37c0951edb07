"""Folders of transformers: in pieces, without a head, with what is left over, and broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.tensor_files import read_tensors, write_tensors
from core.transformer.config import ModelConfig
from core.transformer.foreign.families import GPT2, LLAMA, QWEN2
from core.transformer.foreign.reading import look_at_folder, read_foreign
from core.transformer.foreign.settings import nearest_family
from core.transformer.foreign.writing import write_foreign
from core.transformer.gpt import GPT

SHAPE: dict[str, Any] = {"vocab_size": 11, "block_size": 16, "n_layer": 2, "n_head": 2, "n_embd": 8}
AS_GPT2 = ModelConfig(**SHAPE)
AS_LLAMA = ModelConfig(
    **SHAPE, bias=False, norm="rms_norm", positions="rope", mlp="swiglu", tie_weights=False
)
FILE, INDEX = "model.safetensors", "model.safetensors.index.json"


def build(config: ModelConfig) -> GPT:
    model = GPT(config, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0.0, 0.1, generator=torch.Generator().manual_seed(1))
    return model


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    write_foreign(build(AS_LLAMA), tmp_path / "model")
    return tmp_path / "model"


def same(folder: Path, config: ModelConfig) -> bool:
    ids = torch.arange(10)[None]
    with torch.no_grad():
        found = read_foreign(look_at_folder(folder))(ids)
        return torch.equal(found, build(config)(ids))


def change_settings(folder: Path, changes: dict[str, Any]) -> None:
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, **changes}))


def change_tensors(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    tensors = read_tensors(folder / FILE, framework="torch")
    write_tensors(folder / FILE, change(tensors) or tensors)


def cut_in_shards(folder: Path) -> dict[str, Any]:
    """As large models lie there: two files, and an index."""
    tensors = read_tensors(folder / FILE, framework="torch")
    names = sorted(tensors)
    placed: dict[str, Any] = {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        file = f"model-{number:05}-of-00002.safetensors"
        write_tensors(folder / file, {name: tensors[name] for name in part})
        placed |= dict.fromkeys(part, file)
    (folder / FILE).unlink()
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": placed}))
    return placed


@pytest.mark.parametrize("config", [AS_GPT2, replace(AS_GPT2, bias=False), AS_LLAMA])
def test_what_was_written_computes_the_same(tmp_path: Path, config: ModelConfig) -> None:
    write_foreign(build(config), tmp_path)
    assert same(tmp_path, config)


def test_a_model_in_several_files_is_put_together(llama: Path) -> None:
    cut_in_shards(llama)
    assert same(llama, AS_LLAMA)


@pytest.mark.parametrize("config", [AS_GPT2, AS_LLAMA])
def test_a_bare_model_whose_names_have_no_prefix_is_the_same(
    tmp_path: Path, config: ModelConfig
) -> None:
    write_foreign(build(config), tmp_path)
    prefix = nearest_family(config).json_names.prefix
    change_tensors(
        tmp_path, lambda t: {name.removeprefix(prefix): value for name, value in t.items()}
    )
    assert same(tmp_path, config)


def tied(tensors: dict[str, Any]) -> torch.Tensor:
    return tensors["transformer.wte.weight"].clone()


def test_masks_and_tied_heads_and_old_tables_are_no_surprise(tmp_path: Path, llama: Path) -> None:
    write_foreign(build(AS_GPT2), tmp_path)
    more = {
        "transformer.h.0.attn.bias": torch.ones(1, 1, 16, 16),
        "transformer.h.1.attn.masked_bias": torch.tensor(-1e4),
    }
    change_tensors(tmp_path, lambda tensors: {**tensors, **more, "lm_head.weight": tied(tensors)})
    assert same(tmp_path, AS_GPT2)
    more = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(2)}
    change_tensors(llama, lambda tensors: {**tensors, **more})
    assert same(llama, AS_LLAMA)


def test_every_tensor_that_does_not_fit_is_told(llama: Path) -> None:
    def change(tensors: dict[str, Any]) -> None:
        del tensors["lm_head.weight"]
        tensors["score.weight"] = torch.ones(2, 8)
        tensors["model.norm.weight"] = torch.ones(9)

    change_tensors(llama, change)
    said = r"missing 'lm_head.weight'; not expected 'score.weight'; misshaped 'model.norm.weight' "
    with pytest.raises(ValueError, match=said + r"\(9,\), not \(8,\)\. Get all"):
        look_at_folder(llama)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "mamba"}, r"'mamba'.*gpt2, llama, qwen2, qwen3 can .*choose one of those"),
        ({"model_type": None}, "gpt2, llama"),
        ({"model_type": ["llama"]}, "gpt2, llama"),
        ({"hidden_act": "gelu"}, "hidden_act 'gelu', which is not computed here; 'silu'"),
        ({"quantization_config": {"bits": 4}}, "quantization_config .* is not computed"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "by 'yarn', which is not comp"),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, "low_freq_factor"),
        ({"rope_scaling": [1]}, "rotary positions wrongly: get"),
        ({"rope_parameters": {"rope_theta": "x"}}, "rope_base"),
        ({"partial_rotary_factor": 0.5}, "a part of each head"),
        ({"hidden_size": None}, "does not say 'hidden_size': get"),
        ({"hidden_size": 8.5}, "n_embd"),
        ({"hidden_size": 1 << 70}, "n_embd"),
        ({"num_hidden_layers": 5000}, "21 tensors, its settings ask for 5,000 layers"),
        ({"num_hidden_layers": 1}, "not expected 'model.layers.1"),
        ({"vocab_size": 1 << 24}, r"misshaped .* not \(16777216, 8\)"),
        ({"num_attention_heads": 0}, "n_head"),
        ({"attention_bias": True}, "missing 'model.layers.0.self_attn.k_proj.bias'"),
        ({"num_key_value_heads": 7}, "n_kv_head 7"),
        ({"is_causal": False}, "is_causal False, which is not computed here; True is: choose"),
        ({"attention_bias": float("nan")}, "attention_bias nan, not true or false: get"),
        ({"mlp_bias": {}}, "mlp_bias {}, not true or false: get"),
        ({"mlp_bias": 1}, "mlp_bias 1, not true or false: get"),
        ({"rope_parameters": {"full_attention": {"rope_theta": 5.0}}}, "positions wrongly: get"),
        ({"rope_parameters": {"rope_type": "default"}, "rope_scaling": {"type": "yarn"}}, "yarn"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    llama: Path, changes: dict[str, Any], message: str
) -> None:
    change_settings(llama, changes)
    with pytest.raises(ValueError, match=message):
        look_at_folder(llama)


def test_settings_that_gpt2_alone_has_are_refused(tmp_path: Path) -> None:
    write_foreign(build(AS_GPT2), tmp_path)
    for key, value in (
        *(("activation_function", "silu"), ("scale_attn_weights", False), ("is_causal", False)),
    ):
        change_settings(tmp_path, {key: value})
        with pytest.raises(ValueError, match=f"{key} .* is not computed here"):
            look_at_folder(tmp_path)
        change_settings(tmp_path, {key: None})


@pytest.mark.parametrize(
    "layers", [{"layer_types": ["x", "y"]}, {"layer_types": 3}, {"max_window_layers": "x"}]
)
def test_windows_that_cannot_be_are_refused(tmp_path: Path, layers: dict[str, Any]) -> None:
    config = replace(AS_LLAMA, qkv_bias=True)
    assert nearest_family(config) is QWEN2
    write_foreign(build(config), tmp_path)
    change_settings(tmp_path, {"use_sliding_window": True, "sliding_window": 4, **layers})
    with pytest.raises(ValueError, match="get the file again"):
        look_at_folder(tmp_path)
    change_settings(tmp_path, {"layer_types": ["full_attention", "sliding_attention"]})
    assert look_at_folder(tmp_path).description.config.window == (None, 4)
    change_settings(tmp_path, {"sliding_window": -1})
    with pytest.raises(ValueError, match="window"):
        look_at_folder(tmp_path)


@pytest.mark.parametrize("content", ["[]", "3", "{", '{"model_type": 1e400}', ""])
def test_a_config_that_is_none_is_refused(llama: Path, content: str) -> None:
    (llama / "config.json").write_text(content)
    with pytest.raises(ValueError):
        look_at_folder(llama)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda placed: placed.clear(), "holds 0 tensors, its settings ask for 2 layers"),
        (lambda placed: placed.update({"x": "../model.safetensors"}), "does not say in which"),
        (lambda placed: placed.update({"x": 3}), "does not say in which"),
        (lambda placed: placed.update({"x": "a.safetensors"}), "lacks 'a.safetensors'"),
        (
            lambda p: p.update({"x": "model-00001-of-00002.safetensors"}),
            "promises 'x', in none of its",
        ),
        (lambda placed: placed.pop("lm_head.weight"), "'lm_head.weight', which .* does not place"),
        (lambda placed: placed.update({f"{n}": f"{n}.safetensors" for n in range(2000)}), "2,002"),
    ],
)
def test_an_index_that_does_not_fit_its_files_is_refused(
    llama: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    placed = cut_in_shards(llama)
    change(placed)
    (llama / INDEX).write_text(json.dumps({"weight_map": placed}))
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        look_at_folder(llama)
    (llama / INDEX).write_text("[]")
    with pytest.raises(ValueError, match="does not say in which files"):
        look_at_folder(llama)


def test_weights_that_are_no_floats_or_no_numbers_are_refused(llama: Path) -> None:
    change_tensors(llama, lambda t: {**t, "model.norm.weight": torch.full((8,), torch.nan)})
    with pytest.raises(ValueError, match=r"8 of the 8 numbers of ln_f\.weight are NaN"):
        read_foreign(look_at_folder(llama))
    change_tensors(llama, lambda t: {**t, "model.norm.weight": torch.ones(8, dtype=torch.int8)})
    with pytest.raises(ValueError, match="'model.norm.weight' is of the type 'I8'.*convert"):
        look_at_folder(llama)


def test_weights_with_which_nothing_can_be_computed_are_refused(llama: Path) -> None:
    change_tensors(llama, lambda t: {**t, "model.norm.weight": torch.full((8,), -3e38)})
    with pytest.raises(
        ValueError, match=r"ln_f\.weight reach 3\.0e\+38; beyond .* overflows\. Take"
    ):
        read_foreign(look_at_folder(llama))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_weights_of_other_widths_are_read(llama: Path, dtype: torch.dtype) -> None:
    change_tensors(llama, lambda t: {name: value.to(dtype) for name, value in t.items()})
    found = read_foreign(look_at_folder(llama))
    for (name, ours), theirs in zip(
        found.named_parameters(), build(AS_LLAMA).parameters(), strict=True
    ):
        assert torch.equal(ours, theirs.to(dtype).float()), name


def test_tensors_are_read_a_few_rows_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.transformer.foreign.reading.CHUNK", 9)
    for config in (AS_GPT2, AS_LLAMA):
        write_foreign(build(config), tmp_path / config.norm)
        assert same(tmp_path / config.norm, config)


def test_biases_that_a_family_lacks_must_be_zero_to_be_left_out(tmp_path: Path) -> None:
    config = replace(AS_LLAMA, bias=True, qk_norm=True)  # Qwen 3 has none in its MLP
    with pytest.raises(ValueError, match=r"no h\.0\.mlp\.c_\w+\.bias in Qwen3ForCausalLM"):
        write_foreign(build(config), tmp_path / "model")
    assert not (tmp_path / "model").exists()
    model = build(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "mlp" in name and name.endswith("bias"):
                parameter.zero_()
    write_foreign(model, tmp_path / "model")
    ids = torch.arange(10)[None]
    with torch.no_grad():
        found = read_foreign(look_at_folder(tmp_path / "model"))(ids)
        torch.testing.assert_close(found, model(ids), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (replace(AS_GPT2, norm_placement="post"), "norm_placement 'post'"),
        (replace(AS_GPT2, positions="sinusoidal"), "positions 'sinusoidal'"),
        (replace(AS_GPT2, mlp="swiglu"), "mlp 'swiglu'"),
        (replace(AS_GPT2, n_kv_head=1), "n_kv_head 1"),
        (replace(AS_GPT2, head_size=3), "head_size 3"),
        (replace(AS_GPT2, window=(3,)), r"window \(3,\)"),
        (replace(AS_GPT2, embedding_scale=True), "embedding_scale True"),
        (replace(AS_LLAMA, norm="layer_norm"), "norm 'layer_norm'"),
        (replace(AS_LLAMA, mlp="relu"), "mlp 'relu'"),
    ],
)
def test_a_model_like_none_of_the_families_is_not_written(config: ModelConfig, told: str) -> None:
    with pytest.raises(ValueError, match=f"no class for this model.*{told}.*export a model like"):
        nearest_family(config)


def test_each_family_takes_its_own() -> None:
    assert nearest_family(AS_GPT2) is GPT2
    assert nearest_family(replace(AS_LLAMA, n_kv_head=1, head_size=6)) is LLAMA
