"""Sites and the Look: the values inside a model to record or to replace.

A model's `forward(ids, look)` hands the Look from block to block, and each module offers the values
that it computes: `weights = look.at(site, weights)`. There are no hooks, which compiled models
skip silently; so a Look also works under torch.compile, activation checkpointing, DDP and FSDP2.

Letters in shapes: B sequences, T tokens, C width of the residual stream, H heads, G key and value
heads, D dimensions a head, V pieces in the vocabulary.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from core.files import quoted
from core.transformer.config import EncoderDecoderConfig, ModelConfig

STACKS = ("decoder", "encoder")
ATTENTION_KINDS = ("queries", "keys", "values", "scores", "masked", "weights", "head_output")
LAYER_KINDS = (
    *ATTENTION_KINDS, "attention_output", "mlp_hidden", "mlp_output",
    "residual_in", "residual_mid", "residual_out",
)  # fmt: skip
CROSS_KINDS = tuple(f"cross.{kind}" for kind in (*ATTENTION_KINDS, "attention_output"))
ENDS = ("embedding", "logits")  # of a stack, without a layer
# Fused attention never computes these values: requests for them use the explicit path.
EXPLICIT = ("scores", "masked", "weights")

Replacement = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Site:
    """A value inside a model. As text: "decoder.3.weights", "decoder.3.cross.weights",
    "encoder.embedding".

    queries        (B, H, T, D)   rotated, if positions are rotary
    keys, values   (B, G, T, D)   keys rotated as well
    scores         (B, H, T, T)   q k^T, before they are scaled
    masked         (B, H, T, T)   scaled, and -inf where a query may not look
    weights        (B, H, T, T)   each row sums to 1; before dropout
    head_output    (B, H, T, D)   each head's sum of values, before `c_proj` mixes them
    attention_output, mlp_output
                   (B, T, C)      what each of the two adds to the stream, before dropout
    mlp_hidden     (B, T, inner)  the input of `mlp.c_proj`
    residual_in, residual_mid, residual_out
                   (B, T, C)      the stream before a block, between attention and MLP, and after it
    embedding      (B, T, C)      the stream before the first block; no layer
    logits         (B, T, V)      no layer

    In a decoder that reads a source, the prefix "cross." on a kind of attention means its
    cross-attention, with Tt rows and Ts columns in place of T and T: "cross.weights" is
    (B, H, Tt, Ts). Its residual_mid comes after both attentions.

    Raises ValueError, with a remedy, for an unknown stack or kind.
    """

    stack: str
    layer: int | None
    kind: str

    def __post_init__(self) -> None:
        site = quoted(str(self))
        if self.stack not in STACKS:
            raise ValueError(f"unknown site {site}; the stacks are {' and '.join(STACKS)}")
        if self.kind not in (*LAYER_KINDS, *CROSS_KINDS, *ENDS):
            kinds = ", ".join((*LAYER_KINDS, *CROSS_KINDS, *ENDS))
            raise ValueError(f"unknown site {site}; the kinds are {kinds}")
        if (self.layer is None) != (self.kind in ENDS):
            example = f"decoder.{self.kind}" if self.kind in ENDS else f"decoder.0.{self.kind}"
            raise ValueError(f"site {site} cannot be; write it like {example}")

    def __str__(self) -> str:
        return ".".join(str(p) for p in (self.stack, self.layer, self.kind) if p is not None)

    @classmethod
    def parse(cls, text: str) -> Site:
        """Creates a site from its text, as in `str`. Raises ValueError for any other text."""
        stack, _, rest = text.partition(".")
        number, _, kind = rest.partition(".")
        if number.isascii() and number.isdecimal() and len(number) < 10:
            return cls(stack, int(number), kind)
        if stack in STACKS and rest:
            return cls(stack, None, rest)
        raise ValueError(
            f"unknown site {quoted(text)}; a site is written like decoder.0.weights or "
            "decoder.logits"
        )


Replacements = Mapping[Site | str, Replacement]


class Look:
    """The values of one forward pass to record or to replace; sites may be texts.

    sites    each one's first value is recorded in `values`: activation checkpointing computes it
             again during the backward pass
    replace  site -> a function of its value; its result passes through the later lines, and is
             recorded. A function that writes into its argument changes values recorded elsewhere,
             so it should return a new tensor

    A Look is for one forward pass. It records tensors unchanged, with their graph if gradients are
    on; `values` has them by site after the pass.
    """

    def __init__(
        self,
        sites: Iterable[Site | str] = (),
        replace: Replacements | None = None,
    ) -> None:
        self.sites = frozenset(map(_site, sites))
        self.replace = {_site(site): change for site, change in (replace or {}).items()}
        self.values: dict[Site, Tensor] = {}

    def wants(self, site: Site) -> bool:
        """True if the value is recorded or replaced there, so that a module must compute it."""
        return site in self.sites or site in self.replace

    def replaces(self, site: Site) -> bool:
        """True if the value is replaced there, which invalidates results of the old one."""
        return site in self.replace

    def at(self, site: Site, value: Tensor) -> Tensor:
        """Records the value at a site; returns it, or its replacement."""
        if site in self.replace:
            value = self.replace[site](value)
        if site in self.sites and site not in self.values:
            self.values[site] = value
        return value


def _site(site: Site | str) -> Site:
    return site if isinstance(site, Site) else Site.parse(site)


@functools.cache
def layer_sites(stack: str, layer: int) -> dict[str, Site]:
    """Returns the sites of one layer, by kind."""
    return {kind: Site(stack, layer, kind) for kind in LAYER_KINDS}


@functools.cache
def cross_sites(layer: int) -> dict[str, Site]:
    """Returns the sites of one layer's cross-attention, by kind, without the prefix "cross."."""
    return {kind.removeprefix("cross."): Site("decoder", layer, kind) for kind in CROSS_KINDS}


def check_sites(config: ModelConfig | EncoderDecoderConfig, look: Look) -> None:
    """Raises ValueError, with a remedy, for a site that a model with this config does not have."""
    for site in (*look.sites, *look.replace):
        if isinstance(config, EncoderDecoderConfig):
            stack = config.encoder if site.stack == "encoder" else config.decoder
            if site.stack == "encoder" and site.kind in (*CROSS_KINDS, "logits"):
                raise ValueError(f"site {site} is not there: it is one of the decoder")
        else:
            stack = config
            if site.stack != "decoder" or site.kind in CROSS_KINDS:
                raise ValueError(f"site {site} is not there: this model is a decoder alone")
        if site.layer is not None and site.layer >= stack.n_layer:
            raise ValueError(
                f"site {site} is not there: this model has layers 0 to {stack.n_layer - 1}"
            )
