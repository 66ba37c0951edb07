"""The player's track: each operation forward and backward, with its own steps inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.autograd import Graph, Place
from explorer.panes.backprop.gpt.operations import Operation
from explorer.state.tracks import Track


@dataclass(frozen=True)
class Played:
    """One step of the player: an operation, or inside it one of its edges.

    phase      "forward", "seed", "backward"; inside an operation also "copies" and "accumulate"
    operation  its number in the list; `node` and, for one edge, `input` are those of the graph
    step       of the Trace, whose formula and lines are shown
    steps      of the Trace that it includes
    inner      the steps that Enter opens
    """

    phase: str
    operation: int
    node: int
    input: int | None
    step: int
    steps: tuple[int, ...]
    inner: tuple[Played, ...] = ()


def timeline_of(
    graph: Graph, operations: Sequence[Operation], places: Sequence[Place]
) -> tuple[Played, ...]:
    """Returns all operations forward, then back those that pass a gradient on."""
    owner = {node: one.number for one in operations for node in one.nodes}
    forward: dict[int, list[Played]] = {one.number: [] for one in operations}
    backward: dict[int, list[Played]] = {one.number: [] for one in operations}
    seed: list[Played] = []
    for step, place in enumerate(places):
        number = owner[place.node]
        one = Played(place.phase, number, place.node, place.input, step, (step,))
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


def _whole(phase: str, operation: Operation, parts: Sequence[Played]) -> Played:
    """Joins all steps of an operation into one; `step` is its own, never a carrier's."""
    own = next((one for one in parts if one.node == operation.node), parts[-1])
    steps = tuple(one.step for one in parts)
    inner = tuple(parts) if len(parts) > 1 else ()
    return Played(phase, operation.number, operation.node, None, own.step, steps, inner)


class PlayedTrack(Track):
    """One level: the whole example, or the inside of an operation."""

    def __init__(self, timeline: Sequence[Played], title: Callable[[Played], str]) -> None:
        self.timeline = tuple(timeline)
        self._title = title

    @property
    def length(self) -> int:
        return len(self.timeline)

    def title(self, index: int) -> str:
        return self._title(self.timeline[index])

    @property
    def marks(self) -> dict[int, str]:
        seeds = [place for place, one in enumerate(self.timeline) if one.phase == "seed"]
        return dict.fromkeys(seeds, "The backward pass begins")

    def item(self, index: int) -> Played:
        return self.timeline[index]

    def inside(self, index: int) -> Track | None:
        inner = self.timeline[index].inner
        return PlayedTrack(inner, self._title) if inner else None
