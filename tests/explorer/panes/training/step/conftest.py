"""Recorded runs: one that is made once for all tests, which nobody changes, and copies of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

QUIET = {"sample_every": 0, "probe_every": 0, "evaluate_every": 0, "checkpoint_every": 2}


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four steps whose first and last were recorded, and clipped."""
    from tests.core.training.small import finish, small_config

    folder = tmp_path_factory.mktemp("recorded")
    finish(small_config(folder, steps=4, clip=0.25, **QUIET), folder / "run")
    return folder / "run"


@pytest.fixture
def copied(recorded: Path, tmp_path: Path) -> Callable[[], Path]:
    """`copied()`: the run again, to be changed."""

    def copy() -> Path:
        return Path(shutil.copytree(recorded, tmp_path / "copy"))

    return copy
