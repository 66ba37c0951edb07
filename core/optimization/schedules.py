"""Learning-rate schedules: pure functions of how many steps have been applied."""

from __future__ import annotations

import math


def learning_rate_at(
    step: int,
    *,
    schedule: str,
    learning_rate: float,
    min_learning_rate: float,
    warmup_steps: int,
    steps: int,
) -> float:
    """The learning rate of the step that follows `step` applied ones (0 for the first).

    Linear warm-up to `learning_rate` over `warmup_steps`, then "constant", or "cosine": half a
    cosine wave down to `min_learning_rate` at `steps` (SGDR, Loshchilov & Hutter 2017, equation 5,
    without restarts; nanoGPT's warm-up, which begins above 0).

    Raises ValueError for another schedule.
    """
    if schedule not in ("cosine", "constant"):
        raise ValueError(f"schedule {schedule!r} is unknown; use 'cosine' or 'constant'")
    if step < warmup_steps:
        return learning_rate * (step + 1) / (warmup_steps + 1)
    if schedule == "constant":
        return learning_rate
    if step >= steps:
        return min_learning_rate
    progress = (step - warmup_steps) / (steps - warmup_steps)  # 0 to 1
    height = 0.5 * (1.0 + math.cos(math.pi * progress))  # 1 to 0
    reach = learning_rate - min_learning_rate
    return min_learning_rate + height * reach  # step: schedule
