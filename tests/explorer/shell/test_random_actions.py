"""Whatever somebody does in the window, in whatever order: no exception, no warning, no crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HANGS

ROOT = Path(__file__).parents[3]
ACTIONS = 1000  # of each seed


@pytest.mark.parametrize("seed", [0])
def test_random_actions(tmp_path: Path, seed: int) -> None:
    act_at_random(tmp_path, seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_random_actions(tmp_path: Path, seed: int) -> None:
    act_at_random(tmp_path, seed)


def act_at_random(folder: Path, seed: int) -> None:
    """In a process of its own, which is all that a crash in Qt would end."""
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.explorer.random_process"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [*command, str(seed), str(ACTIONS), str(folder)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANGS,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr[-6000:]}"
