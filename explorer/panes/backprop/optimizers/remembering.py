"""What an optimizer is told and remembers after each step, as numbers. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from explorer.panes.backprop.optimizers.racing import Lane, between

FIRST = {"velocity": ("u", "velocity"), "average": ("m", "average")}
SECOND = {"total": ("\u221av", "total size"), "square": ("\u221av", "usual size")}


@dataclass(frozen=True, eq=False)
class Quantity:
    """Two numbers a step, for x and y: values (n, 2)."""

    kind: str  # gradient, first, second, step
    letter: str
    title: str
    values: np.ndarray

    @cached_property
    def largest(self) -> float:
        sizes = np.abs(self.values[np.isfinite(self.values)])
        return float(sizes.max()) if sizes.size else 0.0

    def at(self, position: float) -> np.ndarray:
        """Between two steps what lies between."""
        last = len(self.values) - 1
        low = min(max(0, int(position)), last)
        share = min(max(0.0, position - low), 1.0)
        return between(self.values[low], self.values[min(low + 1, last)], share)


def quantities_of(lane: Lane) -> tuple[Quantity, ...]:
    """The slope that its last step was told, what it remembers of all, and that step: those of one
    number belong together. Before the first step the slope is that at the start; one that is lost
    has no last step, for it stands where it was before: nan.
    """
    slopes = slope_of(lane).values
    told = np.concatenate((slopes[:1], slopes[:-1]))
    found = [Quantity("gradient", "g", "gradient", told)]
    first, second = first_of(lane.racers[0].state), second_of(lane.racers[0].state)
    if first:
        letter, title = FIRST[first]
        found.append(Quantity("first", letter, title, _remembered(lane, first)))
    if second:
        letter, title = SECOND[second]
        squares = np.maximum(_remembered(lane, second), 0.0)
        found.append(Quantity("second", letter, title, np.sqrt(squares)))
    moves = np.diff(lane.positions, axis=0, prepend=lane.positions[:1])
    moves[lane.lost_at or len(moves) :] = np.nan
    found.append(Quantity("step", "\u0394", "last step", moves))
    return tuple(found)


def slope_of(lane: Lane) -> Quantity:
    """The slope where it stands: the next step will be told it."""
    return Quantity("slope", "g", "slope here", np.stack([one.gradient for one in lane.racers]))


def first_of(state: Any) -> str:
    """The name in a rule's state of what is remembered of the gradient."""
    return next((name for name in FIRST if hasattr(state, name)), "")


def second_of(state: Any) -> str:
    """The name of what is remembered of its square."""
    return next((name for name in SECOND if hasattr(state, name)), "")


def _remembered(lane: Lane, name: str) -> np.ndarray:
    values = [np.asarray(getattr(racer.state, name), float) for racer in lane.racers]
    return np.stack([np.broadcast_to(value.reshape(-1), (2,)) for value in values])
