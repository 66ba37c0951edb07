"""How a graph's nodes are drawn, and where: as large as the room lets all of it be. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.autograd import Graph
from explorer.panes.backprop.expression.faces import ROOMY, TIGHT, NodeFace, Style, docked, faces_of
from explorer.panes.backprop.expression.layering import LayeredGraph
from explorer.panes.backprop.expression.layout import Layout, Size, Spacing, least, place

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


@dataclass(frozen=True)
class Arranged:
    """low, high  the heights of rooms of the same width for which it stays as it is"""

    faces: tuple[NodeFace, ...]
    layout: Layout
    low: float
    high: float


def arranged(plot: Plot, checks: bool = False, room: Size = ENDLESS) -> Arranged:
    """All of it in the room, in one row or several: with roomy nodes, else with tight ones. Where
    even these are too many, in rows as wide as the room.
    """
    faces = faces_of(plot.graph, checks, ROOMY, plot.docks)
    width, enough = least(plot.layered, _sizes(plot, faces), room[0], SPACINGS[ROOMY])
    if width > room[0]:
        enough = math.inf
    if enough <= room[1]:
        layout = _laid(plot, faces, ROOMY, room)
        if layout.height <= room[1]:
            return Arranged(faces, layout, layout.height, math.inf)
        enough = layout.height
    faces = faces_of(plot.graph, checks, TIGHT, plot.docks)
    return Arranged(faces, _laid(plot, faces, TIGHT, room), 0.0, enough)


def _sizes(plot: Plot, faces: Sequence[NodeFace]) -> list[Size]:
    return [faces[number].size for number in plot.kept]


def _laid(plot: Plot, faces: Sequence[NodeFace], style: Style, room: Size) -> Layout:
    layout = place(plot.layered, _sizes(plot, faces), room[0], SPACINGS[style])
    return _whole(plot, faces, layout)


def _whole(plot: Plot, faces: Sequence[NodeFace], layout: Layout) -> Layout:
    """With the constants at their badges."""
    index = {number: at for at, number in enumerate(plot.kept)}
    places, layers, ways, folds = [], [], [], {}
    for number, node in enumerate(plot.graph.nodes):
        at = index[plot.docks.get(number, number)]
        x, y, _, _ = layout.places[at]
        layers.append(layout.layers[at])
        if number in plot.docks:
            left, top, wide, high = faces[plot.docks[number]].chip_box
            places.append((x + left, y + top, wide, high))
            ways.append(())
            continue
        places.append(layout.places[at])
        found, count = [], 0
        for way, one in enumerate(node.inputs):
            if one in plot.docks:
                left, top, wide, high = faces[number].chip_box
                middle = x + left + wide - faces[number].badge / 2
                found.append(((middle, y + top), (middle, y + top - 1)))
                continue
            found.append(layout.ways[at][count])
            if (at, count) in layout.folds:
                folds[number, way] = layout.folds[at, count]
            count += 1
        ways.append(tuple(found))
    return replace(
        layout, places=tuple(places), ways=tuple(ways), layers=tuple(layers), folds=folds
    )
