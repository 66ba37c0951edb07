"""The rule that a run's config names, and its settings. Loads no torch."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from core.optimization.muon import MuonSettings
from core.optimization.optimizers import optimizer
from core.training.config import TrainingConfig

# Of these torch's own runs, of the others the rule itself: see `build_optimizer`.
RUN_BY_TORCH = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")


def rule_settings(config: TrainingConfig, rate: float) -> Any:
    """Its settings at a learning rate: what the config says of them, else what is usual.

    A rule with one `momentum` takes the first of `config.betas` for it, one with a single `beta`
    the second. How much a parameter decays is its group's: see `Task.parameter_groups`. Raises
    ValueError for an unknown optimizer.
    """
    kind = optimizer(config.optimizer).settings
    said = {"betas": config.betas, "momentum": config.betas[0], "beta": config.betas[1]}
    own = {field.name for field in fields(kind)}
    settings = kind(learning_rate=rate, **{name: said[name] for name in said if name in own})
    if isinstance(settings, MuonSettings):
        # One rate serves what AdamW moves as well, so Muon's is scaled to what suits AdamW.
        return replace(settings, match_adamw=True)
    return settings
