"""Interventions: the effect on the prediction if a head or an MLP writes less, or something else.

`scale_parts`, `mean_ablation` and `patch_activations` make the `replace` of a Look, so that the
model continues with the replaced values; `combine_replacements` joins several,
`compare_intervention` measures their effect.

Letters in shapes: B sequences, T tokens, C width of the residual stream, H heads, D dimensions a
head, V pieces in the vocabulary. Sources: ablation as in Michel et al. 2019, "Are Sixteen Heads
Really Better than One?", section 2; patching as in Meng et al. 2022, "Locating and Editing Factual
Associations in GPT", section 2.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at
from core.inference.indices import check_head, check_layer, check_position, check_positions
from core.inference.surprise import final_stream, log_probabilities_of
from core.transformer.architectures import gpt_of
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.look import Look, Replacement, Replacements, Site

HEADS, MLP = "head_output", "mlp_output"  # kinds of site at which these are changed
Part = tuple[int, int | None]  # a head as (layer, head), an MLP as (layer, None)


def part_name(part: Part) -> str:
    """Returns the name of a part: "head 3.1", "MLP 3"."""
    layer, head = part
    return f"MLP {layer}" if head is None else f"head {layer}.{head}"


def scale_parts(
    config: ModelConfig,
    heads: Mapping[tuple[int, int], float] | None = None,
    mlps: Mapping[int, float] | None = None,
) -> Replacements:
    """Multiplies the outputs of heads, by (layer, head), and of MLPs, by layer, by a factor; 0
    switches one off.

    A head or MLP that is off adds nothing to the stream, not even the MLP's bias; the bias of
    attention's `c_proj` belongs to no head and stays. Raises ValueError for invalid parts.
    """
    factors: dict[Site, Tensor] = {}
    for (layer, head), factor in (heads or {}).items():
        site = Site("decoder", check_layer(config, layer), HEADS)
        of_layer = factors.setdefault(site, torch.ones(config.n_head, 1, 1))
        of_layer[check_head(config.n_head, head)] = factor
    for layer, factor in (mlps or {}).items():
        factors[Site("decoder", check_layer(config, layer), MLP)] = torch.tensor(float(factor))
    return {site: partial(_multiplied, one) for site, one in factors.items()}


def mean_ablation(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    heads: Sequence[tuple[int, int]] = (),
    mlps: Sequence[int] = (),
) -> Replacements:
    """Replaces the outputs of heads and MLPs at each token by their mean over all tokens of `ids`
    (T,): the constant part stays, the information about this text is lost (mean ablation).

    Raises ValueError as `scale_parts` and `check_ids` do.
    """
    model = gpt_of(model)
    masks = head_masks(model.config, heads)
    for layer in mlps:
        masks[Site("decoder", check_layer(model.config, layer), MLP)] = torch.ones(1).bool()
    means = {
        site: value.mean(-2, keepdim=True)  # (1, H, 1, D), or (1, 1, C)
        for site, value in _kept(model, ids, masks).items()
    }
    return {site: partial(_mixed, mean, masks[site]) for site, mean in means.items()}


def patch_activations(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    sites: Sequence[Site],
    heads: Sequence[tuple[int, int]] = (),
    positions: Sequence[int] | None = None,
) -> Replacements:
    """Replaces values on the text that is read then by those on another text, `ids`: at `sites` and
    in `heads`, for the tokens at `positions` (None: all of them).

    The text that is read then must have as many tokens, as `patch_fits` checks beforehand; tokens
    generated after it are unchanged. Raises ValueError as `scale_parts` and `check_ids` do, for a
    position that does not exist, and, later, for a shorter text.
    """
    model = gpt_of(model)
    tokens = torch.zeros(len(ids), 1).bool()  # (T, 1): True for patched tokens
    tokens[check_positions(positions, len(ids))] = True
    masks = {
        site: tokens & heads_there  # (H, T, 1)
        for site, heads_there in head_masks(model.config, heads).items()
    }
    masks |= dict.fromkeys(sites, tokens)
    kept = _kept(model, ids, masks)
    return {site: partial(_with_beginning, kept[site], mask) for site, mask in masks.items()}


def patch_fits(ids: Sequence[int] | np.ndarray, other: Sequence[int] | np.ndarray) -> None:
    """Raises ValueError, with a remedy, unless both texts have the same number of tokens."""
    if len(ids) != len(other):
        raise ValueError(
            f"the other text has {len(other)} tokens and this one {len(ids)}; patching "
            "replaces token by token, so give both the same number"
        )


def combine_replacements(*several: Replacements) -> Replacements:
    """Combines replacements; at a site that two change, the later gets the earlier's result."""
    replacements: dict[Site | str, Replacement] = {}
    for one in several:
        for site, change in one.items():
            earlier = replacements.get(site)
            replacements[site] = change if earlier is None else partial(_both, earlier, change)
    return replacements


def _both(first: Replacement, second: Replacement, value: Tensor) -> Tensor:
    return second(first(value))


@dataclass(frozen=True, slots=True)
class Intervention:
    """Several interventions at once, as plain values.

    heads, mlps  (layer, head), and layers of MLPs, that are off
    mean         parts that are off write their mean over the text, rather than nothing
    patch        ids of another text with as many tokens; empty: none
    layer        whose input stream comes from that text, at the tokens at `positions` (None: all)
    """

    heads: tuple[tuple[int, int], ...] = ()
    mlps: tuple[int, ...] = ()
    mean: bool = False
    patch: tuple[int, ...] = ()
    layer: int = 0
    positions: tuple[int, ...] | None = None

    @property
    def off(self) -> tuple[Part, ...]:
        """All parts that are off."""
        return (*self.heads, *((layer, None) for layer in self.mlps))

    def replacements(self, model: GPT, ids: Sequence[int] | np.ndarray) -> Replacements:
        """Returns the replacements for a Look at `ids`; empty without an intervention. The patch
        comes first, so that parts that are off stay off. Raises ValueError as `scale_parts`,
        `mean_ablation` and `patch_activations` do.
        """
        several = []
        if self.patch:
            patch_fits(ids, self.patch)
            site = Site("decoder", self.layer, "residual_in")
            several.append(patch_activations(model, self.patch, [site], positions=self.positions))
        if self.mean and (self.heads or self.mlps):
            several.append(mean_ablation(model, ids, self.heads, self.mlps))
        elif self.heads or self.mlps:
            off = dict.fromkeys(self.heads, 0.0), dict.fromkeys(self.mlps, 0.0)
            several.append(scale_parts(model.config, *off))
        return combine_replacements(*several)


AS_IT_IS = Intervention()


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A model's results on a text: logits (V,) of the token after a position, and the surprise of
    each token in the text, (T,) nats in float64; the first one's is NaN.
    """

    logits: np.ndarray
    surprises: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        """(V,) float64."""
        return torch.from_numpy(self.logits).double().softmax(-1).numpy()

    @property
    def loss(self) -> float:
        """The mean surprise, in nats; NaN for a single token."""
        return float(self.surprises[1:].mean()) if len(self.surprises) > 1 else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The same text without and with an intervention; changes are after minus before."""

    before: Outcome
    after: Outcome

    @property
    def logits(self) -> np.ndarray:
        """(V,) change in each logit."""
        return self.after.logits - self.before.logits

    @property
    def probabilities(self) -> np.ndarray:
        """(V,) change in each token's probability."""
        return self.after.probabilities - self.before.probabilities

    @property
    def loss(self) -> float:
        """Change in the mean surprise, in nats."""
        return self.after.loss - self.before.loss


def compare_intervention(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    replace: Replacements,
    position: int = -1,
) -> Comparison:
    """Compares a model with and without an intervention: the token after `position`, and the text.

    Raises ValueError as `check_ids` does, and for a position that does not exist.
    """
    model = gpt_of(model)
    before = _outcome(model, ids, {}, position)
    return Comparison(before, _outcome(model, ids, replace, position) if replace else before)


def _outcome(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    replace: Replacements,
    position: int,
) -> Outcome:
    normed = final_stream(model, ids, replace)  # (T, C)
    at = check_position(position, len(normed))
    with looking_at(model):
        logits = model.lm_head(normed[at]).float()  # (V,)
    surprises = np.append(np.nan, -log_probabilities_of(model, normed, ids).numpy())
    return Outcome(logits.cpu().numpy(), surprises)


def head_masks(config: ModelConfig, heads: Iterable[tuple[int, int]]) -> dict[Site, Tensor]:
    """Returns the "head_output" site of each layer that has some of these heads (layer, head), with
    a mask (H, 1, 1) bool, True for them. Raises ValueError for a head that does not exist.
    """
    masks: dict[Site, Tensor] = {}
    for layer, head in heads:
        site = Site("decoder", check_layer(config, layer), HEADS)
        mask = masks.setdefault(site, torch.zeros(config.n_head, 1, 1).bool())
        mask[check_head(config.n_head, head)] = True
    return masks


def _multiplied(factor: Tensor, value: Tensor) -> Tensor:
    return value * factor.to(value)


def _mixed(other: Tensor, mask: Tensor, value: Tensor) -> Tensor:
    """Returns `other` where the mask is True, and `value` elsewhere."""
    return torch.where(mask.to(value.device), other.to(value), value)


def _with_beginning(other: Tensor, mask: Tensor, value: Tensor) -> Tensor:
    """Returns the value with its first tokens taken from another text where the mask (..., T, 1) is
    True. In (..., T, T), both last axes are tokens.
    """
    rows, columns = other.shape[-2:]
    if value.size(-2) < rows:
        raise ValueError(
            f"the other text has {rows} tokens and this one {value.size(-2)}; patching "
            "replaces token by token, so give both the same number"
        )
    changed = value.clone()
    changed[..., :rows, :columns] = _mixed(other, mask, value[..., :rows, :columns])
    return changed


def _kept(model: GPT, ids: Sequence[int] | np.ndarray, sites: Iterable[Site]) -> dict[Site, Tensor]:
    look = Look(sites)
    batch = check_ids(model, ids)
    with looking_at(model):
        model(batch, look)
    return look.values
