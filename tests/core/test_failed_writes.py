"""A file that cannot be written: what is said, about which file, and what stays."""

import errno
import os
from pathlib import Path

import pytest

from core import files


def told(path: Path) -> str:
    with pytest.raises(OSError) as caught:
        files.write_atomically(path, "new")
    assert caught.value.errno is not None
    said = str(caught.value)
    assert str(path) in said and ".part" not in said and "Errno" not in said
    return said


def test_a_place_that_is_none_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder" / "in it").mkdir(parents=True)
    assert told(tmp_path / "file" / "x" / "a.txt").endswith("choose another folder")
    assert told(tmp_path / "file" / "a.txt").endswith("choose another folder")
    assert told(tmp_path / "folder").endswith("choose another name")
    assert told(tmp_path / ("n" * 250)).endswith("choose a shorter name")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "choose a folder that you may write to"),
        (errno.EROFS, "choose a folder that you may write to"),
        (errno.ENOSPC, "make room on the disk, or choose another folder"),
        (errno.EFBIG, "allow larger files (ulimit -f), or choose a folder on another disk"),
    ],
)
def test_what_the_system_refuses_is_told_about_the_file_that_a_person_knows_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    def failing(path: Path, **_: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "touch", failing)
    path = tmp_path / "a.txt"
    assert told(path) == f"{path} cannot be written ({os.strerror(number)}): {remedy}"


def test_an_error_about_another_file_stays_as_it_is(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match="Errno.*other.txt"),
        files.replacing(tmp_path / "a.txt"),
    ):
        (tmp_path / "other.txt").read_text()
    assert not os.listdir(tmp_path)
