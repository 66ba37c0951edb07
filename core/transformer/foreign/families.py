"""Families of models in other programs: their names for settings and tensors.

A family is a table: fields of `ModelConfig` with the keys in transformers' config.json and in
GGUF's metadata, our modules with the names of their tensors. Special cases are in `settings`.

Sources: transformers' configuration_*.py and modeling_*.py; llama.cpp's convert_hf_to_gguf.py and
gguf-py/gguf/constants.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Names:
    """Names of a family's tensors in one kind of file, and their layout.

    tensors      our module -> theirs, without ".weight" and ".bias"; several are stacked vertically
                 in ours. {n} is the layer
    prefix       of their names if the file contains more than the bare model
    transposed   our modules whose matrices are (in, out) there; ours are (out, in)
    interleaved  whether the two dimensions of each rotary pair are adjacent in queries and keys; in
                 ours they are D / 2 apart
    unlearned    patterns of names without parameters: masks, tables derived from the settings
    """

    tensors: Mapping[str, tuple[str, ...]]
    prefix: str = ""
    transposed: frozenset[str] = frozenset()
    interleaved: bool = False
    unlearned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Names of a family's settings in one kind of file.

    keys      field of `ModelConfig` -> their key
    usual     key -> its default value; a key without a default is required
    computed  key -> the supported values: others are rejected. The default is the first
    """

    keys: Mapping[str, str]
    usual: Mapping[str, Any]
    computed: Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Family:
    """Models that differ only in their numbers.

    name          `model_type` in config.json, `general.architecture` in GGUF
    architecture  the class in transformers
    fixed         fields of `ModelConfig` that all of them share, except for the activation in
                  config.json
    biases        key of config.json -> our modules that have biases if it is true; those of ALWAYS
                  always have them. In GGUF, the tensors in the file decide
    """

    name: str
    architecture: str
    fixed: Mapping[str, Any]
    biases: Mapping[str, tuple[str, ...]]
    json: Settings
    json_names: Names
    gguf: Settings
    gguf_names: Names


ALWAYS = ""
ATTENTION = ("h.{n}.attn.c_attn", "h.{n}.attn.c_proj")
NORMS = ("h.{n}.ln_1", "h.{n}.ln_2", "ln_f")
MLP = ("h.{n}.mlp.c_fc", "h.{n}.mlp.c_proj")

# -- GPT-2 ----------------------------------------------------------------------------------------

# Names of the activation; the first name for each is used in files that we write.
ACTIVATIONS = {
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu": "gelu",
    "relu": "relu",
}

GPT2 = Family(
    name="gpt2",
    architecture="GPT2LMHeadModel",
    fixed={
        "norm": "layer_norm",
        "norm_placement": "pre",
        "positions": "learned",
        "mlp": "gelu_tanh",
    },
    biases={ALWAYS: (*ATTENTION, *NORMS, *MLP)},
    json=Settings(
        keys={
            "vocab_size": "vocab_size",
            "block_size": "n_positions",
            "n_layer": "n_layer",
            "n_head": "n_head",
            "n_embd": "n_embd",
            "n_inner": "n_inner",
            "dropout": "resid_pdrop",
            "norm_eps": "layer_norm_epsilon",
            "tie_weights": "tie_word_embeddings",
        },
        usual={
            "n_inner": None,
            "resid_pdrop": 0.1,
            "layer_norm_epsilon": 1e-5,
            "tie_word_embeddings": True,
        },
        computed={
            "activation_function": tuple(ACTIVATIONS),
            "scale_attn_weights": (True,),
            "scale_attn_by_inverse_layer_idx": (False,),
            "add_cross_attention": (False,),
            "is_causal": (True,),
            "quantization_config": (None,),
        },
    ),
    json_names=Names(
        tensors={
            **{name: (f"transformer.{name}",) for name in ("wte", "wpe", *ATTENTION, *NORMS, *MLP)},
            "lm_head": ("lm_head",),
        },
        prefix="transformer.",
        transposed=frozenset((*ATTENTION, *MLP)),
        unlearned=(r"(transformer\.)?h\.\d+\.attn\.(masked_)?bias",),
    ),
    gguf=Settings(
        keys={
            "block_size": "context_length",
            "n_layer": "block_count",
            "n_head": "attention.head_count",
            "n_embd": "embedding_length",
            "n_inner": "feed_forward_length",
            "norm_eps": "attention.layer_norm_epsilon",
        },
        usual={},
        computed={},
    ),
    gguf_names=Names(
        tensors={
            "wte": ("token_embd",),
            "wpe": ("position_embd",),
            "h.{n}.ln_1": ("blk.{n}.attn_norm",),
            "h.{n}.attn.c_attn": ("blk.{n}.attn_qkv",),
            "h.{n}.attn.c_proj": ("blk.{n}.attn_output",),
            "h.{n}.ln_2": ("blk.{n}.ffn_norm",),
            "h.{n}.mlp.c_fc": ("blk.{n}.ffn_up",),
            "h.{n}.mlp.c_proj": ("blk.{n}.ffn_down",),
            "ln_f": ("output_norm",),
            "lm_head": ("output",),
        },
    ),
)

# -- Llama, and what was built after it -----------------------------------------------------------

GATED_MLP = ("h.{n}.mlp.c_gate", *MLP)

LLAMA = Family(
    name="llama",
    architecture="LlamaForCausalLM",
    fixed={"norm": "rms_norm", "norm_placement": "pre", "positions": "rope", "mlp": "swiglu"},
    biases={"attention_bias": ATTENTION, "mlp_bias": GATED_MLP},
    json=Settings(
        keys={
            "vocab_size": "vocab_size",
            "block_size": "max_position_embeddings",
            "n_layer": "num_hidden_layers",
            "n_head": "num_attention_heads",
            "n_kv_head": "num_key_value_heads",
            "head_size": "head_dim",
            "n_embd": "hidden_size",
            "n_inner": "intermediate_size",
            "norm_eps": "rms_norm_eps",
            "tie_weights": "tie_word_embeddings",
        },
        usual={
            "num_key_value_heads": None,
            "head_dim": None,
            "rms_norm_eps": 1e-6,
            "tie_word_embeddings": False,
        },
        computed={
            "hidden_act": ("silu", "swish"),
            "is_causal": (True,),
            "quantization_config": (None,),
        },
    ),
    json_names=Names(
        tensors={
            "wte": ("model.embed_tokens",),
            "h.{n}.ln_1": ("model.layers.{n}.input_layernorm",),
            "h.{n}.attn.c_attn": tuple(f"model.layers.{{n}}.self_attn.{p}_proj" for p in "qkv"),
            "h.{n}.attn.q_norm": ("model.layers.{n}.self_attn.q_norm",),
            "h.{n}.attn.k_norm": ("model.layers.{n}.self_attn.k_norm",),
            "h.{n}.attn.c_proj": ("model.layers.{n}.self_attn.o_proj",),
            "h.{n}.ln_2": ("model.layers.{n}.post_attention_layernorm",),
            "h.{n}.mlp.c_gate": ("model.layers.{n}.mlp.gate_proj",),
            "h.{n}.mlp.c_fc": ("model.layers.{n}.mlp.up_proj",),
            "h.{n}.mlp.c_proj": ("model.layers.{n}.mlp.down_proj",),
            "ln_f": ("model.norm",),
            "lm_head": ("lm_head",),
        },
        prefix="model.",
        unlearned=(r"(model\.)?(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq",),
    ),
    gguf=Settings(
        keys={
            "block_size": "context_length",
            "n_layer": "block_count",
            "n_head": "attention.head_count",
            "n_kv_head": "attention.head_count_kv",
            "head_size": "attention.key_length",
            "n_embd": "embedding_length",
            "n_inner": "feed_forward_length",
            "norm_eps": "attention.layer_norm_rms_epsilon",
            "rope_base": "rope.freq_base",
        },
        usual={
            "attention.head_count_kv": None,
            "attention.key_length": None,
            "rope.freq_base": 10_000.0,
        },
        computed={
            "rope.scaling.type": ("none",),
            "expert_count": (0,),
        },
    ),
    gguf_names=Names(
        tensors={
            "wte": ("token_embd",),
            "h.{n}.ln_1": ("blk.{n}.attn_norm",),
            "h.{n}.attn.c_attn": tuple(f"blk.{{n}}.attn_{p}" for p in "qkv"),
            "h.{n}.attn.q_norm": ("blk.{n}.attn_q_norm",),
            "h.{n}.attn.k_norm": ("blk.{n}.attn_k_norm",),
            "h.{n}.attn.c_proj": ("blk.{n}.attn_output",),
            "h.{n}.ln_2": ("blk.{n}.ffn_norm",),
            "h.{n}.mlp.c_gate": ("blk.{n}.ffn_gate",),
            "h.{n}.mlp.c_fc": ("blk.{n}.ffn_up",),
            "h.{n}.mlp.c_proj": ("blk.{n}.ffn_down",),
            "ln_f": ("output_norm",),
            "lm_head": ("output",),
        },
        interleaved=True,
        unlearned=(r"rope_freqs\.weight", r"blk\.\d+\.attn_rot_embd\.weight"),
    ),
)

# Only queries, keys and values have biases; layers may have a window (Yang et al. 2024).
QWEN2 = replace(
    LLAMA,
    name="qwen2",
    architecture="Qwen2ForCausalLM",
    biases={ALWAYS: ATTENTION[:1]},
    gguf_names=replace(LLAMA.gguf_names, interleaved=False),
)

# Each head's query and key are normalized (Yang et al. 2025).
QWEN3 = replace(
    LLAMA,
    name="qwen3",
    architecture="Qwen3ForCausalLM",
    fixed={**LLAMA.fixed, "qk_norm": True},
    biases={"attention_bias": ATTENTION},
    json=replace(LLAMA.json, usual={**LLAMA.json.usual, "head_dim": 128}),
    gguf_names=QWEN2.gguf_names,
)

FAMILIES = {family.name: family for family in (GPT2, LLAMA, QWEN2, QWEN3)}
