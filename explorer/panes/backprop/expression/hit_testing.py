"""Finds the node at a point of a graph, and the node that an arrow key leads to."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from explorer.panes.backprop.expression.draw_nodes import badge_box, node_box, part
from explorer.panes.backprop.expression.scene import GraphScene

Hit = tuple[int, int]  # a node and an element of it; -1 for none
NOTHING: Hit = (-1, -1)


def node_at(scene: GraphScene, at: QPointF) -> Hit:
    """Returns the node at a point of the picture, and which element of it."""
    for number in range(len(scene.nodes) - 1, -1, -1):
        badge = scene.nodes[number].badge and badge_box(scene, number).contains(at)
        if badge or node_box(scene, number).contains(at):
            return number, _element_at(scene, number, at)
    return NOTHING


def _element_at(scene: GraphScene, number: int, at: QPointF) -> int:
    node = scene.nodes[number]
    if not node.is_grid:
        return 0 if node.kind == "leaf" else -1
    areas = [part(scene, number, node.grid(gradient)) for gradient in (False, True)]
    area = next((area for area in areas if area.contains(at)), None)
    if area is None:
        return -1
    column = min(int((at.x() - area.x()) / node.cell[0]), node.columns - 1)
    row = min(int((at.y() - area.y()) / node.cell[1]), node.rows - 1)
    return row * scene.computed.value(number).shape[-1] + column


def neighbor(scene: GraphScene, number: int, dx: int, dy: int) -> int:
    """Returns the node that an arrow key leads to: along an edge, or up and down its layer."""
    layout = scene.layout
    if number < 0:
        return len(scene.nodes) - 1

    def middle(one: int) -> float:
        return layout.places[one][1] + layout.places[one][3] / 2

    if dx < 0:
        near = list(scene.computed.graph.nodes[number].inputs)
        return near[0] if near else number
    if dx > 0:
        near = [edge[0] for edge in scene.uses[number]]
    else:
        near = [
            one
            for one, layer in enumerate(layout.layers)
            if layer == layout.layers[number] and (middle(one) - middle(number)) * dy > 0
        ]
    return min(near, key=lambda one: abs(middle(one) - middle(number)), default=number)


def next_element(scene: GraphScene, hit: Hit, dx: int, dy: int) -> int:
    """Returns the neighbor of a tensor's element; -1 if the node has no grid."""
    number, element = hit
    if number < 0 or not scene.nodes[number].is_grid:
        return -1
    value = scene.computed.value(number)
    columns = value.shape[-1]
    row, column = divmod(max(0, element), columns)
    row = min(max(0, row + dy), value.size // columns - 1)
    return row * columns + min(max(0, column + dx), columns - 1)
