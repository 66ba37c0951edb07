"""Opens a run, whoever has written it: a run folder of this program, or another program's log."""

from __future__ import annotations

from pathlib import Path

from core.training.foreign.run import ForeignRun
from core.training.foreign.tables import CsvLog, JsonLinesLog
from core.training.foreign.tfevents import MARK, EventLog, event_files
from core.training.foreign.trainer_state import NAME, TrainerLog, newest_state
from core.training.reader import RunReader
from core.training.records import MANIFEST

TENSORBOARD = "TensorBoard events"
TRAINER = "a Trainer's state"
CSV, JSON_LINES = "CSV", "JSON lines"
LIGHTNING = "metrics.csv"  # of Lightning's CSVLogger
WANTED = (
    "a run folder, TensorBoard's event files, a Trainer's trainer_state.json, or a CSV or JSONL "
    "file with a column of steps"
)


def open_run(path: str | Path) -> RunReader:
    """The run at a path: of a folder with run.json this program's own, else a `ForeignRun`.

    A folder of another program is known by its event files, its trainer_state.json (also in its
    newest checkpoint) or its metrics.csv. Raises ValueError, with the remedy, for anything else,
    and OSError for what cannot be read.
    """
    path = Path(path)
    if (path / MANIFEST).exists():
        return RunReader(path)
    return _of_folder(path) if path.is_dir() else _of_file(path)


def is_foreign(path: str | Path) -> bool:
    """Whether something at a path is meant to be another program's log; `open_run` says whether it
    can be read. Reads names alone.
    """
    path = Path(path)
    if not path.is_dir():
        name = path.name.lower()
        return MARK in name or name == NAME or name.endswith((".csv", ".jsonl"))
    if (path / MANIFEST).exists():
        return False
    logs = bool(event_files(path)) or newest_state(path) is not None
    return logs or (path / LIGHTNING).is_file()


def _of_folder(folder: Path) -> ForeignRun:
    if event_files(folder):
        return ForeignRun(folder, TENSORBOARD, EventLog(folder))
    if newest_state(folder) is not None:
        return ForeignRun(folder, TRAINER, TrainerLog(folder))
    if (folder / LIGHTNING).is_file():
        return ForeignRun(folder, CSV, CsvLog(folder / LIGHTNING))
    raise ValueError(f"{folder} holds no run: choose {WANTED}")


def _of_file(file: Path) -> ForeignRun:
    name = file.name.lower()
    if MARK in name:
        return ForeignRun(file, TENSORBOARD, EventLog(file))
    if name == NAME:
        return ForeignRun(file, TRAINER, TrainerLog(file))
    if name.endswith(".csv"):
        return ForeignRun(file, CSV, CsvLog(file))
    if name.endswith(".jsonl"):
        return ForeignRun(file, JSON_LINES, JsonLinesLog(file))
    raise ValueError(f"{file} is no run: choose {WANTED}")
