"""What fine-tunings forget at equal skill.

A run that goes on longer, or at a larger rate, forgets more, whatever its method. So methods are
compared where they have learned equally much (Biderman et al. 2024, "LoRA Learns Less and Forgets
Less", draw what is learned against what is forgotten).

N  evaluations of a run, M  of another one; steps and values of a measure are (N,) each
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Points = tuple[np.ndarray, np.ndarray]  # steps, and a measure's value at each

# Shares of right answers at which runs are compared, if all of them reach it. With less than half
# of the answers right, a skill is hardly learned.
LEVELS = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5)


def step_at(skill: Points, level: float) -> float:
    """Returns the first step at which a skill, a measure that is larger when better, has reached a
    level; NaN if it has not. Between two evaluations, it counts as growing evenly.
    """
    steps, values = skill
    reached = np.flatnonzero(values >= level)
    if not len(reached):
        return float("nan")
    at = int(reached[0])
    if at == 0:
        return float(steps[0])
    return float(np.interp(level, values[at - 1 : at + 1], steps[at - 1 : at + 1]))


def value_at(points: Points, step: float) -> float:
    """Returns a measure's value at a step, in between evaluations; NaN outside of them."""
    steps, values = points
    if not len(steps):
        return float("nan")
    return float(np.interp(step, steps, values, left=float("nan"), right=float("nan")))


def equal_share(shares: Sequence[Points]) -> float:
    """Returns the largest of `LEVELS` that all these shares of right answers have reached; NaN if
    there is none.
    """
    reached = (level for level in LEVELS if all(step_at(one, level) >= 0 for one in shares))
    return next(reached, float("nan"))


def equal_loss(losses: Sequence[Points]) -> float:
    """Returns the smallest loss that all runs have reached; NaN if one of them has not fallen."""
    level = max((float(np.min(values)) for _, values in losses if len(values)), default=np.nan)
    fell = all(len(values) and values[0] > level for _, values in losses)
    return level if fell else float("nan")
