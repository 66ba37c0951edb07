"""Lion: only the sign counts, so every number moves by exactly the learning rate.

Symbolic Discovery of Optimization Algorithms (Chen et al. 2023), algorithm 2: found by a search
over programs. It stores one number per parameter, half as many as Adam. Its learning rate should be
3 to 10 times smaller than AdamW's, its weight decay as many times larger (section 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from core.fields import check, field
from core.optimization.adamw import SHRINK
from core.optimization.rule import Line, Rule, T, check_given


@dataclass(frozen=True, slots=True)
class LionSettings:
    """learning_rate, the decay rates (for the sign, for the stored average), weight_decay."""

    learning_rate: float = field(1e-4, least=0)
    betas: tuple[float, float] = field((0.9, 0.99), least=0, below=1, remedy="(0.9, 0.99) is usual")
    weight_decay: float = field(0.0, least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class LionState:
    """The average of the gradient, of the parameter's shape, initially 0."""

    average: Any = 0.0


class LionStep(NamedTuple):
    """Every intermediate, each of the parameter's shape."""

    shrunk: Any
    mixed: Any
    zero: Any
    sign: Any
    new: Any
    average: Any


def explain(param: Any, grad: Any, state: LionState, step: int, settings: LionSettings) -> LionStep:
    """Computes one step, line by line. Raises ValueError for a step below 1 or different shapes."""
    check_given(param, grad, step)
    rate, weight_decay = settings.learning_rate, settings.weight_decay
    (beta1, beta2), average_before = settings.betas, state.average
    shrunk = param * (1 - rate * weight_decay)  # step: decay
    mixed = average_before * beta1 + grad * (1 - beta1)  # step: mixed
    zero = mixed == 0  # 1 where mixed is 0, so that sign is 0 / 1 there
    sign = mixed / (abs(mixed) + zero)  # step: sign
    new = shrunk - sign * rate  # step: move
    average = average_before * beta2 + grad * (1 - beta2)  # step: average
    return LionStep(shrunk, mixed, zero, sign, new, average)


def update(
    param: T, grad: T, state: LionState, step: int, settings: LionSettings
) -> tuple[T, LionState]:
    """Returns the new parameter and state. Raises as `explain` does."""
    made = explain(param, grad, state, step, settings)
    return made.new, LionState(made.average)


RULE = Rule(
    name="lion",
    title="Lion",
    source="Chen et al. 2023",
    formula=(
        r"\begin{array}{l} \theta' = (1 - \eta \lambda) \, \theta, \quad"
        r" c = \beta_1 m + (1 - \beta_1) \, g \\"
        r" d = \mathrm{sign}(c), \quad \theta \leftarrow \theta' - \eta \, d \\"
        r" m \leftarrow \beta_2 m + (1 - \beta_2) \, g \end{array}"
    ),
    settings=LionSettings,
    state=LionState,
    explain=explain,
    update=update,
    lines=(
        SHRINK,
        Line(
            "mixed",
            "mixed",
            "Mix the average so far with the new gradient",
            r"c = \beta_1 m + (1 - \beta_1) \, g",
        ),
        Line(
            "sign",
            "sign",
            "Keep only the sign: up or down, no matter how steep",
            r"d = \mathrm{sign}(c)",
        ),
        Line(
            "move",
            "new",
            "Move every number by the learning rate",
            r"\theta \leftarrow \theta' - \eta \, d",
        ),
        Line(
            "average",
            "average",
            "Update the average, more slowly, for the next step",
            r"m \leftarrow \beta_2 m + (1 - \beta_2) \, g",
        ),
    ),
    letters={"weight_decay": "λ", "beta1": "β₁", "beta2": "β₂"},
)
