"""Whatever somebody does in the window, in whatever order: no exception, no warning of Qt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from explorer.engine import errors
from tests.explorer.conftest import dispose
from tests.explorer.demo import tiny_training
from tests.explorer.random_actions import RandomActions, sitting
from tests.explorer.waiting import HANGS

SEEDS = range(4)
ACTIONS = 250  # of each seed
MANY = 1000


@pytest.mark.parametrize("seed", SEEDS)
def test_random_actions(qapp, run_async, tmp_path, seed):
    act_at_random(run_async, tmp_path, seed, ACTIONS)


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_random_actions(qapp, run_async, tmp_path, seed):
    act_at_random(run_async, tmp_path, seed, MANY)


def act_at_random(run_async: Any, folder: Path, seed: int, count: int) -> None:
    """Opens the window and a finished run in it, and does `count` things."""
    from core.training import new_run_folder, train_steps

    errors.reports().problems.clear()
    print(f"seed {seed}: {count} actions", file=sys.__stderr__)
    config = tiny_training()
    run = new_run_folder(folder / "runs", "tiny", config)
    for _ in train_steps(config, run):
        pass
    sessions = []

    async def body() -> None:
        async with sitting(folder, run) as session:
            sessions.append(session)
            actions = RandomActions(session, seed)
            for number in range(count):
                done = await actions.act()
                found = unexpected()
                assert not found, f"seed {seed}, action {number}, {done}: {found}"
            actions.close()

    try:
        run_async(body(), HANGS * 8)
    finally:
        for session in sessions:
            dispose(session)
    assert not unexpected()
    errors.reports().problems.clear()


def unexpected() -> list[str]:
    """Errors that are no answer to what was typed or opened."""
    return [
        problem.details
        for problem in errors.reports().problems.values()
        if problem.title == errors.title_of(RuntimeError())
    ]
