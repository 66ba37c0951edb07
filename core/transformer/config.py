"""ModelConfig: the shape of a transformer, and the few options in which the papers differ;
EncoderDecoderConfig: the shape of an encoder and a decoder that reads its output.

Field names follow nanoGPT's; None means the value that the paper derives. Papers: Attention Is All
You Need (Vaswani et al. 2017), GPT-1 (Radford et al. 2018), GPT-2 (Radford et al. 2019), GPT-3
(Brown et al. 2020), LLaMA (Touvron et al. 2023), Llama 3 (Grattafiori et al. 2024), Qwen2 (Yang et
al. 2024), Qwen3 (Yang et al. 2025).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import fields
from core.fields import field
from core.files import quoted

FORMAT = 1  # of config.json
WHAT = "model config"
ARCHITECTURE, PAIR_ARCHITECTURE = "gpt", "encoder-decoder"

# Limits for a config's numbers; a larger number is an error, or the file is damaged.
MOST_LAYERS = 10_000
WIDEST = 1 << 20  # dimensions, heads
LONGEST = 1 << 24  # tokens in a context, pieces in a vocabulary


@dataclass(frozen=True, kw_only=True)
class RopeScaling:
    """Llama 3.1's scaling of rotary positions, which extends the context beyond that of training.

    factor                slow pairs of dimensions rotate this many times slower
    low_freq_factor       slow: fewer rotations than this in original_block_size tokens
    high_freq_factor      pairs with more rotations than this are unchanged; between the two, the
                          change is gradual
    original_block_size   the context before the extension
    """

    factor: float = field(8.0, least=1, most=1e6)
    low_freq_factor: float = field(1.0, above=0, most=1e6)
    high_freq_factor: float = field(4.0, above=0, most=1e6)
    original_block_size: int = field(8192, least=1, most=LONGEST)

    def __post_init__(self) -> None:
        fields.check(self)
        if self.high_freq_factor <= self.low_freq_factor:
            raise ValueError(
                f"high_freq_factor {self.high_freq_factor} must be larger than low_freq_factor "
                f"{self.low_freq_factor}; 4 and 1 are usual"
            )


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a decoder-only transformer.

    vocab_size, block_size   pieces in the vocabulary; longest context, in tokens
    n_layer, n_head, n_embd  blocks; heads a block; width of the residual stream
    n_kv_head                key and value heads, each shared by n_head / n_kv_head heads (None:
                             n_head)
    head_size                dimensions a head (None: n_embd / n_head)
    n_inner                  width of the MLP's hidden layer (None: 4 n_embd, AIAYN section 3.3;
                             with "swiglu" 8/3 n_embd, for as many weights in three layers as
                             otherwise in two: Shazeer 2020, section 3)
    dropout                  probability, after embedding, attention weights and each sublayer
    bias                     biases in linear layers and norms
    qkv_bias                 biases of queries, keys and values (None: as `bias`; Qwen2 has only
                             these)
    o_bias                   bias of the output projection, W^O (None: as `bias`; in AIAYN section
                             3.2.2, attention has no bias at all)
    qk_norm                  an RMS norm for each head's query and key, before they are rotated
                             (Qwen3)
    norm, norm_eps           "layer_norm" or "rms_norm"; added to the variance or mean square
    norm_placement           "pre": x + f(norm(x)), and a final norm (GPT-2 section 2.3);
                             "post": norm(x + f(x)), none at the end (GPT-1, AIAYN section 3.1)
    positions                "learned": a table of block_size rows (GPT-1 section 4.1);
                             "sinusoidal": a fixed one (AIAYN section 3.5); "rope": queries and keys
                             are rotated (Su et al. 2021)
    rope_base, rope_scaling  the larger the base, the slower the slowest pair of dimensions rotates;
                             extension of the context (None: no extension)
    mlp                      "relu", "gelu" (exact), "gelu_tanh" (the approximation that GPT-1 and
                             GPT-2 used), "swiglu" (LLaMA section 2.2)
    window                   None: every earlier token is visible; or one entry a layer, repeated
                             over the layers: (None, 128) is GPT-3's dense and locally banded
                             alternation (section 2.1)
    embedding_scale          token embeddings are multiplied by sqrt(n_embd) (AIAYN section 3.4)
    tie_weights              the output head is the token embedding (AIAYN section 3.4)

    Raises ValueError, with a remedy, for an invalid value.
    """

    vocab_size: int = field(least=1, most=LONGEST)
    block_size: int = field(
        least=1,
        most=LONGEST,
        label="Context (tokens)",
        help="How far back a token can look",
        remedy="64 to 256 is usual",
    )
    n_layer: int = field(
        least=1,
        most=MOST_LAYERS,
        label="Layers",
        help="Transformer blocks, one after the other",
        remedy="2 to 12 is usual",
    )
    n_head: int = field(
        least=1,
        most=WIDEST,
        label="Heads",
        help="Attention heads in each layer",
        remedy="2 to 12 is usual",
    )
    n_embd: int = field(
        least=1,
        most=WIDEST,
        label="Width",
        help="Numbers that represent a token; a multiple of the heads",
        remedy="64 to 384, a multiple of the heads, is usual",
    )
    n_kv_head: int | None = field(None, least=1, most=WIDEST, remedy="None is n_head")
    head_size: int | None = field(None, least=1, most=WIDEST, remedy="None is n_embd / n_head")
    n_inner: int | None = field(None, least=1, most=WIDEST, remedy="None is the paper's width")
    dropout: float = field(0.0, least=0, below=1, remedy="0.0 to 0.3 is usual")
    bias: bool = True
    qkv_bias: bool | None = None
    o_bias: bool | None = None
    qk_norm: bool = False
    norm: str = field("layer_norm", choices=("layer_norm", "rms_norm"))
    norm_eps: float = field(1e-5, above=0, below=1, remedy="1e-5 is usual")
    norm_placement: str = field("pre", choices=("pre", "post"))
    positions: str = field("learned", choices=("learned", "sinusoidal", "rope"))
    rope_base: float = field(10_000.0, above=1, remedy="10,000 is usual")
    rope_scaling: RopeScaling | None = None
    mlp: str = field("gelu_tanh", choices=("relu", "gelu", "gelu_tanh", "swiglu"))
    window: tuple[int | None, ...] | None = field(
        None,
        least=1,
        most=LONGEST,
        shortest=1,
        longest=MOST_LAYERS,
        remedy="use None, or one entry a layer such as (None, 128)",
    )
    embedding_scale: bool = False
    tie_weights: bool = True

    def __post_init__(self) -> None:
        fields.check(self)
        if self.head_size is None and self.n_embd % self.n_head != 0:
            below = self.n_embd - self.n_embd % self.n_head
            raise ValueError(
                f"n_embd {self.n_embd} is not divisible by n_head {self.n_head}; "
                f"use n_embd {below or self.n_head} or {below + self.n_head}, another n_head, "
                f"or set head_size"
            )
        if self.n_head % self.kv_heads != 0:
            fitting = [n for n in range(1, self.n_head + 1) if self.n_head % n == 0][:8]
            raise ValueError(
                f"n_kv_head {self.n_kv_head} does not divide n_head {self.n_head}; use "
                f"{' or '.join(map(str, fitting))}"
            )
        if self.positions == "rope" and self.head_width % 2 != 0:
            raise ValueError(
                f"rope turns pairs of dimensions, and a head of {self.head_width} has one left "
                f"over; use head_size {self.head_width + 1}, or positions 'learned'"
            )
        if self.rope_scaling is not None and self.positions != "rope":
            raise ValueError(
                f"rope_scaling belongs to positions 'rope', and these are {self.positions!r}; "
                "leave it None"
            )

    @property
    def head_width(self) -> int:
        """Dimensions of one head: head_size, or n_embd / n_head."""
        return self.head_size or self.n_embd // self.n_head

    @property
    def kv_heads(self) -> int:
        """Key and value heads: n_kv_head, or n_head."""
        return self.n_kv_head or self.n_head

    @property
    def has_qkv_bias(self) -> bool:
        """Whether queries, keys and values have biases: qkv_bias, or bias."""
        return self.bias if self.qkv_bias is None else self.qkv_bias

    @property
    def has_o_bias(self) -> bool:
        """Whether attention's output projection has a bias: o_bias, or bias."""
        return self.bias if self.o_bias is None else self.o_bias

    @property
    def inner_width(self) -> int:
        """Width of the MLP's hidden layer: n_inner, or what the paper derives from n_embd."""
        return self.n_inner or (8 * self.n_embd // 3 if self.mlp == "swiglu" else 4 * self.n_embd)

    def window_of(self, layer: int) -> int | None:
        """Returns how many tokens a query of this layer sees, including its own; None: all."""
        return None if self.window is None else self.window[layer % len(self.window)]

    def to_json(self) -> dict[str, Any]:
        """Returns the contents of config.json."""
        return {"architecture": ARCHITECTURE, "format": FORMAT, **fields.to_json(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelConfig:
        """Creates a config from the result of `to_json`.

        Raises ValueError for another architecture or program, a newer format, an unknown or missing
        field, and any value that the constructor rejects.
        """
        values = fields.as_object(values, WHAT)
        architecture = values.pop("architecture", ARCHITECTURE)
        if architecture == PAIR_ARCHITECTURE:
            raise ValueError(
                "this is an encoder-decoder, and a model that continues a text is wanted: choose "
                "another model, or open this one with core.load"
            )
        _check_architecture(architecture, ARCHITECTURE)
        # names in transformers
        if foreign := values.get("model_type") or values.get("architectures"):
            raise ValueError(
                f"this is a model of type {quoted(foreign)}, made by another program, where a "
                "checkpoint of LLM Explorer is wanted: open it with core.load, or choose a "
                "checkpoint"
            )
        return fields.from_json(cls, values, WHAT, FORMAT)


@dataclass(frozen=True, kw_only=True)
class EncoderDecoderConfig:
    """The shape of an encoder-decoder (AIAYN section 3.1).

    encoder, decoder  of the same width. In the encoder every token sees all others: it has no
                      window, and no output head; the decoder's blocks also have cross-attention,
                      with as many heads as its self-attention
    share_embeddings  source and target share one embedding table; with the decoder's tie_weights,
                      it is also the output head (AIAYN section 3.4)
    start_id, end_id  pieces of the target's vocabulary: the first one of each target, as input for
                      the prediction of its first token, and the last one

    Raises ValueError, with a remedy, for an invalid value.
    """

    encoder: ModelConfig
    decoder: ModelConfig
    share_embeddings: bool = True
    start_id: int = field(0, least=0)
    end_id: int = field(1, least=0)

    def __post_init__(self) -> None:
        fields.check(self)
        encoder, decoder = self.encoder, self.decoder
        if encoder.n_embd != decoder.n_embd:
            raise ValueError(
                f"the encoder is {encoder.n_embd} wide and the decoder, which reads what it makes, "
                f"{decoder.n_embd}; use one n_embd for both"
            )
        if encoder.window is not None:
            raise ValueError(
                f"the encoder's window {encoder.window} cannot be: its tokens see all others; "
                "leave it None"
            )
        if max(self.start_id, self.end_id) >= decoder.vocab_size:
            raise ValueError(
                f"start_id {self.start_id} and end_id {self.end_id} must both be among the "
                f"{decoder.vocab_size} pieces of the target; 0 and 1 are usual"
            )
        if self.share_embeddings and encoder.vocab_size != decoder.vocab_size:
            raise ValueError(
                f"one table cannot embed {encoder.vocab_size} pieces of the source and "
                f"{decoder.vocab_size} of the target; use one vocabulary, or share_embeddings False"
            )

    def to_json(self) -> dict[str, Any]:
        """Returns the contents of config.json."""
        return {"architecture": PAIR_ARCHITECTURE, "format": FORMAT, **fields.to_json(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EncoderDecoderConfig:
        """Creates a config from its JSON. Raises ValueError as `ModelConfig.from_json` does."""
        values = fields.as_object(values, WHAT)
        _check_architecture(values.pop("architecture", None), PAIR_ARCHITECTURE)
        return fields.from_json(cls, values, WHAT, FORMAT)


def _check_architecture(given: Any, wanted: str) -> None:
    if given != wanted:
        raise ValueError(
            f"architecture {quoted(given)} cannot be opened; this version opens {ARCHITECTURE!r} "
            f"and {PAIR_ARCHITECTURE!r}: choose another model"
        )


def config_from_json(values: Mapping[str, Any]) -> ModelConfig | EncoderDecoderConfig:
    """Creates either config from a config.json. Raises ValueError as their `from_json` do."""
    values = fields.as_object(values, WHAT)
    if values.get("architecture") == PAIR_ARCHITECTURE:
        return EncoderDecoderConfig.from_json(values)
    return ModelConfig.from_json(values)
