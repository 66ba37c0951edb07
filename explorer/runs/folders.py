"""The run folders that the app knows, and which of their runs wait to be continued.

Nothing is kept about that: the folders themselves tell. So neither a crash nor a second window on
the same folder, nor one that had no time to close its runs, makes the app forget one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.training.records import MANIFEST

MOST = 100  # newest runs of the app's own folder
TABLES = (".csv", ".jsonl")
# States of a run that trains or is about to; and of one that does not train.
ACTIVE = ("new", "running", "paused")
INTERRUPTED = ("new", "stopped", "dead", "failed")


@dataclass(frozen=True)
class WaitingRun:
    """A run that was started, was not stopped by the user, and does not train."""

    folder: Path
    state: str  # one of INTERRUPTED
    step: int
    steps: int
    kept: bool  # has a checkpoint to continue from; otherwise it restarts at step 0


def run_folders(folder: Path, elsewhere: Sequence[str] = ()) -> list[Path]:
    """Returns every run in a folder, newest first, then those elsewhere that still exist."""
    found = []
    if folder.is_dir():
        found = [path for path in folder.iterdir() if is_run_folder(path)]
        found.sort(key=lambda path: (path / MANIFEST).stat().st_ctime, reverse=True)
    others = (Path(other) for other in elsewhere if other)
    return list(dict.fromkeys([*found[:MOST], *(other for other in others if is_run(other))]))


def is_run_folder(folder: Path) -> bool:
    """True if a folder should be a run's; opening it reports if it is not."""
    return (folder / MANIFEST).exists()


def is_run(path: Path) -> bool:
    """True for a run folder, or a path named like another program's log of a run."""
    from core.training.foreign import is_foreign

    with suppress(OSError):
        return is_run_folder(path) or (path.exists() and is_foreign(path))
    return False


def holds_run(path: Path) -> bool:
    """True if `is_run`; a table, which may also be a text, must have a column of steps."""
    from core.training.foreign import open_run

    if is_run(path) and path.suffix.lower() in TABLES and path.is_file():
        with suppress(OSError, ValueError):
            open_run(path)
            return True
        return False
    return is_run(path)


def is_trained(folder: Path) -> bool:
    """True if a run trains now. Raises ValueError or OSError."""
    from core.training import RunReader

    return RunReader(folder).state in ("running", "paused")


def waiting_runs(folders: Iterable[Path]) -> list[WaitingRun]:
    """Returns the runs that wait, without folders that cannot be read or written.

    A run that failed before its first checkpoint has nothing to continue from.
    """
    found = []
    for folder in folders:
        with suppress(OSError, ValueError):
            run = _waiting(folder)
            if run is not None:
                found.append(run)
    return found


def settled_runs(folders: Iterable[Path]) -> list[Path]:
    """Returns the runs that do not wait; one that cannot be read now may wait, and is left out."""
    found = []
    for folder in folders:
        with suppress(OSError, ValueError):
            if _waiting(folder) is None:
                found.append(folder)
    return found


def _waiting(folder: Path) -> WaitingRun | None:
    from core.training import RunReader
    from core.training.control import ControlLog
    from core.training.launch import launched

    log = ControlLog(folder)
    log.refresh()
    if not log.is_started or not os.access(folder, os.W_OK):
        return None
    if launched(folder) is not None:
        return None
    run = RunReader(folder)
    lost = run.state == "failed" and not run.checkpoints
    if run.state not in INTERRUPTED or lost or run.step >= run.config.steps:
        return None
    kept = bool(run.checkpoints)
    return WaitingRun(folder, run.state, run.step, run.config.steps, kept)
