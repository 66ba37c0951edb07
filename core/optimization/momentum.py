"""Momentum: a heavy ball whose velocity adds up slopes that agree and cancels those that do not.

Some methods of speeding up the convergence of iteration methods (Polyak 1964), equation 9; in deep
learning, Sutskever et al. 2013, equations 1 and 2. The velocity is stored in units of the gradient
and multiplied by the learning rate when it is used, as in torch, so that a new learning rate takes
effect at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from core.fields import check, field
from core.optimization.rule import Line, Rule, T, check_given
from core.optimization.sgd import DECAY


@dataclass(frozen=True, slots=True)
class MomentumSettings:
    """learning_rate, momentum (share of the velocity that remains), weight_decay (L2 penalty)."""

    learning_rate: float = field(1e-3, least=0)
    momentum: float = field(0.9, least=0, below=1, remedy="0.9 is usual")
    weight_decay: float = field(0.0, least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class MomentumState:
    """The velocity, of the parameter's shape, initially 0."""

    velocity: Any = 0.0


class MomentumStep(NamedTuple):
    """Every intermediate, each of the parameter's shape."""

    slope: Any
    velocity: Any
    new: Any


def explain(
    param: T, grad: T, state: MomentumState, step: int, settings: MomentumSettings
) -> MomentumStep:
    """Computes one step, line by line. Raises ValueError for a step below 1 or different shapes."""
    check_given(param, grad, step)
    rate, weight_decay = settings.learning_rate, settings.weight_decay
    momentum, velocity_before = settings.momentum, state.velocity
    slope = grad + param * weight_decay  # step: decay
    velocity = velocity_before * momentum + slope  # step: velocity
    new = param - velocity * rate  # step: move
    return MomentumStep(slope, velocity, new)


def update(
    param: T, grad: T, state: MomentumState, step: int, settings: MomentumSettings
) -> tuple[T, MomentumState]:
    """Returns the new parameter and state. Raises as `explain` does."""
    made = explain(param, grad, state, step, settings)
    return made.new, MomentumState(made.velocity)


VELOCITY = Line(
    "velocity",
    "velocity",
    "Keep most of the old velocity and add the slope",
    r"u \leftarrow \mu \, u + s",
)

RULE = Rule(
    name="momentum",
    title="Momentum",
    source="Polyak 1964",
    formula=(
        r"s = g + \lambda \, \theta, \quad u \leftarrow \mu \, u + s, \quad"
        r" \theta \leftarrow \theta - \eta \, u"
    ),
    settings=MomentumSettings,
    state=MomentumState,
    explain=explain,
    update=update,
    lines=(
        DECAY,
        VELOCITY,
        Line(
            "move",
            "new",
            "Move along the velocity instead of the slope",
            r"\theta \leftarrow \theta - \eta \, u",
        ),
    ),
    letters={"weight_decay": "λ", "momentum": "μ"},
)
