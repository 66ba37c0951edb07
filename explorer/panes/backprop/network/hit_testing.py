"""Finds the element of the drawing at a point. No Qt here."""

from __future__ import annotations

from explorer.panes.backprop.network.draft import REACH, Data
from explorer.panes.backprop.network.elements import DataPoint, Element, Neuron, Weight
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.scene import Box, Layout, distance, inside

NEAR_EDGE, NEAR_POINT = 5.0, 12.0  # px


def to_plane(box: Box, x: float, y: float) -> tuple[float, float]:
    """Converts a point of the widget to coordinates of the plane."""
    across = (x - box[0]) / box[2]
    down = (y - box[1]) / box[3]
    return (2 * across - 1) * REACH, (1 - 2 * down) * REACH


def from_plane(box: Box, x: float, y: float) -> tuple[float, float]:
    across, down = (x / REACH + 1) / 2, (1 - y / REACH) / 2
    return box[0] + across * box[2], box[1] + down * box[3]


def element_at(
    layout: Layout, keyframe: Keyframe, data: Data | None, x: float, y: float
) -> Element:
    """Returns the element at a point of the widget, or None."""
    if inside(layout.plane, x, y):
        near = point_near(layout.plane, data, x, y)
        return DataPoint(near) if near >= 0 else None
    for column, boxes in enumerate(layout.boxes):
        for number, box in enumerate(boxes):
            if inside(box, x, y):
                return Neuron(column, number)
    best, found = NEAR_EDGE, None
    for layer, weights in enumerate(keyframe.weights):
        for before in range(weights.shape[0]):
            for after in range(weights.shape[1]):
                away = distance(layout.edge(layer, before, after), x, y)
                if away < best:
                    best, found = away, Weight(layer, before, after)
    return found


def point_near(plane: Box, data: Data | None, x: float, y: float) -> int:
    """Returns the index of the data point near (x, y), or -1."""
    best, found = NEAR_POINT, -1
    for number, place in enumerate(data.points if data is not None else ()):
        px, py = from_plane(plane, place[0], place[1])
        away = ((px - x) ** 2 + (py - y) ** 2) ** 0.5
        if away < best:
            best, found = away, number
    return found
