"""Nesterov's momentum: the slope is corrected by the next move of the velocity.

A method of solving a convex programming problem (Nesterov 1983); Sutskever et al. 2013, equations 3
and 4. Here in the form that needs the gradient only at the parameter, not ahead of it: Advances in
Optimizing Recurrent Networks (Bengio et al. 2013), equation 7, as in torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from core.fields import check, field
from core.optimization.momentum import VELOCITY
from core.optimization.rule import Line, Rule, T, check_given
from core.optimization.sgd import DECAY


@dataclass(frozen=True, slots=True)
class NesterovSettings:
    """learning_rate, momentum (share of the velocity that remains), weight_decay (L2 penalty)."""

    learning_rate: float = field(1e-3, least=0)
    momentum: float = field(0.9, least=0, below=1, remedy="0.9 is usual")
    weight_decay: float = field(0.0, least=0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class NesterovState:
    """The velocity, of the parameter's shape, initially 0."""

    velocity: Any = 0.0


class NesterovStep(NamedTuple):
    """Every intermediate, each of the parameter's shape."""

    slope: Any
    velocity: Any
    ahead: Any
    new: Any


def explain(
    param: T, grad: T, state: NesterovState, step: int, settings: NesterovSettings
) -> NesterovStep:
    """Computes one step, line by line. Raises ValueError for a step below 1 or different shapes."""
    check_given(param, grad, step)
    rate, weight_decay = settings.learning_rate, settings.weight_decay
    momentum, velocity_before = settings.momentum, state.velocity
    slope = grad + param * weight_decay  # step: decay
    velocity = velocity_before * momentum + slope  # step: velocity
    ahead = slope + velocity * momentum  # step: ahead
    new = param - ahead * rate  # step: move
    return NesterovStep(slope, velocity, ahead, new)


def update(
    param: T, grad: T, state: NesterovState, step: int, settings: NesterovSettings
) -> tuple[T, NesterovState]:
    """Returns the new parameter and state. Raises as `explain` does."""
    made = explain(param, grad, state, step, settings)
    return made.new, NesterovState(made.velocity)


RULE = Rule(
    name="nesterov",
    title="Nesterov",
    source="Nesterov 1983",
    formula=(
        r"\begin{array}{l} s = g + \lambda \, \theta, \quad u \leftarrow \mu \, u + s \\"
        r" a = s + \mu \, u, \quad \theta \leftarrow \theta - \eta \, a \end{array}"
    ),
    settings=NesterovSettings,
    state=NesterovState,
    explain=explain,
    update=update,
    lines=(
        DECAY,
        VELOCITY,
        Line(
            "ahead",
            "ahead",
            "Look ahead: add to the slope what will remain of the velocity",
            r"a = s + \mu \, u",
        ),
        Line(
            "move",
            "new",
            "Move in the direction of this look-ahead",
            r"\theta \leftarrow \theta - \eta \, a",
        ),
    ),
    letters={"weight_decay": "λ", "momentum": "μ"},
)
