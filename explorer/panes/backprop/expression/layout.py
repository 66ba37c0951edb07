"""Lays a graph out from left to right: layers by depth, order by barycenter, then heights. No Qt.

After Sugiyama et al. 1981, "Methods for Visual Understanding of Hierarchical System Structures":
an edge that passes a layer has a place in it, so that no edge runs through a node. The edges of one
node share these places until their ways part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 8  # times that the order is improved
RELAXED = 8  # times that heights are
COLUMN, ROW, WAY = 46.0, 12.0, 12.0  # between two layers, two nodes, two edges that pass
FANNED = 108.0  # between two layers where a node of the first is used more than once

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Where everything is, in units of the picture; the top left corner is (0, 0).

    places  (x, y, width, height) of each node
    ways    for each node and each of its inputs: points from the input's right side to the node's
            left side
    layers  how far right each node stands
    """

    places: tuple[tuple[float, float, float, float], ...]
    ways: tuple[tuple[tuple[Point, ...], ...], ...]
    layers: tuple[int, ...]
    width: float
    height: float


def lay_out(inputs: Sequence[Sequence[int]], sizes: Sequence[Point]) -> Layout:
    """inputs: for each node the nodes that it reads, all before it; sizes: (width, height)."""
    if not inputs:
        return Layout((), (), (), 0.0, 0.0)
    layers = _layers(inputs)
    net = _Net(inputs, sizes, layers)
    order = _ordered(net)
    heights = _heights(net, order)
    return _placed(net, order, heights, inputs, sizes, layers)


def passed(inputs: Sequence[Sequence[int]]) -> int:
    """How many layers all edges pass: each takes a place and a bend, so this is what a layout and
    its picture cost.
    """
    layers = _layers(inputs)
    return sum(
        layers[number] - layers[one] - 1 for number, before in enumerate(inputs) for one in before
    )


def _layers(inputs: Sequence[Sequence[int]]) -> list[int]:
    """Each node as near to what reads it as it can be; those that many inputs pull stand nearer to
    these. Layers begin at 0.
    """
    users: list[list[int]] = [[] for _ in inputs]
    for number, before in enumerate(inputs):
        for one in before:
            users[one].append(number)
    layers = [max(_depths(inputs))] * len(inputs)
    for number in range(len(inputs) - 1, -1, -1):
        if users[number]:
            layers[number] = min(layers[user] for user in users[number]) - 1
    for number, before in enumerate(inputs):
        if len(before) > len(users[number]) > 0:
            layers[number] = 1 + max(layers[one] for one in before)
    first = min(layers)
    return [layer - first for layer in layers]


def _depths(inputs: Sequence[Sequence[int]]) -> list[int]:
    """1 for a leaf, else one more than the deepest input."""
    depth: list[int] = []
    for before in inputs:
        depth.append(1 + max((depth[one] for one in before), default=0))
    return depth


class _Net:
    """The nodes, then the places of edges that pass a layer: each with its neighbors."""

    def __init__(
        self, inputs: Sequence[Sequence[int]], sizes: Sequence[Point], layers: Sequence[int]
    ) -> None:
        self.layer = list(layers)
        self.size = [height for _, height in sizes]
        self.weight = _depths(inputs)  # long ways to a node run straight, short ones bend
        self.left: list[list[int]] = [[] for _ in inputs]
        self.right: list[list[int]] = [[] for _ in inputs]
        self.chain: list[dict[int, int]] = [{} for _ in inputs]  # layer -> place of what passes
        for number, before in enumerate(inputs):
            for one in before:
                last = one
                for layer in range(layers[one] + 1, layers[number]):
                    last = self._passing(one, layer, last)
                self.left[number].append(last)
                self.right[last].append(number)
        self.count = 1 + max(layers)

    def _passing(self, source: int, layer: int, last: int) -> int:
        found = self.chain[source].get(layer)
        if found is None:
            found = self.chain[source][layer] = len(self.layer)
            self.layer.append(layer)
            self.size.append(0.0)
            self.weight.append(self.weight[source])
            self.left.append([last])
            self.right.append([])
            self.right[last].append(found)
        return found


def _ordered(net: _Net) -> list[list[int]]:
    """Each layer's nodes from top to bottom, with few crossings: the best of some sweeps."""
    order: list[list[int]] = [[] for _ in range(net.count)]
    for number in _reading_order(net):
        order[net.layer[number]].append(number)
    best, fewest = [list(layer) for layer in order], _crossings(net, order)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        forward = sweep % 2 == 0
        neighbors = net.left if forward else net.right
        layers = range(1, net.count) if forward else range(net.count - 2, -1, -1)
        place = _places(order)
        for layer in layers:
            row = order[layer]
            wanted = {
                one: sum(place[other] for other in neighbors[one]) / len(neighbors[one])
                if neighbors[one]
                else place[one]
                for one in row
            }
            row.sort(key=wanted.__getitem__)  # stable: ties keep the order of reading
            for index, one in enumerate(row):
                place[one] = index
        crossings = _crossings(net, order)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in order], crossings
    return best


def _reading_order(net: _Net) -> list[int]:
    """From the ends backwards, inputs as they are written: what is read first stands on top."""
    seen: set[int] = set()
    found: list[int] = []
    stack = [number for number in range(len(net.layer)) if not net.right[number]]
    while stack:
        number = stack.pop()
        if number not in seen:
            seen.add(number)
            found.append(number)
            stack.extend(reversed(net.left[number]))
    return found


def _places(order: list[list[int]]) -> dict[int, float]:
    return {one: float(index) for row in order for index, one in enumerate(row)}


def _crossings(net: _Net, order: list[list[int]]) -> int:
    """Pairs of edges between neighboring layers that cross (counted by inversions, with a tree)."""
    place = {one: index for row in order for index, one in enumerate(row)}
    total = 0
    for row, following in pairwise(order):
        ends = [place[end] for one in row for end in sorted(net.right[one], key=place.__getitem__)]
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


def _heights(net: _Net, order: list[list[int]]) -> list[float]:
    """The middle of each: as near to its neighbors as the others in its layer let it."""
    middle = [0.0] * len(net.layer)
    gaps = [_gaps(net, row) for row in order]
    heavy = net.weight
    for row, gap in zip(order, gaps, strict=True):
        at = 0.0
        for one, space in zip(row, gap, strict=True):
            at += space
            middle[one] = at
        for one in row:
            middle[one] -= at / 2
    for sweep in range(RELAXED):
        forward = sweep % 2 == 0
        sides = (net.left, net.right) if forward else (net.right, net.left)
        for layer in range(net.count) if forward else range(net.count - 1, -1, -1):
            row = order[layer]
            wanted = []
            for one in row:
                near = sides[0][one] or sides[1][one]
                if sweep >= RELAXED - 2:  # at last both sides count
                    near = [*net.left[one], *net.right[one]]
                weight = pull = 0.0
                for other in near:
                    weight += heavy[other]
                    pull += heavy[other] * middle[other]
                wanted.append(pull / weight if near else 0.0)
            weights = [net.weight[one] for one in row]
            for one, at in zip(row, _spread(wanted, gaps[layer], weights), strict=True):
                middle[one] = at
    return middle


def _gaps(net: _Net, row: Sequence[int]) -> list[float]:
    """How far below the one above it each must stand; the first has none above it."""
    gaps = [0.0] * len(row)
    for index in range(1, len(row)):
        above, below = net.size[row[index - 1]], net.size[row[index]]
        space = ROW if above and below else WAY
        gaps[index] = (above + below) / 2 + space
    return gaps


def _spread(
    wanted: Sequence[float], gaps: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """The heights nearest to the wanted ones (weighted least squares) that keep order and gaps.

    Without the gaps this is a regression by a rising line: neighbors that would pass each other
    become one block at their mean.
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


def _placed(
    net: _Net,
    order: list[list[int]],
    middle: list[float],
    inputs: Sequence[Sequence[int]],
    sizes: Sequence[Point],
    layers: Sequence[int],
) -> Layout:
    nodes = len(inputs)
    widths = [max((sizes[one][0] for one in row if one < nodes), default=0.0) for row in order]
    uses = [0] * nodes
    for one in (one for before in inputs for one in before):
        uses[one] += 1
    starts = [0.0]
    for row, width in zip(order[:-1], widths[:-1], strict=True):
        fanned = any(one < nodes and uses[one] > 1 for one in row)
        starts.append(starts[-1] + width + (FANNED if fanned else COLUMN))
    top = min(middle[one] - net.size[one] / 2 for one in range(len(middle)))
    places = []
    for number, (width, height) in enumerate(sizes):
        column = layers[number]
        left = starts[column] + widths[column] - width  # flush right: edges leave at one line
        if inputs[number]:
            left = starts[column]
        places.append((left, middle[number] - height / 2 - top, width, height))
    ways = []
    for number, before in enumerate(inputs):
        x, y, _, height = places[number]
        ends = []
        for one in before:
            left, up, width, tall = places[one]
            points = [(left + width, up + tall / 2)]
            for layer in range(layers[one] + 1, layers[number]):
                at = middle[net.chain[one][layer]] - top
                points += [(starts[layer], at), (starts[layer] + widths[layer], at)]
            points.append((x, y + height / 2))
            ends.append(tuple(points))
        ways.append(tuple(ends))
    bottom = max(y + height for _, y, _, height in places)
    lowest = max((at - top for at in middle), default=0.0)
    return Layout(
        tuple(places),
        tuple(ways),
        tuple(layers),
        starts[-1] + widths[-1],
        max(bottom, lowest),
    )
