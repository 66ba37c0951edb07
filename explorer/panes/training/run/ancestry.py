"""Where a branch comes from, and with which other run a run may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.training.config import CHARACTERS
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.runs.run_data import DRAWN, RunData, read

VALIDATION = "validation"
FIELDS = (VALIDATION, *DRAWN)


@dataclass(frozen=True, eq=False)
class Past:
    """What a branch goes on from: its parents' lines, each up to the step where it was left."""

    name: str  # of the parent
    folder: Path
    step: int
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]]  # of each of FIELDS: steps and values

    def line(self, field: str) -> tuple[np.ndarray, np.ndarray] | None:
        """None where nothing of it is left."""
        return self.lines[field] if len(self.lines[field][0]) else None


def read_past(parent: Mapping[str, Any]) -> Past:
    """In the I/O pool. A parent that is gone, or cannot be read, leaves its part out."""
    from core.training.reader import RunReader

    origin: Mapping[str, Any] | None = parent
    seen: set[Path] = set()
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {field: [] for field in FIELDS}
    name = ""
    while origin is not None and (folder := Path(str(origin["run"])).resolve()) not in seen:
        seen.add(folder)
        try:
            data = read(RunReader(folder))
        except (ValueError, OSError):
            break
        name = name or data.name
        for field in FIELDS:
            steps, values = validation_of(data) if field == VALIDATION else data.series(field)
            kept = steps <= int(origin["step"])
            parts[field].insert(0, (steps[kept], values[kept]))
        origin = data.parent
    folder = Path(str(parent["run"]))
    lines = {field: _joined(found) for field, found in parts.items()}
    return Past(name or folder.name, folder, int(parent["step"]), lines)


def validation_of(data: RunData) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values where the validation loss was measured."""
    found = data.evaluations
    return found["step"].astype(np.float64), found[VALIDATION].astype(np.float64)


def _joined(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """One line of several: each begins after the one before has ended."""
    x, y = np.empty(0), np.empty(0)
    for steps, values in parts:
        after = steps > (x[-1] if len(x) else -np.inf)
        x, y = np.r_[x, steps[after]], np.r_[y, values[after]]
    return x, y


class Ancestry(QObject):
    """Reads the past of a branch once; `found` says that it can be shown."""

    found = Signal()

    def __init__(self, engine: Engine, owner: QObject) -> None:
        super().__init__(owner)
        self._engine = engine
        self._of: tuple[Path, str] | None = None  # of which run
        self._past: Past | None = None
        self._reading = Latest(engine, owner)
        self._reading.came.connect(self._on_read)

    def of(self, data: RunData) -> Past | None:
        """The past of a branch; None while it is read, and for a run from the beginning."""
        key, parent = (data.folder, repr(data.parent)), data.parent
        if key != self._of:
            self._of, self._past = key, None
            if parent is None:
                self._reading.stop()
            else:
                self._reading.ask(lambda: self._engine.io(read_past, parent), "a run's past")
        return self._past

    def _on_read(self, past: Past) -> None:
        self._past = past
        self.found.emit()


def comparable(one: RunData, other: RunData) -> bool:
    """Whether their losses are of the same tokens: a token of another tokenizer says more or less.

    "characters" are those of the corpus, so there the corpus must be the same one too.
    """
    first, second = one.config, other.config
    own = first.tokenizer == CHARACTERS and first.corpus != second.corpus
    return first.tokenizer == second.tokenizer and first.task == second.task and not own


def names_apart(one: RunData, other: RunData) -> tuple[str, str]:
    """Names that tell two runs apart: with the folders that they lie in, where they are one."""
    if one.name != other.name:
        return one.name, other.name
    first, second = (f"{run.folder.resolve().parent.name}/{run.name}" for run in (one, other))
    return first, second
