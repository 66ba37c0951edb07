"""The optimizers of this chapter, as data: nine rules by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.fields import either
from core.files import quoted
from core.optimization import adagrad, adam, adamw, lion, momentum, muon, nesterov, rmsprop, sgd
from core.optimization.rule import Rule

# In the order in which each builds on the one before.
OPTIMIZERS: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            sgd.RULE,
            momentum.RULE,
            nesterov.RULE,
            adagrad.RULE,
            rmsprop.RULE,
            adam.RULE,
            adamw.RULE,
            lion.RULE,
            muon.RULE,
        )
    }
)


def optimizer(name: str) -> Rule:
    """Returns the rule of that name. Raises ValueError if it is unknown."""
    if name not in OPTIMIZERS:
        raise ValueError(f"optimizer {quoted(name)} is unknown; use {either(OPTIMIZERS)}")
    return OPTIMIZERS[name]


def optimizer_of(name: str, ndim: int) -> Rule:
    """Returns the rule for a parameter with `ndim` axes: AdamW if `name` moves only matrices."""
    rule = optimizer(name)
    return optimizer("adamw") if rule.matrices_only and ndim != 2 else rule
