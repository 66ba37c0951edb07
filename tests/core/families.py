"""Small models of every family, with random weights: what holds for one must hold for all."""

from core.transformer.config import ModelConfig

FAMILIES = {
    "gpt1": {"norm_placement": "post", "mlp": "gelu"},
    "transformer": {
        "norm_placement": "post",
        "positions": "sinusoidal",
        "mlp": "relu",
        "embedding_scale": True,
    },
    "gpt2": {},
    "gpt3": {"window": (None, 3)},
    "untied without biases": {"tie_weights": False, "bias": False},
    "llama": {
        "positions": "rope",
        "norm": "rms_norm",
        "mlp": "swiglu",
        "n_kv_head": 2,
        "bias": False,
    },
    "qwen2": {
        "positions": "rope",
        "norm": "rms_norm",
        "mlp": "swiglu",
        "n_kv_head": 1,
        "bias": False,
        "qkv_bias": True,
        "tie_weights": False,
    },
    "qwen3": {
        "positions": "rope",
        "norm": "rms_norm",
        "mlp": "swiglu",
        "bias": False,
        "qk_norm": True,
        "head_size": 8,
    },
}

# Of the transformer of 2017.
AIAYN_STACK = ModelConfig(
    vocab_size=11,
    block_size=12,
    n_layer=2,
    n_head=2,
    n_embd=16,
    norm_placement="post",
    positions="sinusoidal",
    mlp="relu",
    embedding_scale=True,
    dropout=0.5,
)
