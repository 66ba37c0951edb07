"""Interventions: what becomes of the answer when a head or an MLP writes less, or something else.

Each of these makes the `replace` of a Look, so that the model computes on with what is put in a
site's place. Letters in shapes: B sequences, T tokens, C width of the residual stream, H heads, D
dimensions a head. Sources: ablation as in Michel et al. 2019, "Are Sixteen Heads Really Better than
One?", section 2; patching as in Meng et al. 2022, "Locating and Editing Factual Associations in
GPT", section 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.look import Look, Replacement, Site

HEADS, MLP = "head_output", "mlp_output"  # the kinds of site where the two are changed
Replacements = dict[Site, Replacement]


def scaled(
    config: ModelConfig,
    heads: Mapping[tuple[int, int], float] | None = None,
    mlps: Mapping[int, float] | None = None,
) -> Replacements:
    """Heads (layer, head) and the MLPs of layers write so many times what they would: 0 switches
    one off.

    A head off adds nothing to the stream, an MLP off neither, its bias included; the bias of
    attention's `c_proj` belongs to no head and stays. Raises ValueError for one that is not there.
    """
    replacements: Replacements = {}
    for layer, factors in _by_layer(config, heads or {}).items():
        factor = torch.tensor(factors)
        replacements[Site("decoder", layer, HEADS)] = _multiplied(factor[:, None, None])
    for layer, value in (mlps or {}).items():
        _check(config, layer)
        replacements[Site("decoder", layer, MLP)] = _multiplied(torch.tensor(float(value)))
    return replacements


def averaged(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    heads: Sequence[tuple[int, int]] = (),
    mlps: Sequence[int] = (),
) -> Replacements:
    """Heads and MLPs write at each token the mean of what they write at all tokens of `ids` (T,):
    what they say anyway stays, what they say about this text goes (mean ablation).

    Raises ValueError as `scaled` and `check_ids`.
    """
    chosen = _by_layer(model.config, dict.fromkeys(heads, 0.0))
    for layer in mlps:
        _check(model.config, layer)
    sites = [Site("decoder", layer, HEADS) for layer in chosen]
    sites += [Site("decoder", layer, MLP) for layer in mlps]
    kept = _kept(model, ids, sites)
    replacements: Replacements = {}
    for site, value in kept.items():
        mean = value.mean(-2, keepdim=True)  # (1, H, 1, D), or (1, 1, C)
        gone = torch.ones(1)
        if site.kind == HEADS and site.layer is not None:
            gone = 1 - torch.tensor(chosen[site.layer])[:, None, None]  # (H, 1, 1): 1 where chosen
        replacements[site] = _mixed(mean, gone)
    return replacements


def patched(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    sites: Sequence[Site],
    heads: Sequence[tuple[int, int]] = (),
) -> Replacements:
    """What the model makes of another text `ids` takes the place of what it makes of the text that
    is read then, at `sites` and in `heads`. Both texts must have as many tokens; `patch_fits` says
    so beforehand.

    Raises ValueError as `scaled` and `check_ids`.
    """
    chosen = _by_layer(model.config, dict.fromkeys(heads, 0.0))
    of_heads = [Site("decoder", layer, HEADS) for layer in chosen]
    kept = _kept(model, ids, [*sites, *of_heads])
    replacements: Replacements = {}
    for site, value in kept.items():
        other = torch.ones(1)
        if site in of_heads and site not in sites and site.layer is not None:
            other = 1 - torch.tensor(chosen[site.layer])[:, None, None]  # (H, 1, 1)
        replacements[site] = _mixed(value, other)
    return replacements


def patch_fits(ids: Sequence[int] | np.ndarray, other: Sequence[int] | np.ndarray) -> None:
    """Raises ValueError, with the remedy, unless both texts have as many tokens."""
    if len(ids) != len(other):
        raise ValueError(
            f"the other text has {len(other)} tokens and this one {len(ids)}; patching puts token "
            "upon token, so give both as many"
        )


def _multiplied(factor: Tensor) -> Replacement:
    return lambda value: value * factor.to(value)


def _mixed(other: Tensor, share: Tensor) -> Replacement:
    """`other` where the share is 1, what was there where it is 0."""
    return lambda value: torch.where(share.to(value) > 0, other.to(value), value)


def _kept(model: GPT, ids: Sequence[int] | np.ndarray, sites: Sequence[Site]) -> dict[Site, Tensor]:
    look = Look(sites)
    batch = check_ids(model, ids)
    with looking_at(model):
        model(batch, look)
    return {site: look.values[site] for site in dict.fromkeys(sites)}


def _by_layer(
    config: ModelConfig, heads: Mapping[tuple[int, int], float]
) -> dict[int, list[float]]:
    """Per layer that has one of these heads: the factor of each of its heads, 1 for the others."""
    layers: dict[int, list[float]] = {}
    for (layer, head), factor in heads.items():
        _check(config, layer)
        if not 0 <= head < config.n_head:
            raise ValueError(
                f"there is no head {head}; this model has heads 0 to {config.n_head - 1}"
            )
        layers.setdefault(layer, [1.0] * config.n_head)[head] = float(factor)
    return layers


def _check(config: ModelConfig, layer: int) -> None:
    if not 0 <= layer < config.n_layer:
        raise ValueError(
            f"there is no layer {layer}; this model has layers 0 to {config.n_layer - 1}"
        )
