"""The learning rate that suits each optimizer on each surface: the default settings of a race."""

from __future__ import annotations

from typing import Any

from core.optimization.optimizers import optimizer
from core.optimization.surfaces import Surface

# Found by trying 1, 2 and 5 times powers of ten: the rate that descends soon, does not oscillate
# and diverges under no schedule. On Rosenbrock's surface SGD would descend further at 0.005, by
# luck: its first step leaves the region of the start, whose curvature of 1,506 makes it oscillate
# more at each step for any rate above 2 / 1,506. With warm-up it first stays in that region, and
# diverges once the rate is reached. One row per surface, one column per optimizer.
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
    """Returns a learning rate at which the optimizer descends within 200 steps and never diverges,
    at that rate or under any schedule with it as the peak.

    To descend is to reach at most a fiftieth of the height at the start; in Rosenbrock's bent
    valley, which is almost flat along its floor, SGD reaches a sixth, AdaGrad a twelfth and RMSProp
    a thirtieth. For a typed surface the rate is a careful guess, and so is that of an optimizer
    without a column: the lowest of the row. Raises ValueError for an unknown optimizer.
    """
    optimizer(name)
    row = _RATES.get(surface.name, _ELSEWHERE)
    return dict(zip(_NAMES, row, strict=True)).get(name, min(row))


def usual_settings(surface: Surface, name: str) -> Any:
    """Returns the rule's default settings at the usual rate, without weight decay, which would pull
    to (0, 0).
    """
    rule = optimizer(name)
    return rule.settings(learning_rate=usual_rate(surface, name), weight_decay=0.0)
