"""The known numbers of a followed point at each position of its path. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.autograd.operation import Array
from explorer.panes.backprop.network.sample import Sample


@dataclass(frozen=True, eq=False)
class SampleScene:
    """The known numbers at an index, by column, (m,) or None, and the current flow.

    values     forward the newest of a column: sums, then outputs; backward those with the newest
               gradients, from outputs to sums
    nodes      nodes of these values in the graph; -1 for none
    gradients  dL/d of the same values
    weights    dL/dW of each layer, (n, m) or None
    column     column of the current step, or -1
    layer      layer of the weights along which something flows, or -1
    flow       (n, m) amount that flows along each weight
    backward   True if it flows back
    share      progress, 0 to 1
    loss       the loss, once known
    """

    sample: Sample
    values: tuple[Array | None, ...]
    nodes: tuple[int, ...]
    gradients: tuple[Array | None, ...]
    weights: tuple[Array | None, ...]
    column: int
    layer: int
    flow: Array | None
    backward: bool
    share: float
    loss: float | None

    def name(self, column: int) -> str:
        """Returns the letter of a column's values; "" if there are none, and inside a norm."""
        node = self.nodes[column]
        return self.sample.graph.nodes[node].tensor.name if node >= 0 else ""

    def kind(self, column: int) -> str:
        """Returns the role of a column's values, or ""."""
        node = self.nodes[column]
        return self.sample.roles[node].kind if node >= 0 else ""


@dataclass(frozen=True, eq=False)
class _Known:
    """Known after an index: each column's newest forward node, gradients by node, the loss."""

    nodes: tuple[int, ...]
    grads: dict[int, Array]
    loss: float | None


class SampleScenes:
    """The scenes along a sample's path; the known numbers at each index are computed once."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        point = sample.find("out", 0)
        nodes = [point] + [-1] * (len(sample.sizes) - 1)
        grads: dict[int, Array] = {}
        self._known = [_Known(tuple(nodes), {}, None)]
        loss: float | None = None
        told = set(sample.told)
        for at, (place, step) in enumerate(zip(sample.places, sample.trace, strict=True)):
            if place.phase == "forward":
                role = sample.roles[place.node]
                if role.kind != "loss":
                    nodes[role.column] = place.node
                elif place.node == len(sample.graph.nodes) - 1:
                    loss = float(np.asarray(sample.graph.nodes[place.node].tensor.data))
            elif place.phase == "seed":
                grads[place.node] = step.value("seed")
            else:
                assert place.input is not None
                target = sample.graph.nodes[place.node].inputs[place.input]
                if place.phase == "backward":
                    grads.setdefault(target, step.value("contribution"))
                else:
                    grads[target] = step.value("total")
            known = _Known(tuple(nodes), dict(grads), loss)
            if at in told:
                self._known.append(known)
            else:
                self._known[-1] = known

    def at(self, position: float) -> SampleScene:
        """Returns the scene on the way to index ceil(position)."""
        sample = self.sample
        last = len(sample) - 1
        index = min(max(0, int(np.ceil(position - 1e-9))), last)
        share = 1.0 - max(0.0, index - position)
        known = self._known[index]
        nodes = tuple(self._shown(known, column) for column in range(len(sample.sizes)))
        weights = tuple(self._weights(known.grads, n) for n in range(1, len(sample.sizes)))
        column, layer, flow, backward = self._moving(index)
        return SampleScene(
            sample,
            tuple(None if node < 0 else _flat(self._data(node)) for node in nodes),
            nodes,
            tuple(_flat(known.grads[node]) if node in known.grads else None for node in nodes),
            weights,
            column,
            layer,
            flow,
            backward,
            share,
            known.loss,
        )

    def _shown(self, known: _Known, column: int) -> int:
        """Returns the node that a column shows. A sum and its product have the same gradient if
        only a bias lies between them, so the sum stays.
        """
        kinds = ["sum", "out"]
        if any(role.kind == "norm" and role.column == column for role in self.sample.roles):
            kinds.insert(0, "product")
        found = (self.sample.find(kind, column) for kind in kinds)
        return next((node for node in found if node in known.grads), known.nodes[column])

    def _data(self, node: int) -> Array:
        return np.asarray(self.sample.graph.nodes[node].tensor.data)

    def _weights(self, grads: dict[int, Array], column: int) -> Array | None:
        node = self.sample.find("weight", column)
        return np.asarray(grads[node]) if node in grads else None

    def _moving(self, index: int) -> tuple[int, int, Array | None, bool]:
        """Returns column, layer of weights, flow and direction at an index."""
        sample = self.sample
        if index == 0:
            return 0, -1, None, False
        place = sample.place_at(index)
        role = sample.roles[place.node]
        nodes = sample.graph.nodes
        if place.phase == "forward":
            if role.kind == "product":
                before, weight = (nodes[n].tensor.data for n in nodes[place.node].inputs)
                flow = np.asarray(before).reshape(-1, 1) * weight
                return role.column, role.column - 1, flow, False
            return role.column, -1, None, False
        if place.input is None:
            return len(sample.sizes), -1, None, True
        target = sample.roles[nodes[place.node].inputs[place.input]]
        if role.kind == "product" and place.phase == "backward":
            before, weight = (np.asarray(nodes[n].tensor.data) for n in nodes[place.node].inputs)
            upstream = self._known[index].grads[place.node].reshape(1, -1)
            flow = weight * upstream if target.kind == "out" else before.reshape(-1, 1) * upstream
            return target.column, role.column - 1, flow, True
        return target.column, -1, None, True


def _flat(values: Array) -> Array:
    return np.asarray(values).reshape(-1)
