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

MOST = 100  # of the app's own folder, the newest
TABLES = (".csv", ".jsonl")
# States of a run that somebody trains or is about to; and of one that nobody trains.
ACTIVE = ("new", "running", "paused")
INTERRUPTED = ("new", "stopped", "dead", "failed")


@dataclass(frozen=True)
class WaitingRun:
    """A run that was started, was not stopped by a person, and is trained by nobody."""

    folder: Path
    state: str  # one of INTERRUPTED
    step: int
    steps: int
    kept: bool  # there is a checkpoint to go on from; else it begins again at step 0


def run_folders(folder: Path, elsewhere: Sequence[str] = ()) -> list[Path]:
    """Every run in a folder, the newest first, then those elsewhere that are still there."""
    found = []
    if folder.is_dir():
        found = [path for path in folder.iterdir() if is_run_folder(path)]
        found.sort(key=lambda path: (path / MANIFEST).stat().st_ctime, reverse=True)
    others = (Path(other) for other in elsewhere if other)
    return list(dict.fromkeys([*found[:MOST], *(other for other in others if is_run(other))]))


def is_run_folder(folder: Path) -> bool:
    """Whether a folder is meant to be a run's; whoever opens it says where it is none."""
    return (folder / MANIFEST).exists()


def is_run(path: Path) -> bool:
    """The same, or whether something there is named as another program's log of a run is."""
    from core.training.foreign import is_foreign

    with suppress(OSError):
        return is_run_folder(path) or (path.exists() and is_foreign(path))
    return False


def holds_run(path: Path) -> bool:
    """The same; a table, which may as well be a text, is read: it must have a column of steps."""
    from core.training.foreign import open_run

    if is_run(path) and path.suffix.lower() in TABLES and path.is_file():
        with suppress(OSError, ValueError):
            open_run(path)
            return True
        return False
    return is_run(path)


def is_trained(folder: Path) -> bool:
    """Whether somebody trains it now. Raises ValueError or OSError."""
    from core.training import RunReader

    return RunReader(folder).state in ("running", "paused")


def waiting_runs(folders: Iterable[Path]) -> list[WaitingRun]:
    """Those of the runs that wait; a folder that cannot be read, or not be written, is left out.

    One that failed before it kept anything has nothing to go on from.
    """
    found = []
    for folder in folders:
        with suppress(OSError, ValueError):
            run = _waiting(folder)
            if run is not None:
                found.append(run)
    return found


def settled_runs(folders: Iterable[Path]) -> list[Path]:
    """Those of the runs that do not wait; one that cannot be read just now may, and is left out."""
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
