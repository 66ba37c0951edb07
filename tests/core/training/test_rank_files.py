"""Ranks in processes of their own write files of their own, and one that is killed harms none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.training import records
from core.training.place import LEFT_ALONE_MESSAGE
from core.training.runs import RunReader, RunWriter, create_run
from tests.core.training.small import small_config
from tests.patience import HANGS, wait_for

ROOT = Path(__file__).parents[3]

# Writes until its stdin is closed: a record and an event a step.
RANK = """
import os, select, sys, time
from core.training.runs import RunWriter
writer = RunWriter(sys.argv[1], 0, int(sys.argv[2]))
step = 0
print("open", flush=True)
while not select.select([0], [], [], 0.001)[0]:
    step += 1
    writer.step({"step": step, "loss": float(sys.argv[2])})
    writer.event("note", step, {"message": "x" * 200})
writer.event("end", step, {"reason": "finished", "message": ""})
writer.close()
"""


def _start(folder: Path, rank: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", RANK, str(folder), str(rank)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "open\n"
    return process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return create_run(tmp_path / "run", small_config(tmp_path))


@pytest.fixture
def ranks(folder: Path) -> Iterator[list[subprocess.Popen[str]]]:
    processes = [_start(folder, rank) for rank in range(4)]
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def _readers(folder: Path) -> list[RunReader]:
    return [RunReader(folder, rank) for rank in range(4)]


def _steps_read(folder: Path, rank: int) -> int:
    """Checks every record and event of a rank; returns how many steps there are."""
    reader = RunReader(folder, rank)
    steps = np.array(reader.steps["step"])
    assert (np.diff(steps) == 1).all() and steps[0] == 1
    assert (reader.steps["loss"] == rank).all() and (reader.steps["attempt"] == 1).all()
    notes = [event for event in reader.events if event["event"] == "note"]
    assert [note["step"] for note in notes] == list(range(1, len(notes) + 1))
    assert all(note["message"] == "x" * 200 for note in notes)
    return len(steps)


@pytest.mark.skipif(sys.platform == "win32", reason="select takes no pipe there")
def test_four_ranks_write_beside_each_other_and_one_is_killed(
    folder: Path, ranks: list[subprocess.Popen[str]]
) -> None:
    wait_for(lambda: all(reader.step >= 20 for reader in _readers(folder)))
    assert [reader.state for reader in _readers(folder)] == ["running"] * 4
    assert len(RunReader(folder).manifest["attempts"]) == 1
    for rank in range(4):
        with pytest.raises(ValueError, match="trained already; stop it first"):
            RunWriter(folder, 0, rank)
    ranks[2].send_signal(signal.SIGKILL)
    ranks[2].wait()
    killed_at = [_steps_read(folder, rank) for rank in range(4)]
    left = (0, 1, 3)
    wait_for(lambda: all(RunReader(folder, rank).step >= killed_at[rank] + 20 for rank in left))
    assert _steps_read(folder, 2) == killed_at[2]
    states = [reader.state for reader in _readers(folder)]
    assert states == ["running", "running", "dead", "running"]
    # What a kill in the middle of a write leaves; the rank comes back and cuts it.
    with open(records.steps_file(folder, 2), "ab") as file:
        file.write(b"\x01" * 13)
    with open(records.events_file(folder, 2), "ab") as file:
        file.write(b'{"event": "note", "step": 9999, "mess')
    assert _steps_read(folder, 2) == killed_at[2]
    again = RunWriter(folder, 0, 2)
    again.step({"step": killed_at[2] + 1, "loss": 2.0})
    again.event("note", killed_at[2] + 1, {"message": "x" * 200})
    assert RunReader(folder, 2).state == "running"
    again.close()
    assert _steps_read(folder, 2) == killed_at[2] + 1
    for rank in (0, 1, 3):
        ranks[rank].communicate("", timeout=HANGS)
        assert ranks[rank].returncode == 0 and RunReader(folder, rank).state == "finished"
        assert _steps_read(folder, rank) > killed_at[rank]
    assert len(RunReader(folder).manifest["attempts"]) == 1


def test_a_rank_without_an_attempt_to_join_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="no attempt that rank 1 could join; open rank 0 first"):
        RunWriter(folder, rank=1)
    assert RunReader(folder, 1).state == "new"
    first = RunWriter(folder)
    assert RunReader(folder, 1).state == "new"
    second = RunWriter(folder, rank=1)
    assert second.attempt == first.attempt == 1
    second.close()
    first.close()


def test_a_rank_that_joins_leaves_alone_what_is_the_runs(folder: Path) -> None:
    first = RunWriter(folder)
    first.step({"step": 1})
    first.probe(1, {"ids": np.arange(3)})
    manifest = (folder / "run.json").read_bytes()
    RunWriter(folder, rank=1).close()
    assert (folder / "run.json").read_bytes() == manifest
    assert [probe.step for probe in RunReader(folder).probes] == [1]
    first.close()


def test_where_there_are_no_locks_a_rank_of_another_process_is_not_taken_over(
    folder: Path,
) -> None:
    RunWriter(folder).close()
    rank = RunWriter(folder, rank=1)
    stranger = {**records.process_identity(), "pid": os.getppid(), "process_start": None}
    rank.event("start", 0, stranger)
    rank.close()
    with pytest.raises(ValueError, match="another process; stop it there first"):
        RunWriter(folder, rank=1)
    RunWriter(folder, rank=2).close()


@pytest.mark.parametrize("rank", [-1, 1.5, True])
def test_a_rank_that_is_no_count_is_refused_and_leaves_no_file(folder: Path, rank: object) -> None:
    before = sorted(folder.iterdir())
    with pytest.raises(ValueError, match="ranks count from 0"):
        RunWriter(folder, rank=rank)  # type: ignore[arg-type]
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        (("the disk is full", LEFT_ALONE_MESSAGE), "rank 1 of 3 failed: the disk is full"),
        ((LEFT_ALONE_MESSAGE, "no memory"), "rank 2 of 3 failed: no memory"),
        ((None, LEFT_ALONE_MESSAGE), "rank 1 of 3 did not answer any more: it was killed"),
        ((None, None), "rank 1, rank 2 of 3 did not answer any more: "),
        ((LEFT_ALONE_MESSAGE, LEFT_ALONE_MESSAGE), LEFT_ALONE_MESSAGE),
    ],
)
def test_the_rank_that_failed_first_says_why_the_others_could_not_go_on(
    folder: Path, others: tuple[str | None, ...], expected: str
) -> None:
    writers = [RunWriter(folder, 0, rank, ranks=3) for rank in range(3)]
    for writer, message in zip(writers, (LEFT_ALONE_MESSAGE, *others), strict=True):
        if message is not None:
            writer.event("end", 5, {"reason": "failed", "message": message})
        writer.close()
    run = RunReader(folder)
    assert run.state == "failed" and run.message.startswith(expected)
    resumed = RunWriter(folder, 0, ranks=1)
    assert RunReader(folder).message == ""
    resumed.event("end", 5, {"reason": "failed", "message": "as before"})
    resumed.close()
    assert RunReader(folder).message == "as before"
