"""What is no file, or lies where no file can lie, is refused with the remedy, not waited for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.hostile.processes import ROOT, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited in forks")


def check(module: str, *only: str) -> int:
    """Returns how many cases were read."""
    command = [sys.executable, "-m", f"tests.core.hostile.{module}", *only]
    ended = subprocess.run(command, capture_output=True, env=environment(), cwd=ROOT, check=False)
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    wrong = [one for one in told if one["kind"] not in ("read", "opened", "refused")]
    assert not wrong and ended.returncode == 0, (wrong, ended.stderr.decode()[-3000:])
    return len(told)


@pytest.mark.timeout(600)
def test_a_run_with_something_else_among_its_files_is_read_without_it() -> None:
    """A pipe in place of the heartbeat was waited for, a link to a device was copied for ever."""
    assert check("run_folders", "heartbeat", "optimizer") > 20


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_a_run_with_anything_in_place_of_any_file_is_read_without_it() -> None:
    assert check("run_folders") > 200


@pytest.mark.timeout(600)
def test_every_path_opens_or_is_refused_with_the_remedy() -> None:
    assert check("places") > 200


def test_a_copy_is_of_a_file_alone(tmp_path: Path) -> None:
    from core.files import copy_file

    (tmp_path / "a").write_bytes(b"x" * 9)
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"x" * 9
    with pytest.raises(FileExistsError, match="choose"):
        copy_file(tmp_path / "a", tmp_path / "b")
    (tmp_path / "device").symlink_to("/dev/zero")
    with pytest.raises(ValueError, match="a pipe or a device"):
        copy_file(tmp_path / "device", tmp_path / "c")
