"""Random models of transformers: of each family many shapes, all far from its defaults."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

VOCABULARY = 61
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}


def random_shape(kind: str, seed: int) -> dict[str, Any]:
    """Keyword arguments of the config of transformers."""
    rng = random.Random(f"{kind} {seed}")
    heads = rng.randint(1, 7)
    positions = rng.choice((24, 40, 300))
    if kind == "gpt2":
        return {
            "vocab_size": VOCABULARY,
            "n_positions": positions,
            "n_embd": heads * rng.randint(2, 9),
            "n_layer": rng.randint(1, 4),
            "n_head": heads,
            "n_inner": rng.choice((None, 17, 50)),
            "activation_function": rng.choice(("gelu_new", "gelu", "relu", "gelu_pytorch_tanh")),
            "layer_norm_epsilon": rng.choice((1e-5, 1e-3)),
            "tie_word_embeddings": rng.random() < 0.7,
        }
    rope = {"rope_theta": rng.choice((100.0, 10_000.0, 500_000.0)), "rope_type": "default"}
    if rng.random() < 0.4:
        rope |= LLAMA3
    shape: dict[str, Any] = {
        "vocab_size": VOCABULARY,
        "max_position_embeddings": positions,
        "hidden_size": heads * rng.randint(2, 9),  # the library asks for a multiple
        "intermediate_size": rng.randint(10, 90),
        "num_hidden_layers": rng.randint(1, 4),
        "num_attention_heads": heads,
        "num_key_value_heads": rng.choice([n for n in range(1, heads + 1) if heads % n == 0]),
        "head_dim": 2 * rng.randint(1, 9),
        "rms_norm_eps": rng.choice((1e-6, 1e-3)),
        "tie_word_embeddings": rng.random() < 0.5,
        "rope_parameters": rope,
    }
    if kind != "qwen2":
        shape["attention_bias"] = rng.random() < 0.4
    if kind == "llama":
        shape["mlp_bias"] = rng.random() < 0.4
    elif rng.random() < 0.4:
        shape |= {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}
    if kind == "llama" and rng.random() < 0.3:  # the head's size follows from the width
        del shape["head_dim"]
        shape["hidden_size"] = 2 * heads * rng.randint(1, 8)
    return shape


def random_model(kind: str, shape: dict[str, Any], seed: int = 0) -> Any:
    """One of transformers, eager, in eval mode."""
    transformers = pytest.importorskip("transformers")
    name = {"gpt2": "GPT2", "llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}[kind]
    config = getattr(transformers, f"{name}Config")(**shape, attn_implementation="eager")
    head = "LMHeadModel" if kind == "gpt2" else "ForCausalLM"
    model = getattr(transformers, f"{name}{head}")(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            is_norm = "norm" in parameter_name or "ln_" in parameter_name
            middle = 1.0 if is_norm and parameter_name.endswith("weight") else 0.0
            parameter.normal_(middle, 0.1, generator=generator)
    return model.eval()


def random_folder(kind: str, seed: int, folder: Path, **save: Any) -> Any:
    """A random model, saved as transformers saves it."""
    model = random_model(kind, random_shape(kind, seed), seed)
    model.save_pretrained(folder, **save)
    return model
