"""What each part of a model costs, from its config alone: parameters, arithmetic, memory.

Letters: T tokens, C width of the residual stream, V pieces in the vocabulary, L layers, H heads, G
key and value heads, D dimensions a head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.training.estimates.activations import FULL, block_parts, kept
from core.training.estimates.flops import FORWARD
from core.transformer.config import ModelConfig
from core.transformer.parameters import inner_matrices, parameters

NAMES = ("tokens", "positions", "attention", "mlp", "norms", "head")


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the model, of all layers together.

    parameters    that it learns; a tied output head has none of its own
    flops         of one forward pass: a multiplication or an addition is one
    weights       bytes of the parameters
    cache         bytes of keys and values that generation keeps
    activations   bytes that a forward pass keeps for its backward pass, in fp32 on a CPU; those of
                  dropout stand with the norms
    """

    name: str
    parameters: int
    flops: int
    weights: int
    cache: int
    activations: int


def components(model: ModelConfig, tokens: int, item: int = FULL) -> tuple[Component, ...]:
    """The costs of one text of so many tokens, by the names in `NAMES`; `item`: bytes of a weight
    and of a cached number.

    Arithmetic is that of matrix products: 2 T for each weight in one, and 4 L H D T^2 for scores
    and values, of which half is masked. Norms, softmax and the look-up of tokens are not counted
    (Kaplan et al. 2020, table 1). A layer with a window computes all scores and caches its window.
    """
    T, H, D = tokens, model.n_head, model.head_width
    learned = parameters(model)
    sizes = [rows * columns for rows, columns in inner_matrices(model)]
    forward, L = int(FORWARD) * T, model.n_layer
    flops = {
        "attention": L * (forward * sum(sizes[:2]) + 2 * forward * T * H * D),
        "mlp": L * forward * sum(sizes[2:]),
        "head": forward * model.vocab_size * model.n_embd,
    }
    windows = (model.window_of(layer) or T for layer in range(L))
    cached = sum(2 * model.kv_heads * D * min(T, window) for window in windows)
    short = replace(model, block_size=T)
    around = kept(short, 1)
    inside = [block_parts(short, layer, 1, FULL, "cpu") for layer in range(L)]
    activations = {name: sum(part[name] for part in inside) for name in ("attention", "mlp")}
    activations |= {
        "tokens": around.embedding,
        "norms": around.blocks - sum(activations.values()),
        "head": around.final + around.loss,
    }
    counts = (
        *(learned.token_embedding, learned.position_embedding, learned.attention),
        *(learned.mlp, learned.norms, learned.output_head),
    )
    return tuple(
        Component(
            name, count, flops.get(name, 0), item * count,
            item * cached if name == "attention" else 0, activations.get(name, 0),
        )
        for name, count in zip(NAMES, counts, strict=True)
    )  # fmt: skip
