"""One program controls a run, the others watch: by a file, as on a disk that machines share."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.training import records
from core.training.claims import claim, controller, release, renew
from core.training.control import RunControl
from core.training.runs import create_run
from core.training.writer import RunWriter
from tests.core.training.small import small_config


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A run that trains."""
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    yield folder
    writer.close()


def claimed_by(folder: Path, age: float = 0.0, **changes: Any) -> None:
    """As another program leaves it: this one's parent, which lives."""
    parent = {"pid": os.getppid(), "process_start": records.process_start(os.getppid())}
    path = folder / "controller.json"
    path.write_text(json.dumps({**records.process_identity(), **parent, **changes}))
    then = time.time() - age
    os.utime(path, (then, then))


def test_commands_claim_a_run_and_those_of_another_program_are_refused(folder: Path) -> None:
    RunControl(folder).pause()
    assert json.loads((folder / "controller.json").read_text())["pid"] == os.getpid()
    assert controller(folder) is None, "nobody else"
    RunControl(folder).resume()
    claimed_by(folder)
    before = (folder / records.CONTROL).read_bytes()
    control = RunControl(folder)
    commands = (control.pause, control.resume, control.step, control.stop)
    for command in (*commands, lambda: control.set(1e-3), lambda: control.fault("slow", 0)):
        with pytest.raises(ValueError, match=rf"process {os.getppid()} .*take over to steer it"):
            command()
    assert (folder / records.CONTROL).read_bytes() == before
    control.probe("look", [1, 2])
    control.record()
    control.checkpoint()
    other = controller(folder)
    assert other is not None and other.pid == os.getppid(), "who looks takes nothing over"


def test_a_watcher_may_take_over(folder: Path) -> None:
    claimed_by(folder)
    control = RunControl(folder)
    control.take_over()
    assert controller(folder) is None
    control.pause()


@pytest.mark.parametrize(
    ("changes", "age", "holds"),
    [
        ({}, 1e6, True),  # it lives
        ({"process_start": 1}, 0.0, False),  # another program has its number by now
        ({"host": "elsewhere"}, 30.0, True),
        ({"host": "elsewhere"}, 100.0, False),  # nobody there has renewed it
    ],
)
def test_a_claim_holds_as_long_as_whoever_made_it_lives(
    folder: Path, changes: dict[str, Any], age: float, holds: bool
) -> None:
    claimed_by(folder, age, **changes)
    assert (controller(folder) is not None) == holds
    if not holds:
        RunControl(folder).pause()
        assert json.loads((folder / "controller.json").read_text())["pid"] == os.getpid()


@pytest.mark.parametrize("told", ["", "[]", '{"pid": "x"}', '{"pid": 1e400, "host": ""}'])
def test_a_damaged_claim_is_none(folder: Path, told: str) -> None:
    (folder / "controller.json").write_text(told)
    assert controller(folder) is None
    RunControl(folder).pause()
    assert controller(folder) is None


def test_a_run_that_nobody_trains_is_steered_by_whoever_comes(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    claimed_by(folder)
    RunControl(folder).stop()


def test_whoever_starts_a_run_controls_it(tmp_path: Path) -> None:
    class Launcher:
        def start(self, folder: Path, resume: bool) -> None:
            pass

    folder = create_run(tmp_path / "run", small_config(tmp_path))
    claimed_by(folder)
    RunControl(folder, Launcher()).start()
    assert controller(folder) is None and (folder / "controller.json").exists()


def test_a_claim_is_renewed_and_given_back_by_its_own_program_alone(folder: Path) -> None:
    path = folder / "controller.json"
    renew(folder)
    release(folder)
    assert not path.exists()
    claim(folder)
    then = time.time() - 30
    os.utime(path, (then, then))
    renew(folder)
    assert path.stat().st_mtime > then + 20
    release(folder)
    assert not path.exists()
    claimed_by(folder, 30)
    renew(folder)
    release(folder)
    assert path.stat().st_mtime < time.time() - 20, "it is another's"
