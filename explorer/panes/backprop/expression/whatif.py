"""What if a leaf were moved: what its gradient predicts, and what truly happens. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from core.autograd import (
    NumericGradient,
    are_single_after,
    numeric_gradient_of,
    output_if,
    outputs_if,
)
from core.autograd.gradient_check import MOST_RUNS, NUDGE
from core.jobs import Pace, to_the_end
from explorer.panes.backprop.expression.cells import cell_name
from explorer.panes.backprop.expression.compute import Array, Computed
from explorer.panes.backprop.expression.sampling import EVEN, Curve, sample_steps

HUGE = 4e307
NEARER = (
    16  # times, the slopes on both sides are looked at once more: a kink stays, a bend does not
)
MOST_TRIED = 60_000  # nodes that are worked out for a curve, ...
MOST_SAMPLES = 2_000  # and samples of it
AROUND = 0.15  # of the curve's width: what is near its dot, to each side
ROUNDED = 1e-12  # of the size of the numbers
FLAT = 300.0  # times higher than what is near: that would be less than half a pixel
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
    curve      of L
    found      with whose numbers that was found
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
    curve: Curve
    found: Computed
    gaps: tuple[float, float]
    nodes: int
    pending: bool = False

    @property
    def xs(self) -> Array:
        return self.curve.xs

    @property
    def ys(self) -> Array:
        return self.curve.ys

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
    def is_lost(self) -> bool:
        """Whether a change as small as the predicted one cannot be told from rounding."""
        largest = max(abs(self.predicted), abs(self.true))
        return math.isfinite(self.error) and self.predicted != 0 and largest <= self.rounding

    @property
    def is_as_predicted(self) -> bool:
        return math.isfinite(self.error) and abs(self.error) <= self.rounding and not self.is_lost

    @property
    def is_kink(self) -> bool:
        """Whether the slopes on both sides stay apart, however near."""
        near = NUDGE / NEARER
        noise = max(1e-6 * max(1.0, abs(self.gradient)), 100 * self.rounding / near)
        return self.gaps[1] > max(noise, 0.5 * self.gaps[0])


def is_cheap(computed: Computed) -> bool:
    few = len(computed.graph.nodes) * EVEN <= AT_ONCE
    return few and computed.numbers * EVEN <= NUMBERS_AT_ONCE


def is_cheap_to_check(computed: Computed) -> bool:
    """Whether every gradient can be nudged within a frame, even if none settles early."""
    last = len(computed.graph.nodes) - 1
    runs = sum(  # of what comes after a node, for each of its numbers
        computed.value(number).size * (last - number)
        for number in range(last)
        if computed.gradient(number) is not None
    )
    return MOST_RUNS * runs <= AT_ONCE


def what_if(
    computed: Computed, name: str, element: int, nudge: float, known: WhatIf | None = None
) -> WhatIf:
    """`known` is what was shown before: its range stays while the value is well inside of it.

    What each sample costs by itself has EVEN of them here; `try_steps` finds the others.
    """
    number = computed.leaves[name]
    most = MOST_SAMPLES if are_single_after(computed.graph, number) else EVEN
    return to_the_end(what_if_steps(computed, name, element, nudge, known, most))


def what_if_steps(
    computed: Computed,
    name: str,
    element: int,
    nudge: float,
    known: WhatIf | None = None,
    most: int = MOST_SAMPLES,
) -> Generator[None, None, WhatIf]:
    """The same as a job, with at most so many samples of the curve."""
    number = computed.leaves[name]
    data = computed.value(number)
    gradient = computed.gradient(number)
    slope = 0.0 if gradient is None else float(np.asarray(gradient).reshape(-1)[element])
    value, result = float(data.reshape(-1)[element]), computed.result
    low, high = _range(value, nudge, name, element, known)
    if known is not None and _still_holds(known, computed, (low, high), value, most):
        curve, found = known.curve, known.found
    else:
        curve = yield from sample_steps(
            lambda xs: _along(computed, number, element, xs),
            low,
            high,
            lambda xs, ys: limits(xs, ys, value, result),
            most,
        )
        found = computed
    true = _at(computed, number, element, value + nudge) - result
    gaps = tuple(_gap(computed, number, element, reach) for reach in (NUDGE, NUDGE / NEARER))
    called = cell_name(computed, number, element)
    nodes, gap = len(computed.graph.nodes), (gaps[0], gaps[1])
    return WhatIf(
        name, called, element, value, slope, result, nudge, true, curve, found, gap, nodes
    )


def _still_holds(
    known: WhatIf, computed: Computed, ends: tuple[float, float], value: float, most: int
) -> bool:
    """Whether the same curve would be found again."""
    curve = known.curve
    return (
        (curve.xs[0], curve.xs[-1]) == ends
        and (curve.is_fine or curve.most >= most)
        and _is_along(known, computed)
        and curve.is_fine_between(*heights_of(curve, value, computed.result))
    )


def _along(
    computed: Computed, number: int, element: int, xs: Array
) -> Generator[None, None, Array]:
    """L for each value of an input's number: at once where that can be, else one by one."""
    if are_single_after(computed.graph, number):
        return outputs_if(computed.graph, number, xs)
    ys, pace = np.empty(xs.size), Pace()
    for index, x in enumerate(xs):
        ys[index] = _at(computed, number, element, float(x))
        if pace.is_due():
            yield
            pace.go_on()
    return ys


def _gap(computed: Computed, number: int, element: int, reach: float) -> float:
    """By how much the slopes on both sides differ."""
    value = float(computed.value(number).reshape(-1)[element])
    left, right = (_at(computed, number, element, value + way) for way in (-reach, reach))
    with np.errstate(all="ignore"):
        return float(abs(np.float64(right) + left - 2 * computed.result) / reach)


def _is_along(known: WhatIf, computed: Computed) -> bool:
    """Whether only the number that the curve is of has moved since it was found."""
    number, before = computed.leaves.get(known.name), known.found
    if number is None or computed.plan is not before.plan:
        return False
    was = np.array(before.value(number))
    was.reshape(-1)[known.element] = computed.value(number).reshape(-1)[known.element]
    values = {**before.values, known.name: was}
    return values.keys() == computed.values.keys() and all(
        array.tobytes() == values[name].tobytes() for name, array in computed.values.items()
    )


def along(known: WhatIf, computed: Computed) -> WhatIf | None:
    """The curve that is known, with the dot where it is in `computed`; None where another number
    has moved, too, or the dot is not on it any more.
    """
    if not _is_along(known, computed):
        return None
    number = computed.leaves[known.name]
    value = float(computed.value(number).reshape(-1)[known.element])
    if not known.xs[0] <= value <= known.xs[-1]:
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


def check(computed: Computed) -> dict[int, NumericGradient]:
    """The numeric gradient of every node that has one, as far as MOST_CHECKED numbers and MOST_WORK
    go.
    """
    return to_the_end(check_steps(computed))


def check_steps(computed: Computed) -> Generator[None, None, dict[int, NumericGradient]]:
    """The same as a job."""
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


def try_steps(
    computed: Computed, name: str, element: int, nudge: float, known: WhatIf | None
) -> Generator[WhatIf | None, None, dict[int, NumericGradient]]:
    """What if, where that is too much for one frame: it is yielded; then the check."""
    most = min(MOST_SAMPLES, max(EVEN, MOST_TRIED // len(computed.graph.nodes)))
    if not is_cheap(computed) or known is None or not known.curve.is_fine:
        yield (yield from what_if_steps(computed, name, element, nudge, known, most))
    return (yield from check_steps(computed))


def heights_of(curve: Curve, value: float, result: float) -> tuple[float, float]:
    """The heights between which a curve is drawn while its dot is at (value, result)."""
    return limits(curve.xs[curve.even], curve.ys[curve.even], value, result)


def limits(xs: Array, ys: Array, value: float, result: float) -> tuple[float, float]:
    """The heights between which a curve is drawn, of samples taken evenly: of what is near. A pole
    far away must not flatten the curve, nor what grows so fast that nothing of it could be seen
    around the dot.
    """
    finite = ys[np.isfinite(ys)]
    if finite.size == 0:
        return -1.0, 1.0
    finite = np.clip(finite, -HUGE, HUGE)
    low, high = np.quantile(finite, [0.02, 0.98])
    around = ys[abs(xs - value) <= AROUND * (xs[-1] - xs[0])]
    around = np.clip(around[np.isfinite(around)], -HUGE, HUGE)
    near = float(np.ptp(around)) if around.size else 0.0
    if 0 < FLAT * near < high - low:
        low, high = max(low, around.min() - near), min(high, around.max() + near)
    if abs(result) < HUGE:
        low, high = min(float(low), result), max(float(high), result)
    size = max(1.0, abs(low), abs(high))
    if high - low < ROUNDED * size:  # flat, but for rounding
        low, high = low - size, high + size
    room = 0.06 * (high - low)
    return float(low - room), float(high + room)
