"""The effect of changing one element of an input: predicted by its gradient, and actual."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from core.autograd import NumericGradient, numeric_gradient_of
from core.autograd.gradient_check import MOST_RUNS
from core.jobs import Pace
from explorer.panes.backprop.expression.compute import Computed
from explorer.panes.backprop.expression.curve import (
    HUGE,
    SAMPLES,
    Curve,
    output_at,
    sample_steps,
)
from explorer.panes.backprop.expression.step_arithmetic import cell_name

AT_ONCE = 1_200  # nodes that can be evaluated within a frame
MOST_CHECKED = 600  # elements that a check nudges, one after the other
MOST_WORK = 20_000_000  # numbers that a check computes: about 0.2 s


@dataclass(frozen=True, eq=False)
class WhatIf:
    """One element of a leaf, and the effect of a nudge of it on the output L.

    name, element  the leaf, and which element of it
    called         that element's name: "w", "W[0, 1]"
    gradient       dL/d(element)
    result         L
    true           L(value + nudge) - L(value)
    curve          of L along the element; None if not known yet
    """

    computed: Computed
    name: str
    element: int
    called: str
    value: float
    gradient: float
    result: float
    nudge: float
    true: float
    curve: Curve | None = None

    @property
    def predicted(self) -> float:
        return self.gradient * self.nudge

    @property
    def error(self) -> float:
        return self.true - self.predicted

    @property
    def rounding(self) -> float:
        """The rounding error of subtracting results: smaller errors count as none."""
        largest = max(abs(self.result), abs(self.true), abs(self.predicted))
        return 2.0**-52 * (16 + len(self.computed.graph.nodes)) * largest

    @property
    def is_as_predicted(self) -> bool:
        return math.isfinite(self.error) and abs(self.error) <= self.rounding


@dataclass(frozen=True, eq=False)
class Tried:
    """numeric  for each node its gradient by nudging"""

    curve: Curve
    numeric: dict[int, NumericGradient]


def what_if(
    computed: Computed, name: str, element: int, nudge: float, curve: Curve | None = None
) -> WhatIf:
    number = computed.leaves[name]
    gradient = computed.gradient(number)
    slope = 0.0 if gradient is None else float(np.asarray(gradient).reshape(-1)[element])
    value, result = float(computed.value(number).reshape(-1)[element]), computed.result
    true = output_at(computed, number, element, value + nudge) - result
    called = cell_name(computed, number, element)
    return WhatIf(computed, name, element, called, value, slope, result, nudge, true, curve)


def try_steps(what: WhatIf) -> Generator[None, None, Tried]:
    """Samples the curve and checks every gradient by nudging. A known curve keeps its range while
    the value is well inside.
    """
    computed = what.computed
    low, high = _range(what)
    number = computed.leaves[what.name]
    curve = yield from sample_steps(computed, number, what.element, low, high)
    return Tried(curve, (yield from check_steps(computed)))


def is_cheap(computed: Computed) -> bool:
    """True if `try_steps` takes less than a frame, even if no numeric gradient settles early."""
    nodes = len(computed.graph.nodes)
    nudged = sum(  # each nudge evaluates the later nodes
        computed.value(number).size * (nodes - 1 - number)
        for number in range(nodes - 1)
        if computed.gradient(number) is not None
    )
    samples = SAMPLES if computed.numbers > nodes else 1
    return MOST_RUNS * nudged + samples * nodes <= AT_ONCE


def check_steps(computed: Computed) -> Generator[None, None, dict[int, NumericGradient]]:
    """Returns the numeric gradient of every node that has a gradient, leaves first, within
    MOST_CHECKED elements and MOST_WORK numbers.
    """
    pace = Pace()
    found: dict[int, NumericGradient] = {}
    left = min(MOST_CHECKED, MOST_WORK // (MOST_RUNS * computed.numbers))
    order = sorted(
        range(len(computed.graph.nodes)),
        key=lambda number: not computed.graph.nodes[number].is_leaf,
    )
    for number in order:
        size = computed.value(number).size
        if computed.gradient(number) is not None and size <= left:
            found[number] = numeric_gradient_of(computed.graph, number)
            left -= size
        if pace.is_due():
            yield
            pace.go_on()
    return found


def _range(what: WhatIf) -> tuple[float, float]:
    value, nudge = what.value, what.nudge
    if not math.isfinite(value):
        return -1.0, 1.0
    if abs(value) > HUGE:
        return min(value, value / 2), max(value, value / 2)
    if what.curve is not None:
        low, high = float(what.curve.xs[0]), float(what.curve.xs[-1])
        edge = 0.08 * (high - low)
        if low + edge <= min(value, value + nudge) and max(value, value + nudge) <= high - edge:
            return low, high
    reach = max(1.0, abs(value), 2.5 * abs(nudge))
    return value - reach, value + reach
