"""An optimizer that nobody has heard of: what a new one must be able to count on."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.rule import Line, Rule, check_given


@dataclass(frozen=True, slots=True)
class DriftSettings:
    learning_rate: float = 1e-3
    momentum: float = 0.5
    weight_decay: float = 0.0


@dataclass(frozen=True, slots=True)
class DriftState:
    average: Any = 0.0


class DriftStep(NamedTuple):
    average: Any
    new: Any


def explain(
    param: Any, grad: Any, state: DriftState, step: int, settings: DriftSettings
) -> DriftStep:
    """The average slope, and the decay straight into the weights."""
    check_given(param, grad, step)
    average = state.average * settings.momentum + grad * (1 - settings.momentum)
    new = param * (1 - settings.learning_rate * settings.weight_decay)
    return DriftStep(average, new - average * settings.learning_rate)


def update(
    param: Any, grad: Any, state: DriftState, step: int, settings: DriftSettings
) -> tuple[Any, DriftState]:
    made = explain(param, grad, state, step, settings)
    return made.new, DriftState(made.average)


RULE = Rule(
    name="drift",
    title="Drift",
    source="this file",
    formula=r"\theta \leftarrow \theta - \eta \, m",
    settings=DriftSettings,
    state=DriftState,
    explain=explain,
    update=update,
    letters={"momentum": "μ", "weight_decay": "λ"},
    lines=(Line("move", "new", "Move: along the average", r"\theta \leftarrow \theta - \eta m"),),
)


def add_to_the_list(monkeypatch: pytest.MonkeyPatch) -> Rule:
    """The rule in the list of optimizers, until the test ends."""
    (behind,) = gc.get_referents(OPTIMIZERS)  # the dict that nobody else can change
    monkeypatch.setitem(behind, RULE.name, RULE)
    return RULE
