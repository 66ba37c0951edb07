"""The cost of each part of a model, from its config alone: parameters, arithmetic, memory.

Letters: T tokens, C width of the residual stream, V pieces in the vocabulary, L layers, H heads, G
key and value heads, D dimensions a head.
"""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, fields, replace

from core.training.estimates.activations import FULL, block_parts, kept
from core.training.estimates.flops import FORWARD
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.parameters import (
    ParameterCount,
    inner_matrices,
    parameters,
    parameters_of_encoder_decoder,
)

NAMES = tuple(field.name for field in fields(ParameterCount))


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the model, in all layers together.

    parameters    learned numbers; a tied output head has none of its own
    flops         of one forward pass: a multiplication or an addition is one
    weights       bytes of the parameters
    cache         bytes of keys and values cached in generation
    activations   bytes that a forward pass saves for its backward pass, in fp32 on a CPU; those of
                  dropout are included in the norms
    """

    name: str
    parameters: int
    flops: int
    weights: int
    cache: int
    activations: int


def components(
    model: ModelConfig | EncoderDecoderConfig, tokens: int, item: int = FULL
) -> tuple[Component, ...]:
    """Returns the costs of one text of so many tokens, by the names in `NAMES`; `item`: bytes of a
    weight and of a cached number. For an encoder-decoder: of a source and a target of so many
    tokens each, without the activations of its backward pass.

    Arithmetic is that of matrix products: 2 T for each weight in one, and 4 L H D T^2 for scores
    and values, of which half is masked. Norms, softmax and the look-up of tokens are not counted
    (Kaplan et al. 2020, table 1). A layer with a window computes all scores and caches its window.
    """
    if isinstance(model, EncoderDecoderConfig):
        encoder, decoder = parameters_of_encoder_decoder(model)
        source = _costs(model.encoder, encoder, tokens, item, attentions=1, is_encoder=True)
        target = _costs(model.decoder, decoder, tokens, item, attentions=2)
        return tuple(_sum(one, other) for one, other in zip(source, target, strict=True))
    made = _costs(model, parameters(model), tokens, item, attentions=1)
    short, layers = replace(model, block_size=tokens), range(model.n_layer)
    around = kept(short, 1)
    inside = [block_parts(short, layer, 1, FULL, "cpu") for layer in layers]
    held = {name: sum(part[name] for part in inside) for name in ("attention", "mlp")}
    held |= {
        "token_embedding": around.embedding,
        "norms": around.blocks - sum(held.values()),
        "output_head": around.final + around.loss,
    }
    return tuple(replace(part, activations=held.get(part.name, 0)) for part in made)


def _costs(
    model: ModelConfig, learned: ParameterCount, tokens: int, item: int, attentions: int,
    is_encoder: bool = False,
) -> tuple[Component, ...]:  # fmt: skip
    """Returns the costs of one stack; `attentions` in a block: 2 with (equal) cross-attention."""
    T, H, D, L = tokens, model.n_head, model.head_width, model.n_layer
    sizes = [rows * columns for rows, columns in inner_matrices(model)]
    forward = int(FORWARD) * T
    flops = {
        "attention": attentions * L * (forward * sum(sizes[:2]) + 2 * forward * T * H * D),
        "mlp": L * forward * sum(sizes[2:]),
        "output_head": 0 if is_encoder else forward * model.vocab_size * model.n_embd,
    }
    seen = [min(T, model.window_of(layer) or T) for layer in range(L)]
    cache = {"attention": 0 if is_encoder else 2 * model.kv_heads * D * attentions * sum(seen)}
    return tuple(
        Component(
            name=name,
            parameters=count,
            flops=flops.get(name, 0),
            weights=item * count,
            cache=item * cache.get(name, 0),
            activations=0,
        )
        for name, count in asdict(learned).items()
    )


def _sum(one: Component, other: Component) -> Component:
    numbers = (
        mine + yours for mine, yours in zip(astuple(one)[1:], astuple(other)[1:], strict=True)
    )
    return Component(one.name, *numbers)
