"""The elements of the drawing that can be hovered: neurons, weights, data points. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.panes.backprop.network.keyframe import Keyframe


@dataclass(frozen=True)
class Neuron:
    """A neuron; the inputs are column 0."""

    column: int
    number: int


@dataclass(frozen=True)
class Weight:
    """A weight of layer `layer`, counted from 0, from neuron `before` to neuron `after`."""

    layer: int
    before: int
    after: int


@dataclass(frozen=True)
class DataPoint:
    number: int


Element = Neuron | Weight | DataPoint | None


def name_of(column: int, number: int, sizes: tuple[int, ...]) -> str:
    if column == 0:
        return f"x{number + 1}"
    if column == len(sizes) - 1:
        return "output" if sizes[-1] == 1 else f"output {number + 1} (class {number})"
    return f"layer {column}, neuron {number + 1}"


def is_there(element: Element, sizes: tuple[int, ...]) -> bool:
    """Returns True if a network of these sizes has the element."""
    if isinstance(element, Neuron):
        return element.column < len(sizes) and element.number < sizes[element.column]
    if isinstance(element, Weight):
        known = element.layer < len(sizes) - 1
        return (
            known
            and element.before < sizes[element.layer]
            and element.after < sizes[element.layer + 1]
        )
    return False


def is_dead(keyframe: Keyframe, column: int, number: int) -> bool:
    layer = column - 1
    return 0 <= layer < len(keyframe.layers) and bool(keyframe.layers[layer].dead[number])
