"""One point's path through the network, forward and back, as a Trace placed on the drawing.

Letters on screen: x the point, W and b of layer 1, 2, ..., u = x W, z = u + b, a what a neuron
says; under batch norm m and s, the running mean and 1 / deviation. No Qt here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.autograd.backprop_trace import Place, trace_backprop
from core.autograd.datasets import Dataset
from core.autograd.graph import Graph
from core.autograd.mlp import MLP, Layer
from core.autograd.operation import Array
from core.autograd.shapes import Reshape
from core.autograd.tensor import Tensor
from core.optimization.learner import Learner
from core.trace import Step, Trace

START = "start"
LETTERS = {"weight": "W", "bias": "b", "gain": "g"}


@dataclass(frozen=True)
class Role:
    """What a tensor of the graph is in the drawing.

    kind    "out", "sum", "product", "norm", "weight", "bias", "gain" or "loss"
    column  of the neurons: 0 the inputs; for a parameter the column that it leads to
    """

    kind: str
    column: int


@dataclass(frozen=True, eq=False)
class Sample:
    """The Trace of one point; index 0 is before its first step.

    roles   for each node of the graph
    step    how many optimizer steps the network had taken
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
        """Numbers of the steps that are told: one point's sums over copies add up nothing, and its
        column of outputs is one number, in whatever shape.
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
        """What happens at a index from 1 on."""
        return self.trace[self.told[index - 1]]

    def place_at(self, index: int) -> Place:
        return self.places[self.told[index - 1]]

    def name_of_layer(self, column: int) -> str:
        """As the drawing has it."""
        return "output" if column == len(self.sizes) - 1 else f"layer {column}"

    @property
    def seed(self) -> int:
        """The index at which backward begins."""
        return 1 + next(at for at, one in enumerate(self.told) if self.places[one].phase == "seed")

    @property
    def loss(self) -> float:
        return self.graph.nodes[-1].tensor.item()

    @property
    def output(self) -> Array:
        """The network's output for the point: (K,)."""
        return self.value("out", len(self.sizes) - 1)

    @property
    def name_of_output(self) -> str:
        """What the formulas call it."""
        return self.graph.nodes[self.find("out", len(self.sizes) - 1)].label

    def value(self, kind: str, column: int) -> Array:
        """The numbers of a role, as they are in the end."""
        return np.asarray(self.graph.nodes[self.find(kind, column)].tensor.data).reshape(-1)

    def find(self, kind: str, column: int) -> int:
        """The node of a role; -1 for none."""
        role = Role(kind, column)
        return self.roles.index(role) if role in self.roles else -1


def take_sample(learner: Learner, number: int, x: float, y: float, target: float) -> Sample:
    """The whole Trace of one point."""
    classes = learner.train.classes
    one = Dataset(np.array([[x, y]]), np.array([target]), classes)
    network = _named(learner.network)
    point = Tensor(one.points).named("x")
    layers = network.layers(point)
    _name_layers(layers)
    settings = replace(learner.settings, penalty="none")
    alone = replace(learner, network=network, settings=settings)
    with np.errstate(all="ignore"):
        loss = alone.loss_of(layers[-1].out, one)
        _name_loss(loss, layers[-1].out)
        trace = trace_backprop(loss)
        while trace.grow():
            pass
    roles = _roles(trace.about["graph"], point, network, layers)
    sizes = learner.network.config.sizes
    return Sample((x, y), target, classes, trace, roles, sizes, number, learner.step)


def _named(network: MLP) -> MLP:
    """The same numbers under the names of the drawing."""
    parameters = {}
    for name, tensor in network.parameters.items():
        layer, kind = name.split(".")
        parameters[name] = Tensor(tensor.data).named(f"{LETTERS[kind]}{int(layer) + 1}")
    return MLP(network.config, parameters, dict(network.running))


def _name_layers(layers: list[Layer]) -> None:
    """u1, z1 and a1 in layer 1; the last layer's sums are the network's output."""
    for number, layer in enumerate(layers, 1):
        plain = layer.normed is layer.sums
        product = layer.sums.inputs[0] if plain else layer.sums
        for tensor, letter in ((layer.out, "a"), (layer.normed, "z"), (product, "u")):
            tensor.named(f"{letter}{number}")
        for tensor, letter in zip(_running(layer), "ms", strict=False):
            tensor.named(f"{letter}{number}")


def _running(layer: Layer) -> list[Tensor]:
    """Under batch norm, what normalizes the sums of a point without a batch: the running mean, and
    1 / the running deviation.
    """
    found: list[Tensor] = []
    tensor = layer.normed
    while tensor is not layer.sums and tensor.inputs:
        found += [one for one in tensor.inputs if one.is_leaf and not one.requires_grad]
        tensor = tensor.inputs[0]
    return found[::-1]


def _name_loss(loss: Tensor, out: Tensor) -> None:
    """L, and the target y; where it reads the outputs as a list, that has their name."""
    loss.named("L")
    waiting = [loss]
    while waiting:
        tensor = waiting.pop()
        if isinstance(tensor.operation, Reshape) and tensor.inputs[0] is out:
            tensor.named(out.name)
        if tensor.is_leaf and tensor.shape == (1,):
            tensor.named("y")
        waiting += [before for before in tensor.inputs if before is not out]


def _roles(graph: Graph, point: Tensor, network: MLP, layers: list[Layer]) -> tuple[Role, ...]:
    known: dict[int, Role] = {id(point): Role("out", 0)}
    for name, tensor in network.parameters.items():
        layer, kind = name.split(".")
        known[id(tensor)] = Role(kind, int(layer) + 1)
    for column, layer in enumerate(layers, 1):
        plain = layer.normed is layer.sums
        product = layer.sums.inputs[0] if plain else layer.sums
        known |= {id(tensor): Role("norm", column) for tensor in _running(layer)}
        known[id(product)] = Role("product", column)
        known[id(layer.normed)] = Role("sum", column)
        known[id(layer.out)] = Role("out", column)
    last = len(layers)
    roles: list[Role] = []
    for node in graph.nodes:
        role = known.get(id(node.tensor))
        if role is None:
            before = [roles[number] for number in node.inputs]
            past = [one for one in before if one.kind == "loss" or one == Role("out", last)]
            columns = [one.column for one in before if one.kind != "loss"]
            inner = not past and bool(columns)
            role = Role("norm", max(columns)) if inner else Role("loss", last + 1)
        roles.append(role)
    return tuple(roles)
