"""One trainer at a time: each rank's writer holds a lock of the run folder while it is open.

The system releases it when the process ends, however it ends, so no cleanup is needed.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from core.files import open_to_append

# open writers of this process: (folder, rank)
_HERE: set[tuple[Path, int]] = set()


def held_here(folder: Path, rank: int | None = None) -> bool:
    """Returns True if a writer of this process is open on `folder`: that of `rank`, or any."""
    folder = folder.resolve()
    return any(open_on == folder and rank in (None, writer) for open_on, writer in _HERE)


class RunLock:
    """Acquires the lock of a run folder for one rank; `release` releases it.

    Raises ValueError, with a remedy, if another writer holds it, OSError if its file cannot be
    created. On a file system without locks, only writers of the same process exclude each other.
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
        """Releases the lock; may be called twice."""
        if self._file >= 0:
            _HERE.discard(self._writer)
            os.close(self._file)  # releases the lock, too
            self._file = -1


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        # Locks one byte, which need not exist.
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
