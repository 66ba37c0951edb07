"""Learning-rate schedules: pure functions of how many steps have been applied."""

from __future__ import annotations

import math


def part_at(step: int, *, schedule: str, warmup_steps: int, steps: int) -> str:
    """Which part of the schedule the step after `step` applied ones is in.

    "warmup", then "constant", or "cosine" and, from `steps` on, "end": the names of the marked
    lines of `learning_rate_at`. Raises ValueError for another schedule.
    """
    if schedule not in ("cosine", "constant"):
        raise ValueError(f"schedule {schedule!r} is unknown; use 'cosine' or 'constant'")
    if step < warmup_steps:
        return "warmup"
    if schedule == "constant":
        return "constant"
    return "cosine" if step < steps else "end"


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
    part = part_at(step, schedule=schedule, warmup_steps=warmup_steps, steps=steps)
    if part == "warmup":
        rate = learning_rate * (step + 1) / (warmup_steps + 1)  # step: warmup
    elif part == "constant":
        rate = learning_rate  # step: constant
    elif part == "end":
        rate = min_learning_rate  # step: end
    else:
        progress = (step - warmup_steps) / (steps - warmup_steps)  # 0 to 1
        height = 0.5 * (1.0 + math.cos(math.pi * progress))  # 1 to 0
        reach = learning_rate - min_learning_rate
        rate = min_learning_rate + height * reach  # step: cosine
    return rate
