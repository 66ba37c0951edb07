"""What of the drawing is pointed at or chosen, and its words. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass

from core.numbers import format_number
from explorer.panes.backprop.network.draft import REACH, Data
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.scene import Box, Layout, distance, inside

NEAR_EDGE, NEAR_POINT = 5.0, 12.0  # px


@dataclass(frozen=True)
class Neuron:
    """Column 0 are the inputs."""

    column: int
    number: int


@dataclass(frozen=True)
class Weight:
    """Of layer `layer`, 0 being the first of weights, from neuron `before` to neuron `after`."""

    layer: int
    before: int
    after: int


@dataclass(frozen=True)
class PointSpot:
    number: int


Spot = Neuron | Weight | PointSpot | None


def to_plane(box: Box, x: float, y: float) -> tuple[float, float]:
    """A place of the plane, for one of the widget."""
    across = (x - box[0]) / box[2]
    down = (y - box[1]) / box[3]
    return (2 * across - 1) * REACH, (1 - 2 * down) * REACH


def from_plane(box: Box, x: float, y: float) -> tuple[float, float]:
    across, down = (x / REACH + 1) / 2, (1 - y / REACH) / 2
    return box[0] + across * box[2], box[1] + down * box[3]


def spot_at(layout: Layout, keyframe: Keyframe, data: Data | None, x: float, y: float) -> Spot:
    """What lies under a place of the widget."""
    if inside(layout.plane, x, y):
        near = point_near(layout.plane, data, x, y)
        return PointSpot(near) if near >= 0 else None
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
    """The number of the point that is pointed at; -1 for none."""
    best, found = NEAR_POINT, -1
    for number, place in enumerate(data.points if data is not None else ()):
        px, py = from_plane(plane, place[0], place[1])
        away = ((px - x) ** 2 + (py - y) ** 2) ** 0.5
        if away < best:
            best, found = away, number
    return found


def name_of(column: int, number: int, sizes: tuple[int, ...]) -> str:
    if column == 0:
        return f"x{number + 1}"
    if column == len(sizes) - 1:
        return "output" if sizes[-1] == 1 else f"output {number + 1} (class {number})"
    return f"layer {column}, neuron {number + 1}"


def is_there(spot: Spot, sizes: tuple[int, ...]) -> bool:
    """Whether a network of these sizes has it."""
    if isinstance(spot, Neuron):
        return spot.column < len(sizes) and spot.number < sizes[spot.column]
    if isinstance(spot, Weight):
        known = spot.layer < len(sizes) - 1
        return known and spot.before < sizes[spot.layer] and spot.after < sizes[spot.layer + 1]
    return False


def words_of(spot: Spot, keyframe: Keyframe, data: Data | None) -> str:
    """One line beside the pointer."""
    sizes = keyframe.sizes
    if isinstance(spot, Weight):
        value = keyframe.weights[spot.layer][spot.before, spot.after]
        first = name_of(spot.layer, spot.before, sizes)
        then = name_of(spot.layer + 1, spot.after, sizes)
        return f"weight {format_number(value)}: {first} \u2192 {then}"
    if isinstance(spot, Neuron):
        name = name_of(spot.column, spot.number, sizes)
        if spot.column == 0:
            return f"{name}: a coordinate, from \u2212{REACH} to {REACH} over the plane"
        bias = format_number(keyframe.biases[spot.column - 1][spot.number])
        dead = is_dead(keyframe, spot.column, spot.number)
        return f"{name}: bias {bias}" + (", dead: 0 for every point" if dead else "")
    if isinstance(spot, PointSpot) and data is not None:
        x, y = data.points[spot.number]
        target = data.targets[spot.number]
        what = f"class {int(target)}" if data.classes else f"target {format_number(target)}"
        side = "tests" if data.tested[spot.number] else "trains"
        return f"({format_number(x)}, {format_number(y)}), {what}, {side}"
    return ""


def is_dead(keyframe: Keyframe, column: int, number: int) -> bool:
    layer = column - 1
    return 0 <= layer < len(keyframe.layers) and bool(keyframe.layers[layer].dead[number])
