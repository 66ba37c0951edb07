"""Models by name: the papers' shapes as configs.

Attention Is All You Need: Vaswani et al. 2017, table 3, the rows "base" and "big", with the 37,000
shared pieces of section 5.1 and, as in section 3.2.2, no bias in attention. GPT-1: Radford et al.
2018, section 4.1. GPT-2: Radford et al. 2019, table 2. GPT-3: Brown et al. 2020, table 2.1. Two
rows of GPT-3's table do not multiply out (24 heads of 128 are not 2048; 40 heads of 128 are not
5140): they are built with 16 heads and with a width of 5120, as `NOTES` explains.
"""

from __future__ import annotations

from functools import cache

from core.files import read_json
from core.resources import resource
from core.transformer.config import EncoderDecoderConfig, ModelConfig


def _transformer(n_head: int, n_embd: int, dropout: float) -> EncoderDecoderConfig:
    stack = ModelConfig(
        vocab_size=37_000,
        block_size=1024,  # the paper has no limit; a sentence is shorter
        n_layer=6,
        n_head=n_head,
        n_embd=n_embd,
        dropout=dropout,
        qkv_bias=False,
        o_bias=False,
        norm_placement="post",
        positions="sinusoidal",
        mlp="relu",
        embedding_scale=True,
    )
    return EncoderDecoderConfig(encoder=stack, decoder=stack, share_embeddings=True)


GPT1 = ModelConfig(
    vocab_size=40_478,
    block_size=512,
    n_layer=12,
    n_head=12,
    n_embd=768,
    dropout=0.1,
    norm_placement="post",
)


def _gpt2(n_layer: int, n_head: int, n_embd: int) -> ModelConfig:
    return ModelConfig(
        vocab_size=50_257,
        block_size=1024,
        n_layer=n_layer,
        n_head=n_head,
        n_embd=n_embd,
        dropout=0.1,
    )


def _gpt3(n_layer: int, n_head: int, n_embd: int) -> ModelConfig:
    # Section 2.1: "alternating dense and locally banded sparse attention patterns"; the band's
    # width is not given. 128 is this program's choice.
    return ModelConfig(
        vocab_size=50_257,
        block_size=2048,
        n_layer=n_layer,
        n_head=n_head,
        n_embd=n_embd,
        window=(None, 128),
    )


PRESETS: dict[str, ModelConfig] = {
    "gpt1": GPT1,
    "gpt2": _gpt2(12, 12, 768),
    "gpt2-medium": _gpt2(24, 16, 1024),
    "gpt2-large": _gpt2(36, 20, 1280),
    "gpt2-xl": _gpt2(48, 25, 1600),
    "gpt3-125m": _gpt3(12, 12, 768),
    "gpt3-350m": _gpt3(24, 16, 1024),
    "gpt3-760m": _gpt3(24, 16, 1536),
    "gpt3-1.3b": _gpt3(24, 16, 2048),
    "gpt3-2.7b": _gpt3(32, 32, 2560),
    "gpt3-6.7b": _gpt3(32, 32, 4096),
    "gpt3-13b": _gpt3(40, 40, 5120),
    "gpt3-175b": _gpt3(96, 96, 12_288),
}

ENCODER_DECODER_PRESETS: dict[str, EncoderDecoderConfig] = {
    "transformer-base": _transformer(8, 512, 0.1),
    "transformer-big": _transformer(16, 1024, 0.3),
}

NOTES: dict[str, str] = {
    "gpt3-1.3b": "the paper gives 24 heads of 128, too many for a width of 2,048; 16 are used",
    "gpt3-13b": "the paper gives a width of 5,140, but 40 heads of 128 make 5,120, as used here",
}


def preset(name: str) -> ModelConfig | EncoderDecoderConfig:
    """Returns the config called `name`. Raises ValueError, with all names, if there is none."""
    presets: dict[str, ModelConfig | EncoderDecoderConfig] = {**PRESETS, **ENCODER_DECODER_PRESETS}
    if name not in presets:
        raise ValueError(f"there is no preset {name!r}; the presets are {', '.join(presets)}")
    return presets[name]


@cache
def bundled_config() -> ModelConfig:
    """Returns the config of the bundled model, "stories"."""
    return ModelConfig.from_json(read_json(resource("models", "stories", "config.json")))
