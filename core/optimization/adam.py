"""Adam: the average gradient, divided by the usual size of gradients.

Adam: A Method for Stochastic Optimization (Kingma & Ba 2015), algorithm 1. Weight decay is an L2
penalty here, whose gradient is averaged and divided like that of the loss; AdamW separates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from core.fields import check, field
from core.optimization.rule import Line, Rule, T, check_given
from core.optimization.sgd import DECAY


@dataclass(frozen=True, slots=True)
class AdamSettings:
    """learning_rate, the decay rates of the two averages, eps, weight_decay (L2 penalty)."""

    learning_rate: float = field(1e-3, least=0)
    betas: tuple[float, float] = field(
        (0.9, 0.999), least=0, below=1, remedy="(0.9, 0.999) is usual"
    )
    eps: float = field(1e-8, least=0)
    weight_decay: float = field(0.0, least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class AdamState:
    """Averages of the gradient and of its square (the first and second moment).

    Both have the parameter's shape and are initially the number 0.
    """

    average: Any = 0.0
    square: Any = 0.0


class AdamStep(NamedTuple):
    """Every intermediate, each of the parameter's shape."""

    slope: Any
    average: Any
    square: Any
    average_hat: Any
    square_hat: Any
    direction: Any
    new: Any


def explain(param: T, grad: T, state: AdamState, step: int, settings: AdamSettings) -> AdamStep:
    """Computes one step, line by line. Raises ValueError for a step below 1 or different shapes."""
    check_given(param, grad, step)
    rate, weight_decay = settings.learning_rate, settings.weight_decay
    (beta1, beta2), eps = settings.betas, settings.eps
    average_before, square_before = state.average, state.square
    slope = grad + param * weight_decay  # step: decay
    average = average_before * beta1 + slope * (1 - beta1)  # step: average
    square = square_before * beta2 + slope * slope * (1 - beta2)  # step: square
    # Both averages begin at 0, so at first they are too small by these factors.
    average_hat = average / (1 - beta1**step)  # step: average_hat
    square_hat = square / (1 - beta2**step)  # step: square_hat
    direction = average_hat / (square_hat**0.5 + eps)  # step: direction
    new = param - direction * rate  # step: move
    return AdamStep(slope, average, square, average_hat, square_hat, direction, new)


def update(
    param: T, grad: T, state: AdamState, step: int, settings: AdamSettings
) -> tuple[T, AdamState]:
    """Returns the new parameter and state. Raises as `explain` does."""
    made = explain(param, grad, state, step, settings)
    return made.new, AdamState(made.average, made.square)


CORRECTED = (
    Line(
        "average_hat",
        "average_hat",
        "Correct the average, which began at 0 and is too small at first",
        r"\hat m = \frac{m}{1 - \beta_1^t}",
    ),
    Line(
        "square_hat",
        "square_hat",
        "Correct the average square in the same way",
        r"\hat v = \frac{v}{1 - \beta_2^t}",
    ),
    Line(
        "direction",
        "direction",
        "Divide the corrected average by the usual size of the gradients",
        r"d = \frac{\hat m}{\sqrt{\hat v} + \epsilon}",
    ),
)

RULE = Rule(
    name="adam",
    title="Adam",
    source="Kingma & Ba 2015",
    formula=(
        r"\begin{array}{l} s = g + \lambda \, \theta \\"
        r" m \leftarrow \beta_1 m + (1 - \beta_1) \, s, \quad"
        r" v \leftarrow \beta_2 v + (1 - \beta_2) \, s^2 \\"
        r" \hat m = \frac{m}{1 - \beta_1^t}, \quad \hat v = \frac{v}{1 - \beta_2^t} \\"
        r" d = \frac{\hat m}{\sqrt{\hat v} + \epsilon}, \quad"
        r" \theta \leftarrow \theta - \eta \, d \end{array}"
    ),
    settings=AdamSettings,
    state=AdamState,
    explain=explain,
    update=update,
    lines=(
        DECAY,
        Line(
            "average",
            "average",
            "Average recent slopes to find the usual direction",
            r"m \leftarrow \beta_1 m + (1 - \beta_1) \, s",
        ),
        Line(
            "square",
            "square",
            "Average the squares of the slopes over a longer time",
            r"v \leftarrow \beta_2 v + (1 - \beta_2) \, s^2",
        ),
        *CORRECTED,
        Line(
            "move",
            "new",
            "Step along −d: each number moves by about the learning rate at most",
            r"\theta \leftarrow \theta - \eta \, d",
        ),
    ),
    letters={"weight_decay": "λ", "beta1": "β₁", "beta2": "β₂", "eps": "ε"},
)
