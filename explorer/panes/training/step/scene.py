"""The place of the cursor in a recorded step. Does not import Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.trace import Step
from core.training.recorded_step import RecordedStep

ALL = 1e9  # more inner steps than any phase has


@dataclass(frozen=True, eq=False)
class Place:
    """A phase, with its `index` in the strip, or the step `inner` inside it.

    shown    how many of the phase's inner steps have happened, with the fraction of the current one
    step     the step in the inspector
    seconds  recorded time from the beginning of forward to the end of this place
    """

    index: int
    phase: str
    inner: int | None
    shown: float
    step: Step
    seconds: float


def place_of(recorded: RecordedStep, path: Sequence[float]) -> Place:
    """Returns the place for a `path`: the cursor's position on each level, outermost first."""
    trace, (outer, *inside) = recorded.trace, path
    index = min(math.ceil(outer - 1e-9), len(recorded.phases) - 1)
    at, inner = trace.children()[index], None
    steps, fraction = trace.children(at), outer - math.floor(outer)
    shown = fraction * len(steps) if fraction and steps else ALL
    if inside and steps:
        inner, shown = min(math.ceil(inside[0] - 1e-9), len(steps) - 1), inside[0] + 1
        at = steps[inner]
    ends = [step.end for step in list(trace)[: at + 1] if step.end is not None]
    seconds = ends[-1] - recorded.begun if ends else 0.0
    return Place(index, recorded.phases[index], inner, shown, trace[at], seconds)
