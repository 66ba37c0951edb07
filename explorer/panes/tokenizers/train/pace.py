"""The duration of each step: long at first, so that it can be followed, then ever shorter."""

from __future__ import annotations

FIRST = 0.7  # seconds of the first step at speed 1
EASE = 0.94  # duration relative to the previous step
WHOLE = 30.0  # seconds; all steps at the least duration would take that long
STILL = 0.04  # seconds; a shorter step has no transition
TRANSITION = 0.35  # fraction of a step


def seconds(index: int, expected: int) -> float:
    """Returns the duration of step `index` of about `expected` at speed 1, in seconds."""
    floor = min(FIRST, WHOLE / max(1, expected))
    return max(floor, FIRST * EASE ** min(index, 1000))


def transition(index: int, expected: int) -> float:
    """Returns the part of the duration in which the picture changes, in seconds."""
    whole = seconds(index, expected)
    return TRANSITION * whole if whole >= STILL else 0.0
