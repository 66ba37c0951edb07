"""What runs forget is compared where they have learned equally much."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.finetuning.skill import LEVELS, equal_loss, equal_share, step_at, value_at

STEPS = np.array([0.0, 10.0, 20.0, 30.0])
SLOW = STEPS, np.array([0.0, 0.0, 0.6, 1.0])
QUICK = STEPS, np.array([0.0, 0.9, 0.8, 1.0])
NEVER = STEPS, np.array([0.0, 0.1, 0.2, 0.4])
EMPTY = np.empty(0), np.empty(0)


@pytest.mark.parametrize(("level", "slow", "quick"), [
    (0.0, 0, 0), (0.3, 15, 10 / 3), (0.6, 20, 20 / 3), (0.8, 25, 80 / 9), (0.9, 27.5, 10),
    (1.0, 30, 30),
])  # fmt: skip
def test_a_skill_grows_evenly_between_evaluations_and_counts_from_its_first_time(
    level: float, slow: float, quick: float
) -> None:
    assert step_at(SLOW, level) == pytest.approx(slow)
    assert step_at(QUICK, level) == pytest.approx(quick)


def test_what_was_never_reached_or_measured_has_no_step() -> None:
    assert math.isnan(step_at(NEVER, 0.5)) and math.isnan(step_at(EMPTY, 0.0))
    assert math.isnan(step_at((STEPS, np.full(4, np.nan)), 0.5))
    assert value_at(SLOW, 15) == pytest.approx(0.3)
    for step in (-1.0, 31.0, float("nan")):
        assert math.isnan(value_at(SLOW, step))
    assert math.isnan(value_at(EMPTY, 3.0))


def test_runs_are_compared_at_the_largest_share_that_all_reach() -> None:
    assert equal_share([SLOW, QUICK]) == LEVELS[0]
    assert equal_share([QUICK, (STEPS, np.array([0.0, 0.7, 0.85, 0.85]))]) == 0.8
    for others in ([NEVER], [EMPTY], [(STEPS, np.full(4, np.nan))]):
        assert math.isnan(equal_share([SLOW, *others]))


def test_without_answers_they_are_compared_at_the_smallest_loss_that_all_reach() -> None:
    deep, flat = (STEPS, np.array([3.0, 1.0, 0.2, 0.1])), (STEPS, np.array([3.0, 2.0, 1.5, 1.8]))
    level = equal_loss([deep, flat])
    assert level == 1.5
    steps = [step_at((STEPS, -values), -level) for _, values in (deep, flat)]
    assert steps == pytest.approx([7.5, 20])
    for other in ((STEPS, np.array([3.0, 3.1, 3.2, 3.3])), EMPTY, (STEPS, np.full(4, np.nan))):
        assert math.isnan(equal_loss([deep, other]))
