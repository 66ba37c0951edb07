"""A layered graph: its nodes in layers, and each layer ordered to have few crossings. No Qt.

After Sugiyama et al. 1981, "Methods for Visual Understanding of Hierarchical System Structures".
The stages: layer assignment, dummy vertices (an edge that spans several layers has one in each
layer it crosses, so that it runs through no node), crossing reduction by barycenters, and
coordinate assignment: the height of each vertex. Unlike in the paper, the long edges of one node
share their dummy vertices until their paths part.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

SWEEPS = 8  # of crossing reduction
RELAXED = 8  # sweeps of height assignment
LIGHT = 1e-3  # weight of a node without neighbors in its row


class LayeredGraph:
    """Vertices are the nodes, then the dummy vertices.

    layer        of each vertex
    order        the vertices of each layer from top to bottom
    left, right  for each vertex its neighbors in the previous and the next layer
    dummies      for each node those of its long edges: layer -> dummy vertex
    """

    def __init__(self, inputs: Sequence[Sequence[int]]) -> None:
        """inputs: for each node the nodes that it reads, all of them earlier."""
        self.inputs = inputs
        self.layer = layers_of(inputs)
        self.count = 1 + max(self.layer, default=-1)
        self.weight = _depths(inputs)  # edges from deep nodes run straight, others bend
        self.left: list[list[int]] = [[] for _ in inputs]
        self.right: list[list[int]] = [[] for _ in inputs]
        self.dummies: list[dict[int, int]] = [{} for _ in inputs]
        for number, before in enumerate(inputs):
            for one in before:
                last = one
                for layer in range(self.layer[one] + 1, self.layer[number]):
                    last = self._dummy(one, layer, last)
                self.left[number].append(last)
                self.right[last].append(number)
        self.order = _crossings_reduced(self)

    def _dummy(self, source: int, layer: int, last: int) -> int:
        found = self.dummies[source].get(layer)
        if found is None:
            found = self.dummies[source][layer] = len(self.layer)
            self.layer.append(layer)
            self.weight.append(self.weight[source])
            self.left.append([last])
            self.right.append([])
            self.right[last].append(found)
        return found


def layers_of(inputs: Sequence[Sequence[int]]) -> list[int]:
    """Assigns layers, from 0: each node as close as possible to its readers, or to its inputs if
    these are more numerous.
    """
    users: list[list[int]] = [[] for _ in inputs]
    for number, before in enumerate(inputs):
        for one in before:
            users[one].append(number)
    layers = [max(_depths(inputs), default=0)] * len(inputs)
    for number in range(len(inputs) - 1, -1, -1):
        if users[number]:
            layers[number] = min(layers[user] for user in users[number]) - 1
    for number, before in enumerate(inputs):
        if len(before) > len(users[number]) > 0:
            layers[number] = 1 + max(layers[one] for one in before)
    first = min(layers, default=0)
    return [layer - first for layer in layers]


def _depths(inputs: Sequence[Sequence[int]]) -> list[int]:
    """Returns 1 for a leaf, else one more than the deepest input."""
    depth: list[int] = []
    for before in inputs:
        depth.append(1 + max((depth[one] for one in before), default=0))
    return depth


def _crossings_reduced(graph: LayeredGraph) -> list[list[int]]:
    """Returns each layer's vertices from top to bottom: the order with the fewest crossings found
    by sweeps that sort by the barycenters of neighbors.
    """
    order: list[list[int]] = [[] for _ in range(graph.count)]
    for number in _reading_order(graph):
        order[graph.layer[number]].append(number)
    best, fewest = [list(layer) for layer in order], _crossings(graph, order)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        forward = sweep % 2 == 0
        neighbors = graph.left if forward else graph.right
        layers = range(1, graph.count) if forward else range(graph.count - 2, -1, -1)
        place = _places(order)
        for layer in layers:
            row = order[layer]
            barycenters = {
                one: sum(place[other] for other in neighbors[one]) / len(neighbors[one])
                if neighbors[one]
                else place[one]
                for one in row
            }
            row.sort(key=barycenters.__getitem__)  # stable: ties keep the reading order
            for index, one in enumerate(row):
                place[one] = index
        crossings = _crossings(graph, order)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in order], crossings
    return best


def _reading_order(graph: LayeredGraph) -> list[int]:
    """Returns vertices from the outputs backward, inputs in written order, first on top."""
    seen: set[int] = set()
    found: list[int] = []
    stack = [number for number in range(len(graph.layer)) if not graph.right[number]]
    while stack:
        number = stack.pop()
        if number not in seen:
            seen.add(number)
            found.append(number)
            stack.extend(reversed(graph.left[number]))
    return found


def _places(order: list[list[int]]) -> dict[int, float]:
    return {one: float(index) for row in order for index, one in enumerate(row)}


def _crossings(graph: LayeredGraph, order: list[list[int]]) -> int:
    """Counts the crossings of edges between adjacent layers (inversions, by a Fenwick tree)."""
    place = {one: index for row in order for index, one in enumerate(row)}
    total = 0
    for row, following in pairwise(order):
        ends = [
            place[end] for one in row for end in sorted(graph.right[one], key=place.__getitem__)
        ]
        tree = [0] * (len(following) + 1)
        for seen, end in enumerate(ends):
            below, at = 0, end + 1
            while at:
                below += tree[at]
                at &= at - 1
            total += seen - below
            at = end + 1
            while at < len(tree):
                tree[at] += 1
                at += at & -at
    return total


def assign_heights(
    graph: LayeredGraph, gaps: Sequence[Sequence[float]], row: range, middle: list[float]
) -> None:
    """Fills `middle` for each vertex of a row of layers; gaps: for each layer the least distance of
    each vertex below the previous one.
    """
    heavy, whole = graph.weight, len(row) == graph.count
    left = {one: graph.left[one] for layer in row for one in graph.order[layer]}
    right = {one: graph.right[one] for one in left}
    if not whole:
        for one in graph.order[row[0]]:
            left[one] = []
        for one in graph.order[row[-1]]:
            right[one] = []
    for layer in row:
        at = 0.0
        for one, space in zip(graph.order[layer], gaps[layer], strict=True):
            at += space
            middle[one] = at
        for one in graph.order[layer]:
            middle[one] -= at / 2
    for sweep in range(RELAXED):
        forward = sweep % 2 == 0
        sides = (left, right) if forward else (right, left)
        for layer in row if forward else reversed(row):
            wanted: list[float] = []
            weights = [heavy[one] for one in graph.order[layer]]
            lonely = []  # all their neighbors are in other rows
            for index, one in enumerate(graph.order[layer]):
                near = sides[0][one] or sides[1][one]
                if sweep >= RELAXED - 2:  # the last sweeps use both sides
                    near = [*left[one], *right[one]]
                weight = pull = 0.0
                for other in near:
                    weight += heavy[other]
                    pull += heavy[other] * middle[other]
                wanted.append(pull / weight if near else middle[one])
                if not near:
                    lonely.append(index)
                    weights[index] = LIGHT
            for index in lonely:
                if index:  # close to the one above
                    wanted[index] = wanted[index - 1] + gaps[layer][index]
            found = _spread(wanted, gaps[layer], weights)
            for one, at in zip(graph.order[layer], found, strict=True):
                middle[one] = at


def _spread(
    wanted: Sequence[float], gaps: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """Returns the heights nearest to the wanted ones (weighted least squares) that keep order and
    gaps. Minus the gaps this is isotonic regression: neighbors that would swap become one block at
    their mean.
    """
    offset, total = [], 0.0
    for gap in gaps:
        total += gap
        offset.append(total)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, count
    for want, shift, weight in zip(wanted, offset, weights, strict=True):
        blocks.append((want - shift, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, heavy, count = blocks.pop()
            above, more, others = blocks.pop()
            both = heavy + more
            blocks.append(((mean * heavy + above * more) / both, both, count + others))
    heights = [mean for mean, _, count in blocks for _ in range(count)]
    return [height + shift for height, shift in zip(heights, offset, strict=True)]
