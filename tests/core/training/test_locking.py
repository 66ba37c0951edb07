"""One writer at a time: with this system's locks, with those of Windows, and with none."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from core.training import locking, records


def fake_msvcrt() -> ModuleType:
    """Locks as Windows documents them: of a byte, refused with EACCES, gone with the handle."""
    fake: Any = ModuleType("msvcrt")
    fake.LK_NBLCK = 2
    holders: dict[tuple[int, int], int] = {}

    def place(file: int) -> tuple[int, int] | None:
        try:
            about = os.fstat(file)
        except OSError:
            return None  # closed
        return about.st_dev, about.st_ino

    def take(file: int, mode: int, n_bytes: int) -> None:
        text = os.fstat(file).st_size  # what is locked cannot be read
        assert mode == fake.LK_NBLCK and n_bytes > 0 and os.lseek(file, 0, os.SEEK_CUR) > text
        here = place(file)
        assert here is not None
        holder = holders.get(here, file)
        if holder != file and place(holder) == here:
            raise PermissionError(errno.EACCES, "Permission denied")
        holders[here] = file

    fake.locking = take
    return fake


@pytest.fixture(params=["here", "Windows"])
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """core.training.locking, as it is here and as it is imported on Windows."""
    if request.param == "here":
        yield locking
        return
    spec = importlib.util.spec_from_file_location("locking_on_windows", locking.__file__)
    assert spec is not None and spec.loader is not None
    imported = importlib.util.module_from_spec(spec)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "msvcrt", fake_msvcrt())
        patch.setattr(sys, "platform", "win32")
        spec.loader.exec_module(imported)
    yield imported


def test_a_folder_has_one_writer_until_it_lets_go(module: Any, tmp_path: Path) -> None:
    first = module.RunLock(tmp_path)
    assert module.held_here(tmp_path)
    with pytest.raises(ValueError, match="trained already; stop it first"):
        module.RunLock(tmp_path)
    assert module.held_here(tmp_path)
    first.release()
    first.release()
    assert not module.held_here(tmp_path)
    module.RunLock(tmp_path).release()


def test_each_rank_has_a_lock_of_its_own(module: Any, tmp_path: Path) -> None:
    locks = [module.RunLock(tmp_path, rank) for rank in range(2)]
    with pytest.raises(ValueError, match="stop it first"):
        module.RunLock(tmp_path, 1)
    locks[0].release()
    assert not module.held_here(tmp_path) and module.held_here(tmp_path, 1)
    locks[1].release()
    assert not module.held_here(tmp_path, 1)


def test_what_holds_a_lock_is_no_state_of_the_module(module: Any, tmp_path: Path) -> None:
    """Two copies of the module, or two imports of it, agree about a folder."""
    kept = {name: repr(value) for name, value in vars(module).items()}
    first = module.RunLock(tmp_path)
    assert {name: repr(value) for name, value in vars(module).items()} == kept
    first.release()


def test_a_lock_that_a_killed_process_left_is_free(module: Any, tmp_path: Path) -> None:
    gone = {**records.process_identity(), "process_start": 1}
    (tmp_path / "rank0.lock").write_text(json.dumps(gone))
    assert not module.held_here(tmp_path)
    module.RunLock(tmp_path).release()


def test_without_locks_the_writers_of_one_machine_still_exclude_each_other(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(module, "_lock", none)
    first = module.RunLock(tmp_path)
    with pytest.raises(ValueError, match="stop it first"):
        module.RunLock(tmp_path)
    first.release()
    module.RunLock(tmp_path).release()
    living = {**records.process_identity(os.getppid())}
    (tmp_path / "rank0.lock").write_text(json.dumps(living))
    with pytest.raises(ValueError, match="stop it first"):
        module.RunLock(tmp_path)


def test_a_refused_writer_leaves_no_handle_open(module: Any, tmp_path: Path) -> None:
    first = module.RunLock(tmp_path)
    for _ in range(3):
        before = os.dup(0)
        os.close(before)
        with pytest.raises(ValueError):
            module.RunLock(tmp_path)
        after = os.dup(0)
        os.close(after)
        assert after == before  # the lowest free number
    first.release()


def test_another_process_is_kept_out_and_its_end_lets_go(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from core.training.locking import RunLock\n"
        "lock = RunLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    root = Path(locking.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(ValueError, match="stop it first"):
            locking.RunLock(tmp_path)
        other.kill()
        other.wait()
    locking.RunLock(tmp_path).release()
