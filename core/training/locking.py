"""One trainer at a time: each rank's writer holds a lock of the run folder while it is open.

The system releases it when the process ends, however it ends, so no cleanup is needed. While it is
held, its file names the process that holds it.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.fields import as_object
from core.files import open_to_append, read_json, writing
from core.training import records

LONGEST = 4096  # bytes of the file


def held_here(folder: Path, rank: int = 0) -> bool:
    """Returns True if a writer of this process is open on `folder` for this rank."""
    return _holder(_file_of(folder, rank)) == records.process_identity()


class RunLock:
    """Acquires the lock of a run folder for one rank; `release` releases it.

    Raises ValueError, with a remedy, if another writer holds it, OSError if its file cannot be
    written. On a file system without locks, only writers of the same machine exclude each other.
    """

    def __init__(self, folder: Path, rank: int = 0) -> None:
        path = _file_of(folder, rank)
        self._file = open_to_append(path)
        try:
            if not self._take(path):
                raise ValueError(f"{folder.name} is being trained already; stop it first")
            with writing(path):
                os.ftruncate(self._file, 0)
                os.write(self._file, json.dumps(records.process_identity()).encode())
        except BaseException:
            os.close(self._file)
            self._file = -1
            raise

    def _take(self, path: Path) -> bool:
        locked = True
        try:
            _lock(self._file)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                return False
            locked = False
        holder, ours = _holder(path), records.process_identity()
        if holder == ours:
            return False
        return locked or holder.get("host") != ours["host"] or not records.is_living(holder)

    def release(self) -> None:
        """Releases the lock; may be called twice."""
        if self._file >= 0:
            with suppress(OSError):
                os.ftruncate(self._file, 0)  # works on a full disk, too
            os.close(self._file)  # releases the lock, too
            self._file = -1


def _file_of(folder: Path, rank: int) -> Path:
    return folder / f"rank{rank}.lock"


def _holder(path: Path) -> Mapping[str, Any]:
    """Returns the process that the file names, or {}."""
    try:
        return as_object(read_json(path, LONGEST), "lock")
    except (OSError, ValueError):  # empty, or absent
        return {}


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        # Locks one byte far behind the text, which need not exist: a locked byte cannot be read.
        os.lseek(file, LONGEST, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
