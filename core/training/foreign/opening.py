"""Opens a run of any origin: a run folder of this program, or another program's log."""

from __future__ import annotations

import os
from pathlib import Path

from core.files import named
from core.training.foreign.run import ForeignRun
from core.training.foreign.tables import CsvLog, JsonLinesLog
from core.training.foreign.tfevents import MARK, EventLog, event_files
from core.training.foreign.trainer_state import NAME, TrainerLog, newest_state
from core.training.reader import RunReader
from core.training.records import MANIFEST

TENSORBOARD = "TensorBoard events"
TRAINER = "a Trainer's state"
CSV, JSON_LINES = "CSV", "JSON lines"
# Table names that Lightning's CSVLogger, Stable-Baselines3 and many scripts use in a run's folder.
TABLES = ("metrics.csv", "metrics.jsonl", "progress.csv", "log.csv", "log.jsonl")
WANTED = (
    "a run folder, TensorBoard's event files, a Trainer's trainer_state.json, or a CSV or JSONL "
    "file with a column of steps"
)


def open_run(path: str | Path) -> RunReader:
    """Returns the run at a path: this program's own in a folder with run.json, else a `ForeignRun`.

    A folder of another program is recognized by its event files, its trainer_state.json (also in
    its newest checkpoint) or a table such as metrics.csv. Raises ValueError, with a remedy, for
    anything else, and OSError for files that cannot be read.
    """
    path = Path(path)
    if os.path.exists(path / MANIFEST):
        return RunReader(path)
    return _of_folder(path) if os.path.isdir(path) else _of_file(path)


def is_foreign(path: str | Path) -> bool:
    """Returns whether a path looks like another program's log, by names alone; `open_run` checks
    whether it can be read.
    """
    path = Path(path)
    if not os.path.isdir(path):
        name = path.name.lower()
        return MARK in name or name == NAME or name.endswith((".csv", ".jsonl"))
    if (path / MANIFEST).exists():
        return False
    logs = bool(event_files(path)) or newest_state(path) is not None
    return logs or _table_of(path) is not None


def _of_folder(folder: Path) -> ForeignRun:
    if event_files(folder):
        return ForeignRun(folder, TENSORBOARD, EventLog(folder))
    if newest_state(folder) is not None:
        return ForeignRun(folder, TRAINER, TrainerLog(folder))
    if (table := _table_of(folder)) is not None:
        return _of_table(folder, table)
    raise ValueError(f"{named(folder)} holds no run: choose {WANTED}")


def _of_file(file: Path) -> ForeignRun:
    name = file.name.lower()
    if MARK in name:
        return ForeignRun(file, TENSORBOARD, EventLog(file))
    if name == NAME:
        return ForeignRun(file, TRAINER, TrainerLog(file))
    if name.endswith((".csv", ".jsonl")):
        return _of_table(file, file)
    raise ValueError(f"{named(file)} is no run: choose {WANTED}")


def _table_of(folder: Path) -> Path | None:
    """Returns the table of a run's folder, by its name, or None."""
    found = {path.name.lower(): path for path in folder.iterdir() if path.is_file()}
    return next((found[name] for name in TABLES if name in found), None)


def _of_table(path: Path, table: Path) -> ForeignRun:
    if table.name.lower().endswith(".csv"):
        return ForeignRun(path, CSV, CsvLog(table))
    return ForeignRun(path, JSON_LINES, JsonLinesLog(table))
