"""The selected optimizer's gradient and memory at any cursor position. Does not import Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from explorer.panes.backprop.optimizers.compute import Lane, between
from explorer.panes.backprop.optimizers.text import went

FIRST = {"velocity": ("u", "velocity"), "average": ("m", "average")}
SECOND = {"total": ("\u221av", "total size"), "square": ("\u221av", "usual size")}
CORRECTED = "\u221av\u0302"  # of an average that began at 0, as the step divides by it
LONGEST, SHORTEST = 84.0, 10.0  # px: length of arrows
DECADES = 4.0  # powers of ten below the largest at which an arrow or a bar vanishes


@dataclass(frozen=True, eq=False)
class Quantity:
    """A quantity with an x and a y for each step: values (n, 2); `missing` is said for nan."""

    kind: str  # gradient, first, second, step, slope
    letter: str
    title: str
    values: np.ndarray
    missing: str = ""

    @cached_property
    def largest(self) -> float:
        sizes = np.abs(self.values[np.isfinite(self.values)])
        return float(sizes.max()) if sizes.size else 0.0

    def at(self, position: float) -> np.ndarray:
        """Returns the quantity, (2,), interpolated between two steps."""
        last = len(self.values) - 1
        low = min(max(0, int(position)), last)
        share = min(max(0.0, position - low), 1.0)
        return between(self.values[low], self.values[min(low + 1, last)], share)


@dataclass(frozen=True, eq=False)
class Arrows:
    """The vectors drawn at the selected optimizer's head, each (2,).

    downhill  minus the gradient
    first     minus its velocity or average gradient; None if it has none
    second    the root of its average or total square; None if it has none
    letters   the symbols of the three
    largest   the greatest length of them in the whole race
    """

    downhill: np.ndarray
    first: np.ndarray | None
    second: np.ndarray | None
    letters: tuple[str, str, str]
    largest: float


@dataclass(frozen=True, eq=False)
class Memory:
    """An optimizer's quantities in display order, and `slope`: the gradient at its position, which
    its next step will use.
    """

    quantities: tuple[Quantity, ...]
    slope: Quantity

    def arrows(self, position: float, inside: Mapping[str, float]) -> Arrows:
        """Returns the arrows at the cursor. `inside` has each kind's own position while inside a
        step, where the gradient is that step's g; otherwise it is the slope at the head.
        """
        by_kind = {one.kind: one for one in self.quantities}
        gradient, first, second = (by_kind.get(kind) for kind in ("gradient", "first", "second"))
        assert gradient is not None
        slope = gradient.at(inside["gradient"]) if inside else self.slope.at(position)
        largest = max(one.largest for one in self.quantities if one.kind != "step")
        return Arrows(
            downhill=-slope,
            first=None if first is None else -first.at(inside.get("first", position)),
            second=None if second is None else second.at(inside.get("second", position)),
            letters=(
                "\u2212g" if inside else "downhill",
                "" if first is None else f"\u2212{first.letter}",
                "" if second is None else second.letter,
            ),
            largest=largest * math.sqrt(2),
        )


def memory_of(lane: Lane) -> Memory:
    """Returns each step's gradient, the optimizer's memory, and the step itself.

    They share the step's index. Before the first step the gradient is that at the start. Once an
    optimizer has diverged, its last step is nan, because it no longer moves.
    """
    slopes = np.stack([one.gradient for one in lane.racers])
    used = np.concatenate((slopes[:1], slopes[:-1]))
    found = [Quantity("gradient", "g", "gradient", used)]
    first, second = (_name_in(lane.racers[0].state, names) for names in (FIRST, SECOND))
    if first:
        found.append(Quantity("first", *FIRST[first], _remembered(lane, first)))
    if second:
        found.append(_sizes(lane, second))
    moves = np.diff(lane.positions, axis=0, prepend=lane.positions[:1])
    moves[lane.lost_at or len(moves) :] = np.nan
    missing = f"step {lane.lost_at} {went(lane)}"
    found.append(Quantity("step", "\u0394", "last step", moves, missing))
    return Memory(tuple(found), Quantity("slope", "g", "slope here", slopes))


def _sizes(lane: Lane, name: str) -> Quantity:
    """How large its gradients usually are; Adam and AdamW correct what began at 0."""
    squares = np.maximum(_remembered(lane, name), 0.0)
    (letter, title), betas = SECOND[name], getattr(lane.settings, "betas", None)
    if betas is not None:
        letter = CORRECTED
        steps = np.arange(len(squares))
        steps = np.minimum(steps, len(steps) if lane.lost_at is None else lane.lost_at - 1)
        squares = squares / (1 - betas[1] ** np.maximum(steps, 1))[:, None]
    return Quantity("second", letter, title, np.sqrt(squares))


def _name_in(state: Any, names: Mapping[str, Any]) -> str:
    """Returns the first of these names that is in a rule's state, or ""."""
    return next((name for name in names if hasattr(state, name)), "")


def _remembered(lane: Lane, name: str) -> np.ndarray:
    values = [np.asarray(getattr(racer.state, name), float) for racer in lane.racers]
    return np.stack([np.broadcast_to(value.reshape(-1), (2,)) for value in values])


def arrow_length(size: float, largest: float) -> float:
    """Returns a length in pixels on a log scale, because gradients in a race differ by factors of
    thousands; 0 for sizes more than DECADES powers of ten below the largest.
    """
    if not (size > 0 and largest > 0 and math.isfinite(size)):
        return 0.0
    share = 1 + math.log10(size / largest) / DECADES if size < largest else 1.0
    return SHORTEST + (LONGEST - SHORTEST) * share if share > 0 else 0.0


def bar_share(value: float, largest: float) -> float:
    """Returns a bar's signed length in -1..1, on the same log scale."""
    if not math.isfinite(value) or value == 0 or largest <= 0:
        return 0.0
    return math.copysign(max(0.0, 1 + math.log10(abs(value) / largest) / DECADES), value)
