"""One point's path through the network, forward and back: the steps that are shown. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.autograd.backprop_trace import Place
from core.autograd.graph import Graph
from core.autograd.operation import Array
from core.autograd.shapes import Reshape
from core.optimization.learner import Learner
from core.optimization.point_trace import Role, trace_point
from core.trace import Step, Trace


@dataclass(frozen=True, eq=False)
class Sample:
    """The Trace of one point; index 0 is before its first step.

    roles   the role of each node of the graph
    step    number of optimizer steps that the network had taken
    """

    point: tuple[float, float]
    target: float
    classes: int
    trace: Trace
    roles: tuple[Role, ...]
    sizes: tuple[int, ...]
    number: int
    step: int

    @property
    def graph(self) -> Graph:
        graph: Graph = self.trace.about["graph"]
        return graph

    @property
    def places(self) -> tuple[Place, ...]:
        places: tuple[Place, ...] = self.trace.about["places"]
        return places

    @cached_property
    def told(self) -> tuple[int, ...]:
        """Indices of the steps that are shown. For one point, sums over copies add up nothing, and
        reshaping its single output changes nothing.
        """
        nodes = self.graph.nodes
        return tuple(
            at
            for at, place in enumerate(self.places)
            if place.phase != "copies"
            and not isinstance(nodes[place.node].tensor.operation, Reshape)
        )

    def __len__(self) -> int:
        return len(self.told) + 1

    def step_at(self, index: int) -> Step:
        """Returns the step at an index, counted from 1."""
        return self.trace[self.told[index - 1]]

    def place_at(self, index: int) -> Place:
        return self.places[self.told[index - 1]]

    def name_of_layer(self, column: int) -> str:
        """Returns the name of a layer as in the drawing."""
        return "output" if column == len(self.sizes) - 1 else f"layer {column}"

    @property
    def seed(self) -> int:
        """The index at which the backward pass begins."""
        return 1 + next(at for at, one in enumerate(self.told) if self.places[one].phase == "seed")

    @property
    def loss(self) -> float:
        return self.graph.nodes[-1].tensor.item()

    @property
    def output(self) -> Array:
        """The network's output for the point, (K,)."""
        return self.value("out", len(self.sizes) - 1)

    @property
    def name_of_output(self) -> str:
        """The name of the output in the formulas."""
        return self.graph.nodes[self.find("out", len(self.sizes) - 1)].label

    def value(self, kind: str, column: int) -> Array:
        """Returns the final numbers of a role."""
        return np.asarray(self.graph.nodes[self.find(kind, column)].tensor.data).reshape(-1)

    def find(self, kind: str, column: int) -> int:
        """Returns the node of a role, or -1."""
        role = Role(kind, column)
        return self.roles.index(role) if role in self.roles else -1


def take_sample(learner: Learner, number: int, x: float, y: float, target: float) -> Sample:
    """Returns the whole Trace of one point."""
    trace, roles = trace_point(learner, (x, y), target)
    classes, sizes = learner.train.classes, learner.network.config.sizes
    return Sample((x, y), target, classes, trace, roles, sizes, number, learner.step)
