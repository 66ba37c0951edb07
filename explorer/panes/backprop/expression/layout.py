"""Lays a graph out from left to right, wrapped into rows like text if it is too wide. No Qt.

The layers come from layering. Here each layer becomes a column, columns form rows, and every node
gets a height close to its neighbors'. An edge into the next row turns at the end of its own row,
runs back in a lane between the two rows, and turns again. Nodes are roomy if all of them fit,
otherwise tight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from core.autograd import Graph
from explorer.panes.backprop.expression.layering import LayeredGraph, assign_heights
from explorer.panes.backprop.expression.node_geometry import (
    ROOMY,
    TIGHT,
    NodeGeometry,
    docked,
    geometries_of,
)

LANE, BESIDE = 6.0, 12.0  # between two lanes; between lanes and the rows above and below
TURN = 9.0  # from the end of a row to the nearest turn
RAGGED = 20.0  # cost of an empty row, in units of height: rows are filled evenly

Point = tuple[float, float]
Size = tuple[float, float]  # width and height


@dataclass(frozen=True)
class Spacing:
    """Distances between two columns, after a column with nodes used more than once, between two
    nodes, and between two long edges.
    """

    column: float = 52.0
    fanned: float = 108.0
    row: float = 8.0
    edge: float = 12.0


ENDLESS = (math.inf, math.inf)
SPACINGS = {ROOMY: Spacing(), TIGHT: Spacing(21.0, 23.0, 6.0, 8.0)}


@dataclass(frozen=True)
class Fold:
    """The turn of an edge into the next row: before its point number `at` it turns at x = `right`,
    runs back at y = `lane`, and turns at x = `left`.
    """

    at: int
    right: float
    lane: float
    left: float


@dataclass(frozen=True)
class Layout:
    """All positions in units of the picture; the top left corner is (0, 0).

    places  (x, y, width, height) of each node
    routes  for each node and each of its inputs: points from the input's right side to the node's
            left side
    layers  of each node: its column if all were in one row
    folds   of the routes that continue in another row
    rows    top and bottom of each row
    """

    places: tuple[tuple[float, float, float, float], ...]
    routes: tuple[tuple[tuple[Point, ...], ...], ...]
    layers: tuple[int, ...]
    width: float
    height: float
    folds: dict[tuple[int, int], tuple[Fold, ...]] = field(default_factory=dict)
    rows: tuple[tuple[float, float], ...] = ()


def place(graph: LayeredGraph, sizes: Sequence[Size], room: float, spacing: Spacing) -> Layout:
    """Lays out nodes of (width, height) `sizes`; `room` is the greatest width, if every column
    fits.
    """
    columns = _Columns(graph, sizes, spacing)
    rows = columns.rows(room)
    middle = [0.0] * len(graph.layer)
    top, bounds, lanes = 0.0, [], {}
    for row in rows:
        assign_heights(graph, columns.gaps, row, middle)
        members = [one for layer in row for one in graph.order[layer]]
        first = min(middle[one] - columns.height[one] / 2 for one in members)
        for one in members:
            middle[one] += top - first
        bottom = max(middle[one] + columns.height[one] / 2 for one in members)
        bounds.append((top, bottom))
        top = bottom + BESIDE
        for one in reversed(columns.leaving[row[-1]]):
            lanes[one] = top
            top += LANE
        top += BESIDE - LANE
    starts = columns.starts(rows)
    layout = _Drawn(columns, rows, starts, middle, lanes)
    ends = [starts[row[-1]] + columns.width[row[-1]] + columns.turn(row[-1]) for row in rows]
    return Layout(
        layout.places(),
        layout.routes(),
        tuple(graph.layer[: len(sizes)]),
        max(ends),
        bounds[-1][1],
        layout.folds,
        tuple(bounds),
    )


class _Columns:
    """The layers with their sizes."""

    def __init__(self, graph: LayeredGraph, sizes: Sequence[Size], spacing: Spacing) -> None:
        self.graph, self.sizes, self.spacing = graph, sizes, spacing
        self.height = [height for _, height in sizes] + [0.0] * (len(graph.layer) - len(sizes))
        nodes = len(sizes)
        self.width = [
            max((sizes[n][0] for n in row if n < nodes), default=0) for row in graph.order
        ]
        uses = [0] * nodes
        for one in (one for before in graph.inputs for one in before):
            uses[one] += 1
        fanned = [any(one < nodes and uses[one] > 1 for one in row) for row in graph.order]
        self.space = [spacing.fanned if several else spacing.column for several in fanned]
        self.gaps = [self._gaps(row) for row in graph.order]
        self.tall = [
            sum(gap) + (self.height[row[0]] + self.height[row[-1]]) / 2
            for gap, row in zip(self.gaps, graph.order, strict=True)
        ]
        # from each layer into the next, top to bottom
        self.leaving = [[one for one in row if graph.right[one]] for row in graph.order]

    def _gaps(self, row: Sequence[int]) -> list[float]:
        """Returns the least distance of each vertex below the previous one; 0 for the first."""
        gaps = [0.0]
        for one, other in pairwise(row):
            above, below = self.height[one], self.height[other]
            space = self.spacing.row if above and below else self.spacing.edge
            gaps.append((above + below) / 2 + space)
        return gaps

    def turn(self, layer: int) -> float:
        """Returns the width of the turns beside a row that ends with a layer."""
        return turned(len(self.leaving[layer]))

    def rows(self, room: float) -> list[range]:
        """Returns the layers of each row, such that the sum of all rows' heights is least."""
        count = self.graph.count
        ends = list(accumulate(a + b for a, b in zip(self.width, self.space, strict=True)))
        if ends[-1] - self.space[-1] <= room:
            return [range(count)]
        lanes = [len(leaving) for leaving in self.leaving]
        best = [(0.0, 0)] + [(math.inf, 0)] * count
        for end in range(1, count + 1):
            high = 0.0
            for begin in range(end - 1, -1, -1):
                high = max(high, self.tall[begin])
                before = ends[begin - 1] if begin else 0.0
                wide = ends[end - 1] - self.space[end - 1] - before
                wide += (turned(lanes[begin - 1]) if begin else 0.0) + turned(lanes[end - 1])
                if wide > room and begin < end - 1:
                    break
                ragged = RAGGED * (1 - min(1.0, wide / room)) ** 2 if end < count else 0.0
                cost = best[begin][0] + high + 2 * BESIDE + lanes[end - 1] * LANE + ragged
                if cost < best[end][0]:
                    best[end] = (cost, begin)
        found, end = [], count
        while end:
            begin = best[end][1]
            found.append(range(begin, end))
            end = begin
        return found[::-1]

    def starts(self, rows: Sequence[range]) -> list[float]:
        """Returns the left side of each column."""
        found: list[float] = []
        for row in rows:
            at = self.turn(row[0] - 1) if row[0] else 0.0
            for layer in row:
                found.append(at)
                at += self.width[layer] + self.space[layer]
        return found


def turned(lanes: int) -> float:
    """Returns the width that the turns of this many lanes take beside a row."""
    return TURN + (lanes - 1) * LANE if lanes else 0.0


class _Drawn:
    """Node positions and edge routes, once all heights are known."""

    def __init__(
        self,
        columns: _Columns,
        rows: Sequence[range],
        starts: Sequence[float],
        middle: Sequence[float],
        lanes: dict[int, float],
    ) -> None:
        self.columns, self.starts, self.middle, self.lanes = columns, starts, middle, lanes
        self.lasts = {row[-1] for row in rows[:-1]}
        self.folds: dict[tuple[int, int], tuple[Fold, ...]] = {}

    def places(self) -> tuple[tuple[float, float, float, float], ...]:
        columns, found = self.columns, []
        for number, (width, height) in enumerate(columns.sizes):
            layer = columns.graph.layer[number]
            left = self.starts[layer]
            if not columns.graph.inputs[number]:  # right-aligned: edges leave at one x
                left += columns.width[layer] - width
            found.append((left, self.middle[number] - height / 2, width, height))
        return tuple(found)

    def routes(self) -> tuple[tuple[tuple[Point, ...], ...], ...]:
        places, graph = self.places(), self.columns.graph
        shared = [self._shared(one, place) for one, place in enumerate(places)]
        found = []
        for number, before in enumerate(graph.inputs):
            x, y, _, height = places[number]
            end = (x, y + height / 2)
            routes = []
            for index, one in enumerate(before):
                points, folds = shared[one]
                count = 2 * (graph.layer[number] - graph.layer[one]) - 1
                routes.append((*points[:count], end))
                if ahead := tuple(fold for fold in folds if fold.at <= count):
                    self.folds[number, index] = ahead
            found.append(tuple(routes))
        return tuple(found)

    def _shared(
        self, one: int, place: tuple[float, float, float, float]
    ) -> tuple[list[Point], list[Fold]]:
        """Returns the common part of all routes from a node: the route to its farthest layer."""
        graph, width, first = self.columns.graph, self.columns.width, self.columns.graph.layer[one]
        left, top, wide, tall = place
        points, folds, vertex = [(left + wide, top + tall / 2)], [], one
        for layer in range(first, first + len(graph.dummies[one]) + 1):
            if layer in self.lasts and graph.right[vertex]:
                folds.append(self._fold(len(points), layer, vertex))
            if layer - first < len(graph.dummies[one]):
                vertex = graph.dummies[one][layer + 1]
                at, start = self.middle[vertex], self.starts[layer + 1]
                points += [(start, at), (start + width[layer + 1], at)]
        return points, folds

    def _fold(self, at: int, layer: int, vertex: int) -> Fold:
        """Nests the turns, the topmost edge outermost and in the lowest lane: none cross."""
        leaving = self.columns.leaving[layer]
        place = leaving.index(vertex)
        right = self.starts[layer] + self.columns.width[layer] + turned(len(leaving) - place)
        return Fold(at, right, self.lanes[vertex], self.starts[layer + 1] - turned(place + 1))


@dataclass(frozen=True, eq=False)
class Plot:
    """A graph in layers, before its nodes have sizes.

    docks    constants drawn at the badge of their reader: their node -> the reader
    kept     the other nodes
    layered  the graph of those, by their index in `kept`
    """

    graph: Graph
    docks: Mapping[int, int]
    kept: Sequence[int]
    layered: LayeredGraph


def plot_of(graph: Graph) -> Plot:
    docks = docked(graph)
    kept = [number for number in range(len(graph.nodes)) if number not in docks]
    place = {number: index for index, number in enumerate(kept)}
    inputs = [[place[one] for one in graph.nodes[n].inputs if one in place] for n in kept]
    return Plot(graph, docks, kept, LayeredGraph(inputs))


def arranged(plot: Plot, room: Size = ENDLESS) -> tuple[tuple[NodeGeometry, ...], Layout]:
    """Returns the nodes and their layout in one or several rows: roomy nodes if all of them fit the
    room, else tight ones. If even these do not fit, rows are as wide as the room.
    """
    for style in (ROOMY, TIGHT):
        nodes = geometries_of(plot.graph, style, plot.docks)
        sizes = [nodes[number].size for number in plot.kept]
        if style is ROOMY and sum(wide * high for wide, high in sizes) > room[0] * room[1]:
            continue  # cannot fit
        layout = place(plot.layered, sizes, room[0], SPACINGS[style])
        if layout.width <= room[0] and layout.height <= room[1]:
            break
    return nodes, _whole(plot, nodes, layout)


def _whole(plot: Plot, nodes: Sequence[NodeGeometry], layout: Layout) -> Layout:
    """Returns the layout with the docked constants added at their badges."""
    index = {number: at for at, number in enumerate(plot.kept)}
    places, layers, routes, folds = [], [], [], {}
    for number, node in enumerate(plot.graph.nodes):
        at = index[plot.docks.get(number, number)]
        x, y, _, _ = layout.places[at]
        layers.append(layout.layers[at])
        if number in plot.docks:
            left, top, wide, high = nodes[plot.docks[number]].chip_box
            places.append((x + left, y + top, wide, high))
            routes.append(())
            continue
        places.append(layout.places[at])
        found, count = [], 0
        for way, one in enumerate(node.inputs):
            if one in plot.docks:
                left, top, wide, high = nodes[number].chip_box
                middle = x + left + wide - nodes[number].badge / 2
                found.append(((middle, y + top), (middle, y + top - 1)))
                continue
            found.append(layout.routes[at][count])
            if (at, count) in layout.folds:
                folds[number, way] = layout.folds[at, count]
            count += 1
        routes.append(tuple(found))
    return replace(
        layout, places=tuple(places), routes=tuple(routes), layers=tuple(layers), folds=folds
    )
