"""AdamW: Adam with weight decay that is separate from the gradient.

Decoupled Weight Decay Regularization (Loshchilov & Hutter 2019), algorithm 2; Adam (Kingma & Ba
2015), algorithm 1. The training loop runs torch's fused version of the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from core.fields import check, field
from core.optimization.adam import CORRECTED
from core.optimization.rule import Line, Rule, T, check_given


@dataclass(frozen=True, slots=True)
class AdamWSettings:
    """learning_rate, the decay rates of the two averages, eps, weight_decay (decoupled)."""

    learning_rate: float = field(1e-3, least=0)
    betas: tuple[float, float] = field(
        (0.9, 0.999), least=0, below=1, remedy="(0.9, 0.999) is usual"
    )
    eps: float = field(1e-8, least=0)
    weight_decay: float = field(0.01, least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class AdamWState:
    """Averages of the gradient and of its square (the first and second moment).

    Both have the parameter's shape and are initially zeros, or the number 0.
    """

    average: Any = 0.0
    square: Any = 0.0


class AdamWStep(NamedTuple):
    """Every intermediate, each of the parameter's shape."""

    shrunk: Any
    average: Any
    square: Any
    average_hat: Any
    square_hat: Any
    direction: Any
    new: Any


def explain(param: T, grad: T, state: AdamWState, step: int, settings: AdamWSettings) -> AdamWStep:
    """Computes one step, line by line. Raises ValueError for a step below 1 or different shapes."""
    check_given(param, grad, step)
    rate, weight_decay = settings.learning_rate, settings.weight_decay
    (beta1, beta2), eps = settings.betas, settings.eps
    average_before, square_before = state.average, state.square
    shrunk = param * (1 - rate * weight_decay)  # step: decay
    average = average_before * beta1 + grad * (1 - beta1)  # step: average
    square = square_before * beta2 + grad * grad * (1 - beta2)  # step: square
    # Both averages begin at 0, so at first they are too small by these factors.
    average_hat = average / (1 - beta1**step)  # step: average_hat
    square_hat = square / (1 - beta2**step)  # step: square_hat
    direction = average_hat / (square_hat**0.5 + eps)  # step: direction
    new = shrunk - direction * rate  # step: move
    return AdamWStep(shrunk, average, square, average_hat, square_hat, direction, new)


def update(
    param: T, grad: T, state: AdamWState, step: int, settings: AdamWSettings
) -> tuple[T, AdamWState]:
    """Returns the new parameter and state after one step. Nothing is changed in place.

    param, grad   same shape
    step          1 for the first step

    Raises ValueError for a step below 1 or different shapes.
    """
    made = explain(param, grad, state, step, settings)
    return made.new, AdamWState(made.average, made.square)


SHRINK = Line(
    "decay",
    "shrunk",
    "Weight decay shrinks every weight a little, whatever its gradient",
    r"\theta' = (1 - \eta \lambda) \, \theta",
    undecayed=("Without weight decay, the weights do not shrink", r"\theta' = \theta"),
)

RULE = Rule(
    name="adamw",
    title="AdamW",
    source="Loshchilov & Hutter 2019",
    formula=(
        r"\begin{array}{l} \theta' = (1 - \eta \lambda) \, \theta \\"
        r" m \leftarrow \beta_1 m + (1 - \beta_1) \, g, \quad"
        r" v \leftarrow \beta_2 v + (1 - \beta_2) \, g^2 \\"
        r" \hat m = \frac{m}{1 - \beta_1^t}, \quad \hat v = \frac{v}{1 - \beta_2^t} \\"
        r" d = \frac{\hat m}{\sqrt{\hat v} + \epsilon}, \quad"
        r" \theta \leftarrow \theta' - \eta \, d \end{array}"
    ),
    settings=AdamWSettings,
    state=AdamWState,
    explain=explain,
    update=update,
    lines=(
        SHRINK,
        Line(
            "average",
            "average",
            "Average recent gradients to find the usual direction",
            r"m \leftarrow \beta_1 m + (1 - \beta_1) \, g",
        ),
        Line(
            "square",
            "square",
            "Average the squares of the gradients over a longer time",
            r"v \leftarrow \beta_2 v + (1 - \beta_2) \, g^2",
        ),
        *CORRECTED,
        Line(
            "move",
            "new",
            "Step along −d: each number moves by about the learning rate at most",
            r"\theta \leftarrow \theta' - \eta \, d",
        ),
    ),
    letters={"weight_decay": "λ", "beta1": "β₁", "beta2": "β₂", "eps": "ε"},
)
