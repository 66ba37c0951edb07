"""What is played: each operation once forward and once backward, with its own steps inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.autograd import Graph, Place
from explorer.panes.backprop.gpt.operations import Operation
from explorer.state.tracks import Track


@dataclass(frozen=True)
class Moment:
    """One step of the player.

    phase      "forward", "seed", "backward"; inside an operation also "copies" and "accumulate"
    operation  its number in the list; `node` and `input`, where it is one edge, in the graph
    step       of the Trace: what is told of it
    steps      of the Trace: all that happens in it
    inner      what Enter shows
    """

    phase: str
    operation: int
    node: int
    input: int | None
    step: int
    steps: tuple[int, ...]
    inner: tuple[Moment, ...] = ()


def moments_of(
    graph: Graph, operations: Sequence[Operation], places: Sequence[Place]
) -> tuple[Moment, ...]:
    """Forward through all operations, the seed, and back through those that hand on a gradient."""
    owner = {node: one.number for one in operations for node in one.nodes}
    forward: dict[int, list[Moment]] = {one.number: [] for one in operations}
    backward: dict[int, list[Moment]] = {one.number: [] for one in operations}
    seed: list[Moment] = []
    for step, place in enumerate(places):
        number = owner[place.node]
        one = Moment(place.phase, number, place.node, place.input, step, (step,))
        if place.phase == "seed":
            seed.append(one)
        else:
            (forward if place.phase == "forward" else backward)[number].append(one)
    found = [_whole("forward", one, forward[one.number]) for one in operations]
    found += seed
    for one in reversed(operations):
        if backward[one.number]:
            found.append(_whole("backward", one, backward[one.number]))
    return tuple(found)


def _whole(phase: str, operation: Operation, parts: Sequence[Moment]) -> Moment:
    """All steps of an operation as one. What is told is its own step, not a carrier's."""
    own = next((one for one in parts if one.node == operation.node), parts[-1])
    steps = tuple(one.step for one in parts)
    inner = tuple(parts) if len(parts) > 1 else ()
    return Moment(phase, operation.number, operation.node, None, own.step, steps, inner)


class MomentTrack(Track):
    """One level of moments; `place` of the level above is where this one belongs."""

    def __init__(self, moments: Sequence[Moment], title: Callable[[Moment], str]) -> None:
        self.moments = tuple(moments)
        self._title = title

    @property
    def length(self) -> int:
        return len(self.moments)

    def title(self, index: int) -> str:
        return self._title(self.moments[index])

    @property
    def marks(self) -> dict[int, str]:
        seeds = [place for place, one in enumerate(self.moments) if one.phase == "seed"]
        return dict.fromkeys(seeds, "backward begins")

    def item(self, index: int) -> Moment:
        return self.moments[index]

    def inside(self, index: int) -> Track | None:
        inner = self.moments[index].inner
        return MomentTrack(inner, self._title) if inner else None
