"""Which learning rate suits whom on which surface: where a race begins that nobody has set up."""

from __future__ import annotations

from typing import Any

from core.optimization.optimizers import optimizer
from core.optimization.surfaces import Surface

# Found by trying 1, 2 and 5 times powers of ten: of those, the one that comes low soon, does not
# run about, and runs away under no schedule. On Rosenbrock's surface SGD would come further at
# 0.005, by luck: its first step throws it far out of the part where it begins, whose curvature of
# 1,506 makes every rate above 2 / 1,506 swing further at each step. Who warms up sinks into that
# part first, and runs away when the rate is there. One row a surface, one column an optimizer.
_NAMES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "lion", "muon")
_RATES = {
    "ravine": (0.05, 0.005, 0.05, 2.0, 0.2, 0.2, 0.2, 0.1, 0.1),
    "saddle": (0.2, 0.1, 0.2, 1.0, 0.1, 0.2, 0.2, 0.05, 0.1),
    "rosenbrock": (0.001, 0.0005, 0.0005, 1.0, 0.1, 0.5, 0.5, 0.02, 0.05),
    "beale": (0.05, 0.01, 0.005, 1.0, 0.05, 0.2, 0.2, 0.05, 0.05),
    "himmelblau": (0.01, 0.002, 0.005, 1.0, 0.2, 0.5, 0.5, 0.1, 0.1),
    "bowl": (0.05, 0.005, 0.005, 0.5, 0.05, 0.1, 0.1, 0.1, 0.1),
}
_ELSEWHERE = (0.01, 0.005, 0.005, 0.5, 0.05, 0.1, 0.1, 0.05, 0.05)


def usual_rate(surface: Surface, name: str) -> float:
    """A learning rate at which the optimizer comes down there within 200 steps and never runs away,
    at that rate or under any schedule with it as the peak.

    Down is a fiftieth of the height at the start, at most; in Rosenbrock's bent valley, where there
    is little slope, SGD comes to a sixth, AdaGrad to a twelfth and RMSProp to a thirtieth. On a
    surface that a person typed nobody knows, and it is a careful guess; so is the rate of an
    optimizer that has no column: the lowest that suits any other. Raises ValueError for an unknown
    optimizer.
    """
    optimizer(name)
    row = _RATES.get(surface.name, _ELSEWHERE)
    return dict(zip(_NAMES, row, strict=True)).get(name, min(row))


def usual_settings(surface: Surface, name: str) -> Any:
    """The rule's usual settings at that rate, without weight decay, which would pull to (0, 0)."""
    rule = optimizer(name)
    return rule.settings(learning_rate=usual_rate(surface, name), weight_decay=0.0)
