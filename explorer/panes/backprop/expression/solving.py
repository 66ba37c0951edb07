"""A formula worked out and laid out in pieces, on the engine: a long one does not hold the window.

What takes longest is told apart by `yield`, so that a newer formula takes its place soon.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from core.autograd import ExpressionError
from core.jobs import Pace
from explorer.panes.backprop.expression.arranging import ENDLESS, Size
from explorer.panes.backprop.expression.compute import Computed, compute
from explorer.panes.backprop.expression.scene import GraphScene, scene_of
from explorer.panes.backprop.expression.ways import Ways, ways_of


@dataclass(frozen=True, eq=False)
class Drawn:
    scene: GraphScene
    ways: Ways


@dataclass(frozen=True, eq=False)
class Solved:
    """drawn  None where the plan is that of the formula before, and with it the layout"""

    computed: Computed
    drawn: Drawn | None = None


Solving = Generator[None, None, Solved | ExpressionError]


def solve_steps(
    text: str, values: Mapping[str, Any], known: Computed | None, checks: bool, room: Size = ENDLESS
) -> Solving:
    """Every value, gradient and step of a formula, and its picture; or what is wrong with it."""
    try:
        computed = compute(text, values, known)
    except ExpressionError as error:
        return error
    yield
    yield from grow_steps(computed)
    yield
    if known is not None and computed.plan is known.plan:
        return Solved(computed)
    return Solved(computed, (yield from draw_steps(computed, None, checks, room)))


def grow_steps(computed: Computed) -> Generator[None, None, None]:
    """All steps of its Trace."""
    pace = Pace()
    while computed.trace.grow():
        if pace.is_due():
            yield
            pace.go_on()


def draw_steps(
    computed: Computed, known: GraphScene | None, checks: bool, room: Size = ENDLESS
) -> Generator[None, None, Drawn]:
    """The picture of a formula that is worked out, for a room of this size; `known` is the one that
    there is of it.
    """
    scene = scene_of(computed, known, checks, room)
    yield
    ways = ways_of(scene)
    yield
    return Drawn(scene, ways)
