"""GGUF models, written by the gguf package as llama.cpp's converter does: they compute what the
model of transformers does that they were made of.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.gguf import open_gguf
from core.transformer.foreign.reading import apart, look_at_gguf, read_foreign
from core.transformer.foreign.settings import describe_gguf
from tests.core.gguf_files import gguf
from tests.core.transformer.foreign.peers import VOCABULARY, random_model, random_shape

KINDS = ("gpt2", "llama", "qwen2", "qwen3")


def together(weights: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp's `permute`: rows 0 and D / 2 of each head, then 1 and D / 2 + 1, ..."""
    half = weights.shape[0] // heads // 2
    return weights.reshape(heads, 2, half, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def rope_factors(base: float, size: int, scaling: dict[str, Any]) -> np.ndarray:
    """As llama.cpp's converter writes them for Llama 3."""
    context, low, high = (
        scaling[key]
        for key in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor")
    )
    found = []
    for pair in range(0, size, 2):
        wavelength = 2 * math.pi * base ** (pair / size)
        smooth = (context / wavelength - low) / (high - low)
        if wavelength < context / high:
            found.append(1.0)
        elif wavelength > context / low:
            found.append(scaling["factor"])
        else:
            found.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    return np.array(found, np.float32)


def write_gguf(path: Path, kind: str, model: Any) -> None:
    """A model of transformers in F32."""
    library = pytest.importorskip("gguf")
    config = model.config
    writer = library.GGUFWriter(path, kind)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    heads = {"q_proj": config.num_attention_heads}
    tensors = {name: t.detach().numpy() for name, t in model.named_parameters()}
    if kind == "gpt2":
        writer.add_feed_forward_length(config.n_inner or 4 * config.n_embd)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    else:
        heads["k_proj"] = config.num_key_value_heads
        rope = config.rope_parameters
        size = model.model.layers[0].self_attn.head_dim
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(rope["rope_theta"])
        writer.add_rope_dimension_count(size)
        writer.add_key_length(size)
        writer.add_value_length(size)
        if rope["rope_type"] == "llama3":
            factors = rope_factors(rope["rope_theta"], size, rope)
            writer.add_tensor("rope_freqs.weight", factors)
    names = library.get_tensor_name_map(
        next(arch for arch, name in library.MODEL_ARCH_NAMES.items() if name == kind),
        config.num_hidden_layers,
    )
    for name, tensor in tensors.items():
        if name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            tensor = np.ascontiguousarray(tensor.T)
        for part, count in heads.items():
            if kind == "llama" and f".{part}." in name:
                tensor = together(tensor, count)
        writer.add_tensor(names.get_name(name, (".weight", ".bias")), tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_those_of_the_model_it_was_made_of(kind: str, seed: int, tmp_path: Path) -> None:
    shape = random_shape(kind, seed)
    shape.pop("use_sliding_window", None)
    if kind == "gpt2":
        shape["activation_function"] = "gelu_new"
    elif shape["rope_parameters"]["rope_type"] == "llama3":  # with Llama 3's own numbers
        own = {"rope_theta": 500_000.0, "original_max_position_embeddings": 8192}
        shape |= {"head_dim": 12, "rope_parameters": {**shape["rope_parameters"], **own}}
    model = random_model(kind, shape, seed)
    write_gguf(tmp_path / "x.gguf", kind, model)
    ours = read_foreign(look_at_gguf(tmp_path / "x.gguf"))
    tokens = torch.randint(VOCABULARY, (1, ours.config.block_size), generator=torch.manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(ours(tokens), model(tokens).logits, atol=1e-5, rtol=0)


def tiny(**changes: Any) -> dict[str, Any]:
    """The metadata of a Llama."""
    return {
        "general.architecture": "llama",
        "llama.context_length": 8,
        "llama.embedding_length": 4,
        "llama.block_count": 1,
        "llama.feed_forward_length": 6,
        "llama.attention.head_count": 1,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        **changes,
    }


def tiny_tensors() -> dict[str, tuple[int, tuple[int, ...], bytes]]:
    """Its tensors: F32, all 0."""
    shapes = {
        "token_embd": (5, 4),
        **{f"blk.0.{name}_norm": (4,) for name in ("attn", "ffn")},
        **{f"blk.0.attn_{name}": (4, 4) for name in ("q", "k", "v", "output")},
        "blk.0.ffn_gate": (6, 4),
        "blk.0.ffn_up": (6, 4),
        "blk.0.ffn_down": (4, 6),
        "output_norm": (4,),
    }
    return {
        f"{name}.weight": (0, shape, bytes(4 * math.prod(shape))) for name, shape in shapes.items()
    }


def put(folder: Path, metadata: dict[str, Any], tensors: dict[str, Any]) -> Path:
    (folder / "x.gguf").write_bytes(gguf(metadata, tensors))
    return folder / "x.gguf"


def test_numbers_of_32_bits_are_read_as_they_were_meant(tmp_path: Path) -> None:
    path = put(tmp_path, tiny(**{"llama.rope.freq_base": 1e6}), tiny_tensors())
    config = describe_gguf(open_gguf(path)).config
    assert (config.norm_eps, config.rope_base) == (1e-5, 1e6)
    assert (config.vocab_size, config.n_layer, config.tie_weights) == (5, 1, True)
    assert not read_foreign(look_at_gguf(path)).training


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"general.architecture": "mamba"}, "type 'mamba'.*gpt2, llama, qwen2, qwen3 can .SmolLM"),
        ({"general.architecture": [1, 2]}, "cannot be opened; gpt2"),
        ({"llama.rope.scaling.type": "yarn"}, "rope.scaling.type 'yarn', which is not computed"),
        ({"llama.expert_count": 8}, "expert_count 8, which is not computed here; 0 is: choose"),
        ({"llama.rope.dimension_count": 2}, "turns 2 of the 4 dimensions of a head"),
        ({"llama.attention.head_count": [1, 1]}, "n_head.*whole number"),
        ({"llama.block_count": 1 << 30}, "n_layer"),
        ({"llama.block_count": 9000}, "11 tensors, its settings ask for 9,000 layers"),
        ({"llama.feed_forward_length": 7}, r"misshaped 'blk.0.ffn_gate.weight' \(6, 4\), not"),
        ({"llama.embedding_length": "x"}, "n_embd"),
    ],
)
def test_settings_that_cannot_be_computed_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        look_at_gguf(put(tmp_path, tiny(**changes), tiny_tensors()))


def test_a_setting_or_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    metadata = tiny()
    del metadata["llama.context_length"]
    with pytest.raises(ValueError, match="does not say 'context_length': get"):
        look_at_gguf(put(tmp_path, metadata, tiny_tensors()))
    with pytest.raises(ValueError, match="no table of embeddings: get"):
        look_at_gguf(put(tmp_path, tiny(), {}))


def test_every_tensor_that_does_not_fit_is_told(tmp_path: Path) -> None:
    tensors = tiny_tensors()
    del tensors["output_norm.weight"]
    tensors["blk.0.attn_q.scale"] = (0, (1,), bytes(4))
    tensors["blk.0.ffn_up.weight"] = (0, (3, 8), bytes(96))
    message = (
        r"missing 'output_norm.weight'; not expected 'blk.0.attn_q.scale'; "
        r"misshaped 'blk.0.ffn_up.weight' \(3, 8\), not \(6, 4\)\. Get all"
    )
    with pytest.raises(ValueError, match=message):
        look_at_gguf(put(tmp_path, tiny(), tensors))


def test_a_tensor_of_an_unknown_type_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    tensors = tiny_tensors() | {"blk.0.attn_q.weight": (23, (4, 4), b"")}
    with pytest.raises(ValueError, match="attn_q.weight' is of the type type 23, which cannot"):
        look_at_gguf(put(tmp_path, tiny(), tensors))


def test_positions_that_are_stretched_in_another_way_are_refused(tmp_path: Path) -> None:
    factors = np.array([3.0, 2.0], np.float32)
    tensors = tiny_tensors() | {"rope_freqs.weight": (0, (2,), factors.tobytes())}
    with pytest.raises(ValueError, match="in another way than Llama 3"):
        look_at_gguf(put(tmp_path, tiny(), tensors))


def test_rows_of_a_head_that_lie_two_by_two_are_put_apart() -> None:
    rows = torch.arange(12)[:, None]
    assert apart(rows, 2).flatten().tolist() == [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]
    assert together(apart(rows, 2).numpy(), 2).ravel().tolist() == list(range(12))
