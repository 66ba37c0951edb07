"""One point's path through a learner's network, forward and back, as a Trace.

Its tensors have the names of a network diagram: x the point, W and b of layer 1, 2, ..., u = x W,
z = u + b, a the output of a neuron; with batch norm m and s, the running mean and
1 / standard deviation; y the target and L the loss.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.autograd.backprop_trace import trace_backprop
from core.autograd.datasets import Dataset
from core.autograd.graph import Graph
from core.autograd.mlp import MLP, Layer
from core.autograd.shapes import Reshape
from core.autograd.tensor import Tensor
from core.optimization.learner import Learner
from core.trace import Trace

LETTERS = {"weight": "W", "bias": "b", "gain": "g"}


@dataclass(frozen=True)
class Role:
    """The role of a tensor of the graph in the network.

    kind    "out", "sum", "product", "norm", "weight", "bias", "gain" or "loss"
    column  of neurons in the diagram, 0 for the inputs; a parameter has that of its outputs
    """

    kind: str
    column: int


def trace_point(
    learner: Learner, point: tuple[float, float], target: float
) -> tuple[Trace, tuple[Role, ...]]:
    """Returns the Trace of one point, without batch or penalty, and the role of each node."""
    one = Dataset(np.array([point]), np.array([target]), learner.train.classes)
    network = _named(learner.network)
    x = Tensor(one.points).named("x")
    layers = network.layers(x)
    _name_layers(layers)
    settings = replace(learner.settings, penalty="none")
    alone = replace(learner, network=network, settings=settings)
    with np.errstate(all="ignore"):
        loss = alone.loss_of(layers[-1].out, one)
        _name_loss(loss, layers[-1].out)
        trace = trace_backprop(loss)
        while trace.grow():
            pass
    return trace, _roles(trace.about["graph"], x, network, layers)


def _named(network: MLP) -> MLP:
    """Returns a network with the same numbers and the names of the diagram."""
    parameters = {}
    for name, tensor in network.parameters.items():
        layer, kind = name.split(".")
        parameters[name] = Tensor(tensor.data).named(f"{LETTERS[kind]}{int(layer) + 1}")
    return MLP(network.config, parameters, dict(network.running))


def _name_layers(layers: list[Layer]) -> None:
    """Names the tensors of each layer: u1, z1 and a1 in layer 1. The last sums are the output."""
    for number, layer in enumerate(layers, 1):
        plain = layer.normed is layer.sums
        product = layer.sums.inputs[0] if plain else layer.sums
        for tensor, letter in ((layer.out, "a"), (layer.normed, "z"), (product, "u")):
            tensor.named(f"{letter}{number}")
        for tensor, letter in zip(_running(layer), "ms", strict=False):
            tensor.named(f"{letter}{number}")


def _running(layer: Layer) -> list[Tensor]:
    """Returns the constants that normalize one point's sums with batch norm: the running mean and
    1 / the running standard deviation.
    """
    found: list[Tensor] = []
    tensor = layer.normed
    while tensor is not layer.sums and tensor.inputs:
        found += [one for one in tensor.inputs if one.is_leaf and not one.requires_grad]
        tensor = tensor.inputs[0]
    return found[::-1]


def _name_loss(loss: Tensor, out: Tensor) -> None:
    """Names the loss L and the target y; outputs reshaped to a list keep their name."""
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
        number, kind = name.split(".")
        known[id(tensor)] = Role(kind, int(number) + 1)
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
