"""The command for a cluster: as few machines as can share the ranks evenly."""

from __future__ import annotations

import shlex

import pytest

from core.training.place import torchrun_command


@pytest.mark.parametrize(
    ("ranks", "machines", "each"),
    [(1, 1, 1), (8, 1, 8), (9, 3, 3), (12, 2, 6), (16, 2, 8), (17, 17, 1), (1024, 128, 8)],
)
def test_ranks_are_shared_evenly_among_machines(ranks: int, machines: int, each: int) -> None:
    told = torchrun_command("/disk/runs/one", "one", ranks)
    assert f" torchrun --nnodes {machines} --nproc-per-node {each} " in told
    assert told.endswith(" -m core.training --run-folder /disk/runs/one --resume")


def test_a_folder_with_a_space_is_one_word_of_the_shell() -> None:
    words = shlex.split(torchrun_command("/my disk/a run", "a run", 2))
    assert {"/my disk/a run", "a run", "HOST:29400"} <= set(words)
