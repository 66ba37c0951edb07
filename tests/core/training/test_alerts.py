"""Alerts: each for what it is meant, and for nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.training import records
from core.training.alerts import alerts
from core.training.runs import RunReader, create_run
from core.training.writer import RunWriter
from tests.core.training.small import small_config


def told(
    folder: Path, losses: Sequence[float], skipped: Sequence[int] = (), silent: float = 0.0
) -> list[str]:
    """The alerts of a run with these steps, trained by this process, on two ranks."""
    run = create_run(folder / "run", small_config(folder, steps=1000))
    writers = [RunWriter(run, 0, rank, ranks=2) for rank in (0, 1)]
    for step, loss in enumerate(losses, 1):
        skip = skipped[step - 1] if skipped else 0
        writers[0].step({"step": step, "loss": loss, "skipped": skip})
    then = time.time() - silent
    os.utime(records.heartbeat_file(run, 1), (then, then))
    try:
        return alerts(RunReader(run))
    finally:
        for writer in writers:
            writer.close()


FALLING = [7.0 - 0.05 * step for step in range(100)]


def test_a_run_that_learns_gives_none(tmp_path: Path) -> None:
    assert told(tmp_path, FALLING) == []
    assert told(tmp_path / "new", []) == []


def test_a_loss_that_falls_and_rises_above_where_it_began(tmp_path: Path) -> None:
    (said,) = told(tmp_path, [*FALLING, *[9.0] * 30])
    assert said.startswith("the loss has fallen to 2.5") and "risen to 9" in said
    assert "lower learning rate" in said


def test_a_loss_that_only_rises(tmp_path: Path) -> None:
    (said,) = told(tmp_path, [7.4 * 1.05**step for step in range(100)])
    assert said.startswith("the loss has risen from 7.4") and "never fell" in said
    assert "begin again with a lower learning rate" in said


def test_a_loss_that_leaps_at_once_and_comes_halfway_back(tmp_path: Path) -> None:
    """Its first steps alone were low: among twenty they did not count."""
    (said,) = told(tmp_path, [7.4, 60.0, *np.linspace(2000, 800, 100)])
    assert said.startswith("the loss has risen from 7.4")


def test_a_loss_that_is_as_it_was_rises_by_chance_alone(tmp_path: Path) -> None:
    """A branch begins where its parent had learned: from there its loss goes up and down."""
    noise = np.random.default_rng(3)
    assert told(tmp_path, list(2.0 + 0.2 * noise.standard_normal(200))) == []
    assert told(tmp_path / "low", list(0.02 + 0.01 * noise.random(200))) == []


@pytest.mark.parametrize(
    ("skips", "expected"),
    [([1] * 10, 0), ([0] * 20 + [1] * 3, 1), ([0, 1, 0, 1], 0), ([1] * 25, 1)],
)
def test_steps_that_are_skipped_one_after_another(
    tmp_path: Path, skips: list[int], expected: int
) -> None:
    said = told(tmp_path, [7.0] * len(skips), skips)
    assert len(said) == expected
    assert all("steps were skipped" in sentence for sentence in said)


def test_a_rank_without_a_sign_of_life(tmp_path: Path) -> None:
    (said,) = told(tmp_path, FALLING, silent=42.0)
    assert said.startswith("rank 1 has given no sign of life for 42 s")


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ((8, 7), "rank 1 has given no sign of life for 42 s while the others wait for it"),
        ((7, 8), "rank 0 has given no sign of life for 42 s while the others wait for it"),
        ((8, 8), "rank 0, rank 1 have given no sign of life for 42 s: "),
    ],
)
def test_who_did_not_come_to_the_exchange_is_blamed(
    tmp_path: Path, came: tuple[int, int], expected: str
) -> None:
    run = create_run(tmp_path / "run", small_config(tmp_path))
    writers = [RunWriter(run, 0, rank, ranks=2) for rank in (0, 1)]
    for rank, writer in enumerate(writers):
        writer.exchange(3)
        writer.exchange(came[rank])
        then = time.time() - 42
        os.utime(records.heartbeat_file(run, rank), (then, then))
    (said,) = alerts(RunReader(run))
    for writer in writers:
        writer.close()
    assert said.startswith(expected)


def test_a_run_that_has_ended_needs_nobody(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(run)
    for step in range(1, 131):
        writer.step({"step": step, "loss": FALLING[min(step, 99)] if step < 100 else 9.0})
    writer.event("end", 130, {"reason": "stopped"})
    writer.close()
    assert alerts(RunReader(run)) == []
