"""How long each step is seen: long at first, so that it can be followed, then ever shorter."""

from __future__ import annotations

FIRST = 0.7  # seconds at 1x
EASE = 0.94  # of the step before
WHOLE = 30.0  # seconds that the fast part takes at least, all steps together
STILL = 0.04  # a shorter step has no transition
TRANSITION = 0.35  # of a step


def seconds(index: int, expected: int) -> float:
    """How long step `index` of about `expected` is seen at 1x."""
    floor = min(FIRST, WHOLE / max(1, expected))
    return max(floor, FIRST * EASE ** min(index, 1000))


def transition(index: int, expected: int) -> float:
    """The part of it in which the picture changes."""
    whole = seconds(index, expected)
    return TRANSITION * whole if whole >= STILL else 0.0
