"""Small models of every family, with random weights: what lenses and attribution must hold for."""

FAMILIES = {
    "gpt1": {"norm_placement": "post", "mlp": "gelu_tanh"},
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
