"""Direct logit attribution: which parts raised this token's logit.

A logit is a dot product of the final stream, once normed, with the token's row of the unembedding.
The stream is a sum: of the embedding, and of what each head and each MLP wrote. With the norm's
scale held as it is, the logit is a sum, too, with one term for each of them. Source: A Mathematical
Framework for Transformer Circuits (Elhage et al. 2021), sections "Residual stream" and "Logit
effects".

A post-norm model norms the stream after every sublayer, so that its logit is no sum of what was
written. It becomes one where the scales of all these norms are held: a term then says what a part
adds while the norms after it stay as they are for this text.

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
    """What one part of the model adds to the logit.

    kind    "embedding", "position", "head", "attention_bias", "mlp", "norm_bias" or "unexplained"
    value   in logits
    length  of the vector that it writes to the stream; NaN where it writes none
    """

    kind: str
    value: float
    length: float
    layer: int | None = None
    head: int | None = None

    @property
    def name(self) -> str:
        """For people: "head 3.1", "MLP 3", "embedding"."""
        if self.part is not None:
            return part_name(self.part)
        biases = {"attention_bias": f"bias {self.layer}", "norm_bias": "norm's bias"}
        return biases.get(self.kind, self.kind)

    @property
    def part(self) -> Part | None:
        """What an Intervention can switch off; None for any other term."""
        if self.layer is None or self.kind == "attention_bias":
            return None
        return self.layer, self.head


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """A logit, or how far it is above another one, as a sum.

    position, token, against   what is attributed: of the token after this position; None: no other
    logit        what the model computed
    terms        their values add up to `logit`; the last is what they leave unexplained: rounding,
                 or something put in a site's place that no part has written
    norms        how many norms are held; 1 in a pre-norm model
    """

    position: int
    token: int
    against: int | None
    logit: float
    terms: tuple[LogitTerm, ...]
    norms: int

    def of(self, kind: str) -> np.ndarray:
        """Values of one kind in order: "mlp" (L,), "head" (L H,), "embedding" (1,)."""
        return np.array([term.value for term in self.terms if term.kind == kind])


def written_by(heads: Tensor, weights: Tensor) -> Tensor:
    """The output of each head: what it read (H, 1, D) times its rows of W_O (H, D, C)."""
    written = heads @ weights  # (H, 1, C)  # step: write
    return written


def scaled_direction(direction: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    """Scale a direction (C,) as a norm scales the stream: weight (C,), scale ()."""
    pulled = direction * weight / scale  # (C,)  # step: scale
    return pulled


def centered_direction(pulled: Tensor) -> Tensor:
    """Center a direction (C,), in place of LayerNorm's centering of the stream."""
    mean = pulled.mean()
    centered = pulled - mean  # (C,)  # step: center
    return centered


def contribution_of(written: Tensor, direction: Tensor) -> Tensor:
    """Compute the dot products of vectors (..., C) with a direction (C,) -> (...)."""
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
    """Takes the logit of `token` after `position` apart; or how far it is above that of `against`.

    token     None: the one that the model finds likeliest
    replace   as in a Look: of a model that is changed on the way

    Computed in float64 from what the model made. Raises ValueError as `check_ids` does, and for a
    token or position that is not there.
    """
    parts = Parts(model, ids, position, replace)
    token = int(parts.logits.argmax()) if token is None else token
    direction, logit = parts.target(token, against)
    terms = []
    for stop in path_to(parts, direction):
        layer, direction, held = stop.layer, stop.direction, stop.held
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
    if any(norm.bias is not None for norm in held):
        terms.append(LogitTerm("norm_bias", sum(norm.bias or 0.0 for norm in held), float("nan")))
    told = sum(term.value for term in terms)
    terms.append(LogitTerm("unexplained", logit - told, float("nan")))
    return Attribution(parts.position, token, against, logit, tuple(terms), len(held))


def _term(
    kind: str, written: Tensor, direction: Tensor, layer: int | None = None, head: int | None = None
) -> LogitTerm:
    value = float(contribution_of(written, direction))
    return LogitTerm(kind, value, float(written.norm()), layer, head)


def head_weights(attn: Attention) -> Tensor:
    """The rows of W_O that each head writes with: (H, D, C), float64."""
    return attn.c_proj.weight.detach().double().mT.unflatten(0, (attn.n_head, -1))


class Parts:
    """What the parts of a model wrote at one token, float64: of one pass over `ids`.

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
        """One site: (C,), of "head_output" (H, D)."""
        return self._kept[Site("decoder", layer, kind)]

    def embedded(self) -> tuple[Tensor, Tensor | None]:
        """What the token's embedding adds, and what its position's; rotary ones add nothing."""
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
        """The direction that is looked along after the final norm, and the logit along it."""
        rows, logits = self.model.lm_head.weight.detach(), self.logits
        vocab_size = self.model.config.vocab_size
        check_tokens(vocab_size, [token] if against is None else [token, against])
        if against is None:
            return rows[token].double(), float(logits[token])
        difference = rows[token].double() - rows[against].double()
        return difference, float(logits[token] - logits[against])


@dataclass(frozen=True, slots=True, eq=False)
class HeldNorm:
    """A norm whose scale is held, so that it is linear: what a direction (C,) before it has to be.

    direction   that is looked along after the norm
    pulled      the same before it
    centered    with what a LayerNorm takes off; None: an RMSNorm takes nothing off
    bias        what the norm's bias adds along the direction; None: it has none
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
    """A norm as it is where it reads x (C,)."""
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
    layer  of the part; the embedding has -1
    held   norms between it and the logits, the last one first
    """

    kind: str
    layer: int
    held: tuple[HeldNorm, ...]

    @property
    def direction(self) -> Tensor:
        """(C,) that is looked along where the part writes."""
        return self.held[-1].before


def path_to(parts: Parts, direction: Tensor) -> Iterator[Stop]:
    """The parts from the last to the first, and what a direction (C,) after the final norm is where
    each of them writes. A post-norm model has two norms a layer, any other one at the end.
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
