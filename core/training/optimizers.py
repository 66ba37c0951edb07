"""The optimizer named in a run's config: torch's own if it has the same one, else our rule.

torch's optimizers fuse a step into few passes over memory; they compute the same as the rules of
core.optimization, which show it line by line.
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

# State of each parameter in torch's optimizers. SGD has it only with momentum.
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
    """Returns the config's optimizer for groups of the model's parameters, at a learning rate.

    torch's fused kernels do a step in one pass; SGD's does not support `sharded` parameters. Each
    optimizer uses `config.betas` as `rule_settings` does. Raises ValueError for an unknown one.
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
    """Returns the names of an optimizer's state for each parameter of one of its groups."""
    if isinstance(optimizer, RuleOptimizer):
        return optimizer.state_names(group)
    if isinstance(optimizer, torch.optim.SGD) and not group["momentum"]:
        return ()
    return _TORCH_STATE[type(optimizer)]
