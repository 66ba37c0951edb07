"""Rotary and grouped models against transformers' LLaMA and Qwen 2, eager: weights and logits."""

from typing import Any

import pytest
import torch

from core.inference.activations import capture
from core.inference.attention_trace import trace_attention
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.look import Look, Site

SHAPES = [  # architecture, heads, key and value heads, head size, width
    ("llama", 4, 4, 8, 32),
    ("llama", 6, 1, 8, 48),
    ("llama", 6, 2, 4, 24),
    ("llama", 6, 3, 10, 36),
    ("llama", 3, 1, 16, 42),
    ("llama", 5, 5, 6, 25),
    ("llama-bias", 4, 2, 8, 32),
    ("qwen2", 7, 1, 8, 56),
    ("qwen2", 6, 3, 4, 24),
]
T = 24


def pair(kind: str, heads: int, kv_heads: int, head_size: int, width: int) -> tuple[GPT, Any]:
    """Our model and transformers', with the same random weights, far from 0."""
    transformers = pytest.importorskip("transformers")
    shape = {
        "vocab_size": 29,
        "hidden_size": width,
        "intermediate_size": 3 * width - 1,
        "num_hidden_layers": 3,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": head_size,
        "max_position_embeddings": T,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": kind == "qwen2",
        "attn_implementation": "eager",
    }
    if kind == "qwen2":
        theirs = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**shape))
    else:
        bias = kind == "llama-bias"
        config = transformers.LlamaConfig(**shape, attention_bias=bias, mlp_bias=bias)
        theirs = transformers.LlamaForCausalLM(config)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            parameter.normal_(1.0 if "norm" in name else 0.0, 0.2, generator=generator)
    ours = GPT(
        ModelConfig(
            vocab_size=29,
            block_size=T,
            n_layer=3,
            n_head=heads,
            n_kv_head=kv_heads,
            head_size=head_size,
            n_embd=width,
            n_inner=3 * width - 1,
            bias=kind != "llama",
            norm="rms_norm",
            positions="rope",
            mlp="swiglu",
            tie_weights=kind == "qwen2",
        )
    )
    _copy(theirs.state_dict(), ours)
    return ours.eval(), theirs.eval()


@torch.no_grad()
def _copy(theirs: dict[str, torch.Tensor], ours: GPT) -> None:
    def of(*names: str) -> torch.Tensor | None:
        parts = [theirs[name] for name in names if name in theirs]
        return torch.cat(parts) if parts else None

    for name, parameter in ours.named_parameters():
        layer, _, rest = name.removeprefix("h.").partition(".")
        at, (part, _, end) = f"model.layers.{layer}", rest.rpartition(".")
        found = {
            "wte.weight": of("model.embed_tokens.weight"),
            "ln_f.weight": of("model.norm.weight"),
            "lm_head.weight": of("lm_head.weight"),
        }.get(name)
        if found is None:
            found = {
                "ln_1": of(f"{at}.input_layernorm.{end}"),
                "attn.c_attn": of(*(f"{at}.self_attn.{p}_proj.{end}" for p in "qkv")),
                "attn.c_proj": of(f"{at}.self_attn.o_proj.{end}"),
                "ln_2": of(f"{at}.post_attention_layernorm.{end}"),
                "mlp.c_gate": of(f"{at}.mlp.gate_proj.{end}"),
                "mlp.c_fc": of(f"{at}.mlp.up_proj.{end}"),
                "mlp.c_proj": of(f"{at}.mlp.down_proj.{end}"),
            }[part]
        # Qwen 2 has biases for queries, keys and values alone.
        parameter.copy_(torch.zeros(parameter.shape) if found is None else found)


def largest_errors(*shape: Any, dtype: torch.dtype = torch.float32) -> dict[str, float]:
    """Of weights and logits, each way that they can be seen: the largest absolute differences."""
    ours, theirs = (model.to(dtype) for model in pair(*shape))
    ids = torch.randint(29, (T,), generator=torch.Generator().manual_seed(1))
    look = Look([Site("decoder", layer, "weights") for layer in range(3)])
    with torch.no_grad():
        expected = theirs(ids[None], output_attentions=True)
        plain = ours(ids[None])
        looked = ours(ids[None], look)
    acts = capture(ours, ids.numpy())
    attention = torch.stack(expected.attentions)[:, 0]
    kept = torch.stack(list(look.values.values()))[:, 0]
    logits = expected.logits[0]
    differences = {
        "logits": plain[0] - logits,
        "looked logits": looked[0] - logits,
        "captured logits": torch.from_numpy(acts.logits) - logits,
        "weights": kept - attention,
        "captured weights": torch.from_numpy(acts.attention) - attention,
    }
    return {name: float(difference.abs().max()) for name, difference in differences.items()}


@pytest.mark.peers
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_weights_and_logits_equal_transformers(shape):
    """In float64: what float32 rounds, and not the algorithm, differs from processor to processor.
    Transformers rotates by angles in float32 whatever the model is, and that is what is left.
    """
    for name, error in largest_errors(*shape, dtype=torch.float64).items():
        assert error <= 1e-5, name


@pytest.mark.peers
def test_the_trace_of_a_shared_head_shows_the_weights_of_transformers():
    ours, theirs = pair("llama", 6, 2, 4, 24)
    ids = list(range(T))
    with torch.no_grad():
        attentions = theirs(torch.tensor([ids]), output_attentions=True).attentions
    for head in range(6):
        trace = trace_attention(ours, ids, 1, head, 20)
        assert trace.about["kv_head"] == head // 3
        weights = next(s for s in trace if s.name == "attention.softmax").value("weights")[0]
        torch.testing.assert_close(
            torch.tensor(weights), attentions[1][0, head, 20], atol=1e-5, rtol=0
        )
