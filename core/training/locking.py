"""One trainer at a time: the lock that each rank's writer of a run folder holds while it lives.

The system lets go of it when the process ends, however it ends, so nothing has to be cleaned up.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from core.files import open_to_append

# The writers that are open in this process: (folder, rank).
_HERE: set[tuple[Path, int]] = set()


def held_here(folder: Path, rank: int | None = None) -> bool:
    """Whether a writer of this process is open on `folder`, that of `rank` or any."""
    folder = folder.resolve()
    return any(open_on == folder and rank in (None, writer) for open_on, writer in _HERE)


class RunLock:
    """Takes the lock of a run folder for one rank; `release` gives it back.

    Raises ValueError when another writer holds it, OSError when its file cannot be made. Where a
    file system has no locks, only the writers of this process exclude each other.
    """

    def __init__(self, folder: Path, rank: int = 0) -> None:
        self._file = -1
        self._writer = (folder.resolve(), rank)
        taken = ValueError(f"{folder.name} is being trained already; stop it first")
        if self._writer in _HERE:
            raise taken
        self._file = open_to_append(folder / f"rank{rank}.lock")
        try:
            _lock(self._file)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                os.close(self._file)
                raise taken from None
        _HERE.add(self._writer)

    def release(self) -> None:
        """May be called twice."""
        if self._file >= 0:
            _HERE.discard(self._writer)
            os.close(self._file)  # and with it the lock
            self._file = -1


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        # Of one byte, which need not be there.
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
