"""What if a leaf were moved: what its gradient predicts, and what truly happens. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from core.autograd import numeric_gradient_of, output_if
from core.autograd.gradient_check import NUDGE
from core.jobs import Pace, to_the_end
from explorer.panes.backprop.expression.cells import cell_name
from explorer.panes.backprop.expression.computing import Array, Computed

HUGE = 4e307
NEARER = (
    16  # times, the slopes on both sides are looked at once more: a kink stays, a bend does not
)
POINTS = 61  # of a curve
AT_ONCE = 1_200  # nodes that may be worked out within a frame
NUMBERS_AT_ONCE = 100_000  # and their numbers
MOST_CHECKED = 600  # numbers that a check nudges, one after the other
MOST_WORK = 20_000_000  # numbers that it works out for that: some 0.2 s


@dataclass(frozen=True)
class WhatIf:
    """L as a function of one number of a leaf, and what a nudge of it does.

    called     that number's name: "w", "W[0, 1]"
    predicted  gradient * nudge
    true       L(value + nudge) - L(value)
    xs, ys     the curve
    gaps       by how much the slopes on both sides differ, by a tiny nudge and a sixteenth of it
    nodes      that the graph has: each rounds
    pending    what a nudge truly does is not known yet
    """

    name: str
    called: str
    element: int
    value: float
    gradient: float
    result: float
    nudge: float
    true: float
    xs: Array
    ys: Array
    gaps: tuple[float, float]
    nodes: int
    pending: bool = False

    @property
    def predicted(self) -> float:
        return self.gradient * self.nudge

    @property
    def error(self) -> float:
        return self.true - self.predicted

    @property
    def rounding(self) -> float:
        """What is lost where results are subtracted: a smaller error is none."""
        largest = max(abs(self.result), abs(self.true), abs(self.predicted))
        return 2.0**-52 * (16 + self.nodes) * largest

    @property
    def is_as_predicted(self) -> bool:
        return math.isfinite(self.error) and abs(self.error) <= self.rounding

    @property
    def is_kink(self) -> bool:
        """Whether the slopes on both sides stay apart, however near."""
        near = NUDGE / NEARER
        noise = max(1e-6 * max(1.0, abs(self.gradient)), 100 * self.rounding / near)
        return self.gaps[1] > max(noise, 0.5 * self.gaps[0])


def is_cheap(computed: Computed) -> bool:
    few = len(computed.graph.nodes) * POINTS <= AT_ONCE
    return few and computed.numbers * POINTS <= NUMBERS_AT_ONCE


def is_cheap_to_check(computed: Computed) -> bool:
    return 2 * computed.numbers * len(computed.graph.nodes) <= AT_ONCE


def what_if(
    computed: Computed, name: str, element: int, nudge: float, known: WhatIf | None = None
) -> WhatIf:
    """`known` is what was shown before: its range stays while the value is well inside of it."""
    return to_the_end(what_if_steps(computed, name, element, nudge, known))


def what_if_steps(
    computed: Computed, name: str, element: int, nudge: float, known: WhatIf | None = None
) -> Generator[None, None, WhatIf]:
    """The same as a job."""
    number = computed.leaves[name]
    data = computed.value(number)
    gradient = computed.gradient(number)
    slope = 0.0 if gradient is None else float(np.asarray(gradient).reshape(-1)[element])
    value = float(data.reshape(-1)[element])
    xs = np.linspace(*_range(value, nudge, name, element, known), POINTS)
    ys, pace = np.empty(POINTS), Pace()
    for index, x in enumerate(xs):
        ys[index] = _at(computed, number, element, float(x))
        if pace.is_due():
            yield
            pace.go_on()
    true = _at(computed, number, element, value + nudge) - computed.result
    gaps = tuple(_gap(computed, number, element, reach) for reach in (NUDGE, NUDGE / NEARER))
    called = cell_name(computed, number, element)
    result, nodes = computed.result, len(computed.graph.nodes)
    return WhatIf(
        name, called, element, value, slope, result, nudge, true, xs, ys, (gaps[0], gaps[1]), nodes
    )


def _gap(computed: Computed, number: int, element: int, reach: float) -> float:
    """By how much the slopes on both sides differ."""
    value = float(computed.value(number).reshape(-1)[element])
    left, right = (_at(computed, number, element, value + way) for way in (-reach, reach))
    with np.errstate(all="ignore"):
        return float(abs(np.float64(right) + left - 2 * computed.result) / reach)


def along(known: WhatIf, before: Computed, computed: Computed) -> WhatIf | None:
    """The curve that was found for `before`, with the dot where it is in `computed`; None where
    another number has moved, too, or the dot is not on it any more.
    """
    number = computed.leaves.get(known.name)
    if number is None or computed.plan is not before.plan:
        return None
    was = np.array(before.value(number))
    value = float(computed.value(number).reshape(-1)[known.element])
    was.reshape(-1)[known.element] = value
    values = {**before.values, known.name: was}
    same = values.keys() == computed.values.keys() and all(
        array.tobytes() == values[name].tobytes() for name, array in computed.values.items()
    )
    if not same or not known.xs[0] <= value <= known.xs[-1]:
        return None
    gradient = float(np.asarray(computed.gradient(number)).reshape(-1)[known.element])
    return replace(
        known,
        value=value,
        gradient=gradient,
        result=computed.result,
        true=math.nan,
        gaps=(0.0, 0.0),
        pending=True,
    )


def _range(
    value: float, nudge: float, name: str, element: int, known: WhatIf | None
) -> tuple[float, float]:
    if not math.isfinite(value):
        return -1.0, 1.0
    if abs(value) > HUGE:  # twice as far no number goes
        return min(value, value / 2), max(value, value / 2)
    if known is not None and (known.name, known.element) == (name, element):
        low, high = float(known.xs[0]), float(known.xs[-1])
        edge = 0.08 * (high - low)
        if low + edge <= min(value, value + nudge) and max(value, value + nudge) <= high - edge:
            return low, high
    reach = max(1.0, abs(value), 2.5 * abs(nudge))
    return value - reach, value + reach


def _at(computed: Computed, number: int, element: int, value: float) -> float:
    data = np.array(computed.value(number))
    data.reshape(-1)[element] = value
    return float(output_if(computed.graph, number, data).item())


def check(computed: Computed) -> dict[int, Array]:
    """The numeric gradient of every node that has one, as far as MOST_CHECKED numbers and MOST_WORK
    go.
    """
    return to_the_end(check_steps(computed))


def check_steps(computed: Computed) -> Generator[None, None, dict[int, Array]]:
    """The same as a job."""
    pace = Pace()
    found: dict[int, Array] = {}
    left = min(MOST_CHECKED, MOST_WORK // (2 * computed.numbers))
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


def try_steps(
    computed: Computed, name: str, element: int, nudge: float, known: WhatIf | None
) -> Generator[WhatIf | None, None, dict[int, Array]]:
    """What if, where that is too much for one frame: it is yielded; then the check."""
    if not is_cheap(computed):
        yield (yield from what_if_steps(computed, name, element, nudge, known))
    return (yield from check_steps(computed))
