"""SGD: downhill, by a distance proportional to the slope.

A Stochastic Approximation Method (Robbins & Monro 1951); Optimization Methods for Large-Scale
Machine Learning (Bottou, Curtis & Nocedal 2018), algorithm 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from core.fields import check, field
from core.optimization.rule import Line, Rule, T, check_given


@dataclass(frozen=True, slots=True)
class SGDSettings:
    """learning_rate, weight_decay (L2 penalty)."""

    learning_rate: float = field(1e-3, least=0)
    weight_decay: float = field(0.0, least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class SGDState:
    """SGD has no state."""


class SGDStep(NamedTuple):
    """Every intermediate, each of the parameter's shape."""

    slope: Any
    new: Any


def explain(param: T, grad: T, state: SGDState, step: int, settings: SGDSettings) -> SGDStep:
    """Computes one step, line by line. Raises ValueError for a step below 1 or different shapes."""
    check_given(param, grad, step)
    rate, weight_decay = settings.learning_rate, settings.weight_decay
    slope = grad + param * weight_decay  # step: decay
    new = param - slope * rate  # step: move
    return SGDStep(slope, new)


def update(
    param: T, grad: T, state: SGDState, step: int, settings: SGDSettings
) -> tuple[T, SGDState]:
    """Returns the new parameter and state. Raises as `explain` does."""
    made = explain(param, grad, state, step, settings)
    return made.new, state


DECAY = Line(
    "decay",
    "slope",
    "Weight decay adds the gradient of a penalty on large weights",
    r"s = g + \lambda \, \theta",
    undecayed=("Without weight decay, the slope is the gradient", "s = g"),
)

RULE = Rule(
    name="sgd",
    title="SGD",
    source="Robbins & Monro 1951",
    formula=r"s = g + \lambda \, \theta, \quad \theta \leftarrow \theta - \eta \, s",
    settings=SGDSettings,
    state=SGDState,
    explain=explain,
    update=update,
    lines=(
        DECAY,
        Line(
            "move",
            "new",
            "Move downhill, farther where the slope is steeper",
            r"\theta \leftarrow \theta - \eta \, s",
        ),
    ),
    letters={"weight_decay": "λ"},
)
