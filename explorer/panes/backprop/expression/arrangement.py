"""Chooses node sizes with which a graph fits its room, and lays it out. No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.autograd import Graph
from explorer.panes.backprop.expression.layering import LayeredGraph
from explorer.panes.backprop.expression.layout import Layout, Size, Spacing, place
from explorer.panes.backprop.expression.node_geometry import (
    ROOMY,
    TIGHT,
    NodeGeometry,
    docked,
    geometries_of,
)

ENDLESS = (math.inf, math.inf)
SPACINGS = {ROOMY: Spacing(), TIGHT: Spacing(21.0, 23.0, 6.0, 8.0)}


@dataclass(frozen=True, eq=False)
class Plot:
    """A graph in layers, before it has sizes.

    docks    constants that stand at the node which reads them
    kept     the other nodes
    layered  of those, by their place in `kept`
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
    """The nodes and their layout, in one row or several: roomy nodes if all of them fit the room,
    else tight ones. If even these do not fit, the rows are as wide as the room.
    """
    for style in (ROOMY, TIGHT):
        nodes = geometries_of(plot.graph, style, plot.docks)
        sizes = [nodes[number].size for number in plot.kept]
        if style is ROOMY and sum(wide * high for wide, high in sizes) > room[0] * room[1]:
            continue  # they cannot fit
        layout = place(plot.layered, sizes, room[0], SPACINGS[style])
        if layout.width <= room[0] and layout.height <= room[1]:
            break
    return nodes, _whole(plot, nodes, layout)


def _whole(plot: Plot, nodes: Sequence[NodeGeometry], layout: Layout) -> Layout:
    """With the constants at their badges."""
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
