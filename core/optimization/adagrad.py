"""AdaGrad: every number has its own rate, which shrinks as its squared gradients add up.

Adaptive Subgradient Methods for Online Learning and Stochastic Optimization (Duchi, Hazan & Singer
2011), section 1.1, with a diagonal matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from core.fields import check, field
from core.optimization.rule import Line, Rule, T, check_given
from core.optimization.sgd import DECAY


@dataclass(frozen=True, slots=True)
class AdaGradSettings:
    """learning_rate, eps (keeps the division finite), weight_decay (L2 penalty)."""

    learning_rate: float = field(1e-2, least=0)
    eps: float = field(1e-10, least=0)
    weight_decay: float = field(0.0, least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class AdaGradState:
    """The sum of all squared gradients, of the parameter's shape, initially 0. It never shrinks."""

    total: Any = 0.0


class AdaGradStep(NamedTuple):
    """Every intermediate, each of the parameter's shape."""

    slope: Any
    total: Any
    direction: Any
    new: Any


def explain(
    param: T, grad: T, state: AdaGradState, step: int, settings: AdaGradSettings
) -> AdaGradStep:
    """Computes one step, line by line. Raises ValueError for a step below 1 or different shapes."""
    check_given(param, grad, step)
    rate, weight_decay = settings.learning_rate, settings.weight_decay
    eps, total_before = settings.eps, state.total
    slope = grad + param * weight_decay  # step: decay
    total = total_before + slope * slope  # step: total
    direction = slope / (total**0.5 + eps)  # step: direction
    new = param - direction * rate  # step: move
    return AdaGradStep(slope, total, direction, new)


def update(
    param: T, grad: T, state: AdaGradState, step: int, settings: AdaGradSettings
) -> tuple[T, AdaGradState]:
    """Returns the new parameter and state. Raises as `explain` does."""
    made = explain(param, grad, state, step, settings)
    return made.new, AdaGradState(made.total)


RULE = Rule(
    name="adagrad",
    title="AdaGrad",
    source="Duchi, Hazan & Singer 2011",
    formula=(
        r"\begin{array}{l} s = g + \lambda \, \theta, \quad v \leftarrow v + s^2 \\"
        r" d = \frac{s}{\sqrt{v} + \epsilon}, \quad"
        r" \theta \leftarrow \theta - \eta \, d \end{array}"
    ),
    settings=AdaGradSettings,
    state=AdaGradState,
    explain=explain,
    update=update,
    lines=(
        DECAY,
        Line(
            "total",
            "total",
            "Add the squared slope to the total of all steps so far",
            r"v \leftarrow v + s^2",
        ),
        Line(
            "direction",
            "direction",
            "Divide the slope by the square root of that total",
            r"d = \frac{s}{\sqrt{v} + \epsilon}",
        ),
        Line(
            "move",
            "new",
            "Move by steps that become smaller as the total grows",
            r"\theta \leftarrow \theta - \eta \, d",
        ),
    ),
    letters={"weight_decay": "λ", "eps": "ε"},
)
