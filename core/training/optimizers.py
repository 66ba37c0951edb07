"""The optimizer that a run's config names: torch's own where it has the same one, else our rule.

Torch's fuse a step into few passes over memory; what they compute is what the rules of
core.optimization say, line by line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import nn

from core.optimization.adamw import AdamWSettings
from core.optimization.groups import matrix_groups, named_groups
from core.optimization.muon import MuonSettings
from core.optimization.optimizers import optimizer
from core.optimization.torch_optimizer import RuleOptimizer
from core.training.config import TrainingConfig

EPS = 1e-8  # Adam's, AdamW's and RMSProp's

# What torch's remember of a parameter. SGD does where it has momentum.
_TORCH_STATE: Mapping[type, tuple[str, ...]] = {
    torch.optim.SGD: ("momentum_buffer",),
    torch.optim.Adagrad: ("step", "sum"),
    torch.optim.RMSprop: ("step", "square_avg"),
    torch.optim.Adam: ("step", "exp_avg", "exp_avg_sq"),
    torch.optim.AdamW: ("step", "exp_avg", "exp_avg_sq"),
}


def build_optimizer(
    config: TrainingConfig, model: nn.Module, groups: Sequence[dict[str, Any]], rate: float
) -> torch.optim.Optimizer:
    """The config's optimizer for groups of the model's parameters, at a learning rate.

    A rule with one `momentum` takes the first of `config.betas` for it, one with a single `beta`
    the second. Raises ValueError for an optimizer that there is not.
    """
    given, betas = list(groups), config.betas
    match config.optimizer:
        case "sgd":
            return torch.optim.SGD(given, lr=rate, fused=True)
        case "momentum":
            return torch.optim.SGD(given, lr=rate, momentum=betas[0], fused=True)
        case "nesterov":
            return torch.optim.SGD(given, lr=rate, momentum=betas[0], nesterov=True, fused=True)
        case "adagrad":
            return torch.optim.Adagrad(given, lr=rate)
        case "rmsprop":
            return torch.optim.RMSprop(given, lr=rate, alpha=betas[1], eps=EPS)
        case "adam":
            return torch.optim.Adam(given, lr=rate, betas=betas, eps=EPS, fused=True)
        case "adamw":
            return torch.optim.AdamW(given, lr=rate, betas=betas, eps=EPS, fused=True)
    rule = optimizer(config.optimizer)
    settings = _settings(rule.settings, config, rate)
    named = [{**group, "lr": rate} for group in named_groups(given, model.named_parameters())]
    if rule.matrices_only:
        named = matrix_groups(named, settings, AdamWSettings(rate, betas, EPS))
    return RuleOptimizer(named, settings)


def _settings(kind: type, config: TrainingConfig, rate: float) -> Any:
    """A rule's settings: what the config says of them, else what is usual."""
    if kind is MuonSettings:  # one rate serves its AdamW too, so its own is scaled to what suits it
        return MuonSettings(rate, config.betas[0], match_adamw=True)
    said = {"betas": config.betas, "momentum": config.betas[0], "beta": config.betas[1]}
    own = {field.name for field in fields(kind)}
    return kind(learning_rate=rate, **{name: said[name] for name in said if name in own})


def state_names(optimizer: torch.optim.Optimizer, group: Mapping[str, Any]) -> tuple[str, ...]:
    """What the optimizer remembers of each parameter of one of its groups."""
    if isinstance(optimizer, RuleOptimizer):
        return optimizer.state_names(group)
    if isinstance(optimizer, torch.optim.SGD) and not group["momentum"]:
        return ()
    return _TORCH_STATE[type(optimizer)]
