"""How many numbers a transformer learns, part by part, from its config alone. Loads no torch.

Letters: C width of the residual stream, V pieces in the vocabulary, T the longest context, H heads,
G key and value heads, D dimensions a head, F width of the MLP's hidden layer.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

from core.transformer.config import ModelConfig


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """Numbers that are learned, of all layers together; those of a tied output head once.

    token_embedding     V C
    position_embedding  T C where positions are learned; rotary ones have none
    attention           a layer: (H + 2 G) D C and H D C, and their biases
    mlp                 a layer: 2 F C, with a gate 3 F C, and their biases
    norms               two a layer, with qk_norm two more of D; the final one of a pre-norm model
    output_head         V C where it is not the token embedding
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


def parameters(config: ModelConfig) -> ParameterCount:
    """The parameters of the model that `config` describes, by component."""
    C, F, L = config.n_embd, config.inner_width, config.n_layer
    bias, qkv_bias = int(config.bias), int(config.has_qkv_bias)
    projected = (config.n_head + 2 * config.kv_heads) * config.head_width
    widening = 2 if config.mlp == "swiglu" else 1  # layers from C to F
    matrices = inner_matrices(config)
    of_attention = sum(rows * columns for rows, columns in matrices[:2])
    of_mlp = sum(rows * columns for rows, columns in matrices[2:])
    norm = C if config.norm == "rms_norm" else C + bias * C
    head_norms = 2 * config.head_width if config.qk_norm else 0
    final = norm if config.norm_placement == "pre" else 0
    return ParameterCount(
        token_embedding=config.vocab_size * C,
        position_embedding=config.block_size * C if config.positions == "learned" else 0,
        attention=L * (of_attention + qkv_bias * projected + bias * C),
        mlp=L * (of_mlp + bias * (widening * F + C)),
        norms=L * (2 * norm + head_norms) + final,
        output_head=0 if config.tie_weights else config.vocab_size * C,
    )


def parameter_count(config: ModelConfig) -> int:
    """How many numbers are learned, tied ones once."""
    return parameters(config).total


def inner_matrices(config: ModelConfig) -> list[tuple[int, int]]:
    """(rows, columns) of one layer's matrices: attention's two, then the MLP's two or three.

    All layers have the same; embeddings and the output head are not among them.
    """
    C, F = config.n_embd, config.inner_width
    width = config.n_head * config.head_width
    projected = (config.n_head + 2 * config.kv_heads) * config.head_width
    widening = [(F, C)] * (2 if config.mlp == "swiglu" else 1)
    return [(projected, C), (C, width), *widening, (C, F)]


def parameter_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Every parameter of `GPT(config)` and its shape, tied ones once; matrices are (out, in)."""
    C, V, D = config.n_embd, config.vocab_size, config.head_width
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (V, C)}
    if config.positions == "learned":
        shapes["wpe.weight"] = (config.block_size, C)

    def add(module: str, bias: bool, *shape: int) -> None:
        shapes[f"{module}.weight"] = shape
        if bias:
            shapes[f"{module}.bias"] = shape[:1]

    norm_bias = config.bias and config.norm == "layer_norm"
    gates = ("c_gate",) if config.mlp == "swiglu" else ()
    matrices = inner_matrices(config)
    for layer in range(config.n_layer):
        at = f"h.{layer}"
        add(f"{at}.ln_1", norm_bias, C)
        add(f"{at}.attn.c_attn", config.has_qkv_bias, *matrices[0])
        for name in ("q_norm", "k_norm") if config.qk_norm else ():
            add(f"{at}.attn.{name}", False, D)
        add(f"{at}.attn.c_proj", config.bias, *matrices[1])
        add(f"{at}.ln_2", norm_bias, C)
        for name, matrix in zip((*gates, "c_fc", "c_proj"), matrices[2:], strict=True):
            add(f"{at}.mlp.{name}", config.bias, *matrix)
    if config.norm_placement == "pre":
        add("ln_f", norm_bias, C)
    if not config.tie_weights:
        shapes["lm_head.weight"] = (V, C)
    return shapes
