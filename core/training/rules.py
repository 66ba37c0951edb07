"""The optimizer's rule that a run's config names, and its settings. Loads no torch."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from core.optimization.muon import MuonSettings
from core.optimization.optimizers import optimizer
from core.training.config import TrainingConfig

# Rules run by torch's own optimizers; the others run as written here: see `build_optimizer`.
RUN_BY_TORCH = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")


def rule_settings(config: TrainingConfig, rate: float) -> Any:
    """Returns the rule's settings at a learning rate: the config's values, else the defaults.

    A rule with one `momentum` takes the first of `config.betas`, one with a single `beta` the
    second. The weight decay is set by parameter group: see `Task.parameter_groups`. Raises
    ValueError for an unknown optimizer.
    """
    kind = optimizer(config.optimizer).settings
    said = {"betas": config.betas, "momentum": config.betas[0], "beta": config.betas[1]}
    own = {field.name for field in fields(kind)}
    settings = kind(learning_rate=rate, **{name: said[name] for name in said if name in own})
    if isinstance(settings, MuonSettings):
        # One rate also serves the weights that AdamW updates, so Muon's is scaled to match AdamW.
        return replace(settings, match_adamw=True)
    return settings
