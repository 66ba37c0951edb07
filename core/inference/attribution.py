"""Direct logit attribution: which parts raised this token's logit.

A logit is the dot product of the final, normalized stream with the token's row of the unembedding.
The stream is a sum of the embedding and the outputs of all heads and MLPs. With the norm's scale
held constant, the logit is also a sum, with one term for each of them. Source: A Mathematical
Framework for Transformer Circuits (Elhage et al. 2021), sections "Residual stream" and "Logit
effects".

A post-norm model normalizes the stream after every sublayer, so its logit is not a sum of these
outputs. It becomes one if the scales of all norms are held constant: a term is then the
contribution of a part for the norms' scales on this text.

Letters in shapes: C width of the residual stream, L layers, H heads, D dimensions a head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from core.inference.activations import check_ids, looking_at
from core.inference.indices import check_position, check_tokens
from core.inference.interventions import Part, part_name
from core.transformer.architectures import gpt_of
from core.transformer.attention import Attention
from core.transformer.gpt import EMBEDDING, GPT
from core.transformer.look import Look, Replacements, Site
from core.transformer.norms import LayerNorm, RMSNorm
from core.transformer.positions import sinusoids

KINDS = ("head_output", "attention_output", "mlp_output",
         "residual_in", "residual_mid", "residual_out")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class LogitTerm:
    """The contribution of one part of the model to the logit.

    kind    "embedding", "position", "head", "attention_bias", "mlp", "norm_bias" or "unexplained"
    value   in logits
    length  of the vector that the part adds to the stream; NaN if there is none
    """

    kind: str
    value: float
    length: float
    layer: int | None = None
    head: int | None = None

    @property
    def name(self) -> str:
        """The name to display: "head 3.1", "MLP 3", "embedding"."""
        if self.part is not None:
            return part_name(self.part)
        biases = {"attention_bias": f"bias {self.layer}", "norm_bias": "norm's bias"}
        return biases.get(self.kind, self.kind)

    @property
    def part(self) -> Part | None:
        """The part that an Intervention can switch off; None for any other term."""
        if self.layer is None or self.kind == "attention_bias":
            return None
        return self.layer, self.head


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """A logit, or its lead over another one, as a sum.

    position, token, against  the token after this position; the other token, or None
    logit        as the model computed it
    terms        their values add up to `logit`; the last is the unexplained rest: rounding, or a
                 replaced value that no part has written
    norms        number of norms held constant; 1 in a pre-norm model
    """

    position: int
    token: int
    against: int | None
    logit: float
    terms: tuple[LogitTerm, ...]
    norms: int

    def of(self, kind: str) -> np.ndarray:
        """Returns the values of one kind in order: "mlp" (L,), "head" (L H,), "embedding" (1,)."""
        return np.array([term.value for term in self.terms if term.kind == kind])


def written_by(heads: Tensor, weights: Tensor) -> Tensor:
    """Multiplies each head's sum of values (H, 1, D) by its rows of W_O (H, D, C)."""
    written = heads @ weights  # (H, 1, C)  # step: write
    return written


def scaled_direction(direction: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """Scales a direction (C,) as a norm scales the stream: weight (C,), scale ()."""
    pulled = direction * weight / scale  # (C,)  # step: scale
    return pulled


def centered_direction(pulled: Tensor) -> Tensor:
    """Centers a direction (C,), in place of LayerNorm's centering of the stream."""
    mean = pulled.mean()
    centered = pulled - mean  # (C,)  # step: center
    return centered


def contribution_of(written: Tensor, direction: Tensor) -> Tensor:
    """Computes the dot products of vectors (..., C) with a direction (C,) -> (...)."""
    contribution = written @ direction  # step: contribution
    return contribution


def attribute(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    token: int | None = None,
    *,
    against: int | None = None,
    position: int = -1,
    replace: Replacements | None = None,
) -> Attribution:
    """Splits the logit of `token` after `position`, or its lead over `against`, into terms.

    token     None: the model's likeliest one
    replace   as in a Look: the interventions on the model

    Computed in float64 from the model's activations. Raises ValueError as `check_ids` does, and for
    a token or position that does not exist.
    """
    return attribution_of(Parts(model, ids, position, replace), token, against)


def attribution_of(
    parts: Parts, token: int | None = None, against: int | None = None
) -> Attribution:
    """Splits a logit into terms, as `attribute` does, from a pass that has already run."""
    token = int(parts.logits.argmax()) if token is None else token
    direction, logit = parts.target(token, against)
    stops = list(path_to(parts, direction))
    terms = terms_of(parts, stops)
    told = sum(term.value for term in terms)
    terms.append(LogitTerm("unexplained", logit - told, float("nan")))
    return Attribution(parts.position, token, against, logit, tuple(terms), len(stops[-1].held))


def terms_of(parts: Parts, stops: Sequence[Stop]) -> list[LogitTerm]:
    """Returns the term of each part, the embedding's first; `stops` are those of `path_to`, and may
    hold the norms' scales of another pass.
    """
    terms = []
    for stop in stops:
        layer, direction = stop.layer, stop.direction
        if stop.kind == "embedding":
            token_part, place_part = parts.embedded()
            terms += [_term("position", place_part, direction)] if place_part is not None else []
            terms.append(_term("embedding", token_part, direction))
        elif stop.kind == "mlp":
            terms.append(_term("mlp", parts.at("mlp_output", layer), direction, layer))
        else:
            attn = parts.model.blocks[layer].attn
            if attn.c_proj.bias is not None:
                bias = attn.c_proj.bias.detach().double()
                terms.append(_term("attention_bias", bias, direction, layer))
            written = written_by(parts.at("head_output", layer)[:, None], head_weights(attn))
            for head, one in reversed(list(enumerate(written[:, 0]))):
                terms.append(_term("head", one, direction, layer, head))
    terms.reverse()
    held = stops[-1].held
    if any(norm.bias is not None for norm in held):
        terms.append(LogitTerm("norm_bias", sum(norm.bias or 0.0 for norm in held), float("nan")))
    return terms


def _term(
    kind: str, written: Tensor, direction: Tensor, layer: int | None = None, head: int | None = None
) -> LogitTerm:
    value = float(contribution_of(written, direction))
    return LogitTerm(kind, value, float(written.norm()), layer, head)


def head_weights(attn: Attention) -> Tensor:
    """Returns the rows of W_O that belong to each head: (H, D, C), float64."""
    return attn.c_proj.weight.detach().double().mT.unflatten(0, (attn.n_head, -1))


class Parts:
    """The outputs of a model's parts at one token, float64, from one pass over `ids`.

    Raises ValueError as `attribute` does.
    """

    def __init__(
        self,
        model: GPT,
        ids: Sequence[int] | np.ndarray,
        position: int = -1,
        replace: Replacements | None = None,
    ) -> None:
        model = gpt_of(model)
        batch = check_ids(model, ids)
        at = check_position(position, batch.size(1))
        layers = range(model.config.n_layer)
        sites = [Site("decoder", layer, kind) for layer in layers for kind in KINDS]
        look = Look([EMBEDDING, *sites], replace)
        with looking_at(model):
            logits = model(batch, look)[0, at]
        self.model, self.position, self.logits = model, at, logits.double().cpu()
        self._kept = {site: value[0, ..., at, :].double() for site, value in look.values.items()}
        self._token = batch[0, at]

    def at(self, kind: str, layer: int) -> Tensor:
        """Returns one site: (C,), or (H, D) for "head_output"."""
        return self._kept[Site("decoder", layer, kind)]

    def embedded(self) -> tuple[Tensor, Tensor | None]:
        """Returns the parts of the stream from the token and from its position; None if rotary."""
        config, whole = self.model.config, self._kept[EMBEDDING]
        if config.positions == "rope":
            return whole, None
        if config.positions == "learned":
            place = self.model.wpe.weight[self.position].detach().double()
        else:
            last = self.position + 1
            place = sinusoids(last, config.n_embd, whole.device)[-1].to(whole)
        return whole - place, place

    def target(self, token: int, against: int | None) -> tuple[Tensor, float]:
        """Returns the direction after the final norm that yields the logit, and the logit."""
        rows, logits = self.model.lm_head.weight.detach(), self.logits
        vocab_size = self.model.config.vocab_size
        check_tokens(vocab_size, [token] if against is None else [token, against])
        if against is None:
            return rows[token].double(), float(logits[token])
        difference = rows[token].double() - rows[against].double()
        return difference, float(logits[token] - logits[against])


@dataclass(frozen=True, slots=True, eq=False)
class HeldNorm:
    """A norm made linear by a constant scale, and a direction (C,) pulled back through it.

    direction   after the norm
    pulled      the same before the norm
    centered    `pulled` minus its mean, for a LayerNorm; None for an RMSNorm
    bias        contribution of the norm's bias along the direction; None without a bias
    """

    direction: Tensor
    weight: Tensor
    scale: Tensor
    pulled: Tensor
    centered: Tensor | None
    bias: float | None

    @property
    def before(self) -> Tensor:
        return self.pulled if self.centered is None else self.centered


def hold(norm: nn.Module, x: Tensor, direction: Tensor) -> HeldNorm:
    """Returns a HeldNorm with the scale that the norm has for x (C,)."""
    assert isinstance(norm, (LayerNorm, RMSNorm))
    weight = norm.weight.detach().double()
    is_layer_norm = isinstance(norm, LayerNorm)
    spread = x.var(correction=0) if is_layer_norm else x.square().mean()
    scale = (spread + norm.eps).sqrt()
    pulled = scaled_direction(direction, weight, scale)
    centered = centered_direction(pulled) if is_layer_norm else None
    own = norm.bias if isinstance(norm, LayerNorm) else None
    bias = None if own is None else float(own.detach().double() @ direction)
    return HeldNorm(direction, weight, scale, pulled, centered, bias)


@dataclass(frozen=True, slots=True, eq=False)
class Stop:
    """A part of the model, on the way back from the logits to the embedding.

    kind   "mlp", "attention" or "embedding"
    layer  of the part; -1 for the embedding
    held   norms between the part and the logits, the last one first
    """

    kind: str
    layer: int
    held: tuple[HeldNorm, ...]

    @property
    def direction(self) -> Tensor:
        """(C,), pulled back to the part's output."""
        return self.held[-1].before


def path_to(parts: Parts, direction: Tensor) -> Iterator[Stop]:
    """Yields the parts from the last to the first, each with a direction (C,) after the final norm
    pulled back to it. A post-norm model has two norms a layer, any other one at the end.
    """
    model, held = parts.model, tuple[HeldNorm, ...]()
    last = model.config.n_layer - 1
    is_post = model.config.norm_placement == "post"
    if not is_post:
        held = (hold(model.ln_f, parts.at("residual_out", last), direction),)
    for layer in range(last, -1, -1):
        block = model.blocks[layer]
        if is_post:
            x = parts.at("residual_mid", layer) + parts.at("mlp_output", layer)
            held = (*held, hold(block.ln_2, x, held[-1].before if held else direction))
        yield Stop("mlp", layer, held)
        if is_post:
            x = parts.at("residual_in", layer) + parts.at("attention_output", layer)
            held = (*held, hold(block.ln_1, x, held[-1].before))
        yield Stop("attention", layer, held)
    yield Stop("embedding", -1, held)
