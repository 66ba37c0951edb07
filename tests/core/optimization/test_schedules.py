"""The schedule's numbers are nanoGPT's."""

import pytest

from core.optimization import learning_rate_at

GPT2 = {
    "schedule": "cosine",
    "learning_rate": 6e-4,
    "min_learning_rate": 6e-5,
    "warmup_steps": 2000,
    "steps": 600_000,
}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 2.998501e-07),
        (1999, 5.997001e-04),
        (2000, 6e-4),
        (301_000, 3.3e-4),
        (600_000, 6e-5),
        (700_000, 6e-5),
    ],
)
def test_cosine_with_warm_up(step: int, expected: float) -> None:
    assert learning_rate_at(step, **GPT2) == pytest.approx(expected, rel=1e-6)


def test_constant_and_no_warm_up() -> None:
    settings = {**GPT2, "schedule": "constant", "warmup_steps": 0}
    assert {learning_rate_at(step, **settings) for step in (0, 5, 10**6)} == {6e-4}


def test_warm_up_as_long_as_the_run() -> None:
    assert learning_rate_at(9, **{**GPT2, "warmup_steps": 10, "steps": 10}) < 6e-4
    assert learning_rate_at(10, **{**GPT2, "warmup_steps": 10, "steps": 10}) == 6e-5


def test_unknown_schedule_says_what_there_is() -> None:
    with pytest.raises(ValueError, match="'cosine' or 'constant'"):
        learning_rate_at(0, **{**GPT2, "schedule": "linear"})
