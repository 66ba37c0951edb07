"""The number of a transformer's parameters, by component, from its config alone. Loads no torch.

Letters: C width of the residual stream, V pieces in the vocabulary, T the longest context, H heads,
G key and value heads, D dimensions a head, F width of the MLP's hidden layer.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

from core.transformer.config import EncoderDecoderConfig, ModelConfig


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """Number of parameters in all layers together; those of a tied output head count once.

    token_embedding     V C
    position_embedding  T C if positions are learned; rotary ones have none
    attention           a layer: (H + 2 G) D C and H D C, and their biases; twice as many if it also
                        reads a source
    mlp                 a layer: 2 F C, with a gate 3 F C, and their biases
    norms               two a layer, one more if it reads a source, with qk_norm two more of D; the
                        final one of a pre-norm model
    output_head         V C if it is not the token embedding
    """

    token_embedding: int
    position_embedding: int
    attention: int
    mlp: int
    norms: int
    output_head: int

    @property
    def total(self) -> int:
        tokens, positions, attention, mlp, norms, head = astuple(self)
        total = tokens + positions + attention + mlp + norms + head  # step: total
        return int(total)


def parameters(config: ModelConfig, reads_source: bool = False) -> ParameterCount:
    """Returns the parameters of the model that `config` describes, by component. `reads_source`:
    its blocks have cross-attention.
    """
    C, F, L = config.n_embd, config.inner_width, config.n_layer
    bias, qkv_bias, o_bias = int(config.bias), int(config.has_qkv_bias), int(config.has_o_bias)
    projected = (config.n_head + 2 * config.kv_heads) * config.head_width
    widening = 2 if config.mlp == "swiglu" else 1  # layers from C to F
    attentions = 2 if reads_source else 1
    matrices = inner_matrices(config)
    of_attention = sum(rows * columns for rows, columns in matrices[:2])
    of_mlp = sum(rows * columns for rows, columns in matrices[2:])
    norm = C if config.norm == "rms_norm" else C + bias * C
    head_norms = 2 * config.head_width if config.qk_norm else 0
    final = norm if config.norm_placement == "pre" else 0
    return ParameterCount(
        token_embedding=config.vocab_size * C,
        position_embedding=config.block_size * C if config.positions == "learned" else 0,
        attention=L * attentions * (of_attention + qkv_bias * projected + o_bias * C),
        mlp=L * (of_mlp + bias * (widening * F + C)),
        norms=L * ((1 + attentions) * norm + head_norms) + final,
        output_head=0 if config.tie_weights else config.vocab_size * C,
    )


def parameters_of_encoder_decoder(
    config: EncoderDecoderConfig,
) -> tuple[ParameterCount, ParameterCount]:
    """Returns the encoder's parameters and the decoder's; a shared table belongs to the encoder."""
    encoder = replace(parameters(config.encoder), output_head=0)
    decoder = parameters(config.decoder, reads_source=True)
    if config.share_embeddings:
        decoder = replace(decoder, token_embedding=0)
    return encoder, decoder


def parameter_count(config: ModelConfig | EncoderDecoderConfig) -> int:
    """Returns the number of parameters; tied ones count once."""
    if isinstance(config, EncoderDecoderConfig):
        return sum(part.total for part in parameters_of_encoder_decoder(config))
    return parameters(config).total


def inner_matrices(config: ModelConfig) -> list[tuple[int, int]]:
    """Returns (rows, columns) of one layer's matrices: attention's two, the MLP's two or three.

    They are the same in all layers; embeddings and the output head are not included.
    """
    C, F = config.n_embd, config.inner_width
    width = config.n_head * config.head_width
    projected = (config.n_head + 2 * config.kv_heads) * config.head_width
    widening = [(F, C)] * (2 if config.mlp == "swiglu" else 1)
    return [(projected, C), (C, width), *widening, (C, F)]


def parameter_shapes(
    config: ModelConfig | EncoderDecoderConfig,
) -> dict[str, tuple[int, ...]]:
    """Returns every parameter's shape by name, tied ones once; matrices are (out, in)."""
    if isinstance(config, ModelConfig):
        return _tables(config) | _blocks(config) | _head(config)
    encoder = _tables(config.encoder) | _blocks(config.encoder)
    decoder = _tables(config.decoder) | _blocks(config.decoder, reads_source=True)
    if config.share_embeddings:
        del decoder["wte.weight"]
    stacks = {"encoder": encoder, "decoder": decoder}
    named = {
        f"{stack}.{name}": shape
        for stack, shapes in stacks.items()
        for name, shape in shapes.items()
    }
    return named | _head(config.decoder)


def _tables(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (config.vocab_size, config.n_embd)}
    if config.positions == "learned":
        shapes["wpe.weight"] = (config.block_size, config.n_embd)
    return shapes


def _blocks(config: ModelConfig, reads_source: bool = False) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of all blocks, and of the norm after them."""
    C, D, shapes = config.n_embd, config.head_width, {}

    def add(module: str, bias: bool, *shape: int) -> None:
        shapes[f"{module}.weight"] = shape
        if bias:
            shapes[f"{module}.bias"] = shape[:1]

    norm_bias = config.bias and config.norm == "layer_norm"
    gates = ("c_gate",) if config.mlp == "swiglu" else ()
    matrices = inner_matrices(config)
    queries, width = config.n_head * D, matrices[0][0]
    for layer in range(config.n_layer):
        at = f"h.{layer}"
        add(f"{at}.ln_1", norm_bias, C)
        add(f"{at}.attn.c_attn", config.has_qkv_bias, *matrices[0])
        for name in ("q_norm", "k_norm") if config.qk_norm else ():
            add(f"{at}.attn.{name}", False, D)
        add(f"{at}.attn.c_proj", config.has_o_bias, *matrices[1])
        if reads_source:
            add(f"{at}.ln_cross", norm_bias, C)
            add(f"{at}.cross.c_q", config.has_qkv_bias, queries, C)
            add(f"{at}.cross.c_kv", config.has_qkv_bias, width - queries, C)
            add(f"{at}.cross.c_proj", config.has_o_bias, *matrices[1])
        add(f"{at}.ln_2", norm_bias, C)
        for name, matrix in zip((*gates, "c_fc", "c_proj"), matrices[2:], strict=True):
            add(f"{at}.mlp.{name}", config.bias, *matrix)
    if config.norm_placement == "pre":
        add("ln_f", norm_bias, C)
    return shapes


def _head(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    return {} if config.tie_weights else {"lm_head.weight": (config.vocab_size, config.n_embd)}
