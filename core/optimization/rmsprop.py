"""RMSProp: AdaGrad with a moving average instead of a total, so that it does not come to rest.

Neural Networks for Machine Learning (Hinton, Srivastava & Swersky 2012), lecture 6e.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from core.fields import check, field
from core.optimization.rule import Line, Rule, T, check_given
from core.optimization.sgd import DECAY


@dataclass(frozen=True, slots=True)
class RMSPropSettings:
    """learning_rate, beta (share of the average that remains), eps, weight_decay (L2 penalty)."""

    learning_rate: float = field(1e-2, least=0)
    beta: float = field(0.99, least=0, below=1, remedy="0.9 is usual")
    eps: float = field(1e-8, least=0)
    weight_decay: float = field(0.0, least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class RMSPropState:
    """The average of the squared gradient, of the parameter's shape, initially 0."""

    square: Any = 0.0


class RMSPropStep(NamedTuple):
    """Every intermediate, each of the parameter's shape."""

    slope: Any
    square: Any
    direction: Any
    new: Any


def explain(
    param: T, grad: T, state: RMSPropState, step: int, settings: RMSPropSettings
) -> RMSPropStep:
    """Computes one step, line by line. Raises ValueError for a step below 1 or different shapes."""
    check_given(param, grad, step)
    rate, weight_decay = settings.learning_rate, settings.weight_decay
    beta, eps, square_before = settings.beta, settings.eps, state.square
    slope = grad + param * weight_decay  # step: decay
    square = square_before * beta + slope * slope * (1 - beta)  # step: square
    direction = slope / (square**0.5 + eps)  # step: direction
    new = param - direction * rate  # step: move
    return RMSPropStep(slope, square, direction, new)


def update(
    param: T, grad: T, state: RMSPropState, step: int, settings: RMSPropSettings
) -> tuple[T, RMSPropState]:
    """Returns the new parameter and state. Raises as `explain` does."""
    made = explain(param, grad, state, step, settings)
    return made.new, RMSPropState(made.square)


RULE = Rule(
    name="rmsprop",
    title="RMSProp",
    source="Hinton et al. 2012, lecture 6e",
    formula=(
        r"\begin{array}{l} s = g + \lambda \, \theta, \quad"
        r" v \leftarrow \beta \, v + (1 - \beta) \, s^2 \\"
        r" d = \frac{s}{\sqrt{v} + \epsilon}, \quad"
        r" \theta \leftarrow \theta - \eta \, d \end{array}"
    ),
    settings=RMSPropSettings,
    state=RMSPropState,
    explain=explain,
    update=update,
    lines=(
        DECAY,
        Line(
            "square",
            "square",
            "Average the squares of recent slopes",
            r"v \leftarrow \beta \, v + (1 - \beta) \, s^2",
        ),
        Line(
            "direction",
            "direction",
            "Divide the slope by its usual size",
            r"d = \frac{s}{\sqrt{v} + \epsilon}",
        ),
        Line(
            "move",
            "new",
            "Move every weight by about the same amount",
            r"\theta \leftarrow \theta - \eta \, d",
        ),
    ),
    letters={"weight_decay": "λ", "beta": "β", "eps": "ε"},
)
