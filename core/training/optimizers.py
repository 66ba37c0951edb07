"""The optimizer that a run's config names: torch's own where it has the same one, else our rule.

Torch's fuse a step into few passes over memory; what they compute is what the rules of
core.optimization say, line by line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from core.optimization.adamw import AdamWSettings
from core.optimization.groups import matrix_groups, named_groups
from core.optimization.optimizers import optimizer
from core.optimization.torch_optimizer import RuleOptimizer
from core.training.config import TrainingConfig
from core.training.rules import rule_settings

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
    config: TrainingConfig,
    model: nn.Module,
    groups: Sequence[dict[str, Any]],
    rate: float,
    sharded: bool = False,
) -> torch.optim.Optimizer:
    """The config's optimizer for groups of the model's parameters, at a learning rate.

    Torch's fused kernels do a step in one pass; that of SGD knows no `sharded` parameters. Of
    `config.betas` each takes what `rule_settings` says. Raises ValueError for an unknown optimizer.
    """
    given, betas, whole = list(groups), config.betas, not sharded
    match config.optimizer:
        case "sgd":
            return torch.optim.SGD(given, lr=rate, fused=whole)
        case "momentum":
            return torch.optim.SGD(given, lr=rate, momentum=betas[0], fused=whole)
        case "nesterov":
            return torch.optim.SGD(given, lr=rate, momentum=betas[0], nesterov=True, fused=whole)
        case "adagrad":
            return torch.optim.Adagrad(given, lr=rate)
        case "rmsprop":
            return torch.optim.RMSprop(given, lr=rate, alpha=betas[1], eps=EPS)
        case "adam":
            return torch.optim.Adam(given, lr=rate, betas=betas, eps=EPS, fused=True)
        case "adamw":
            return torch.optim.AdamW(given, lr=rate, betas=betas, eps=EPS, fused=True)
    settings = rule_settings(config, rate)
    named = [{**group, "lr": rate} for group in named_groups(given, model.named_parameters())]
    if optimizer(config.optimizer).matrices_only:
        named = matrix_groups(named, settings, AdamWSettings(rate, betas, EPS))
    return RuleOptimizer(named, settings)


def state_names(optimizer: torch.optim.Optimizer, group: Mapping[str, Any]) -> tuple[str, ...]:
    """What the optimizer remembers of each parameter of one of its groups."""
    if isinstance(optimizer, RuleOptimizer):
        return optimizer.state_names(group)
    if isinstance(optimizer, torch.optim.SGD) and not group["momentum"]:
        return ()
    return _TORCH_STATE[type(optimizer)]
