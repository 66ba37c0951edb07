"""The earlier runs that a branch continues, and which runs can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.training.config import CHARACTERS
from explorer.runs.run_data import RunData, read


def read_past(parent: Mapping[str, Any]) -> RunData | None:
    """Reads the parent of a branch up to the branch step, preceded by the parent's own past.
    Runs in the I/O pool. Returns None for a parent that is missing or cannot be read.
    """
    from core.training.reader import RunReader

    origin: Mapping[str, Any] | None = parent
    past: RunData | None = None
    seen: set[Path] = set()
    while origin is not None and (folder := Path(str(origin["run"])).resolve()) not in seen:
        seen.add(folder)
        try:
            data = read(RunReader(folder))
        except (ValueError, OSError):
            break
        step = int(origin["step"])
        steps = data.steps[data.steps["step"] <= step]
        measured = data.evaluations[data.evaluations["step"] <= step]
        if past is None:
            past = replace(data, steps=steps, evaluations=measured)
        elif steps.dtype == past.steps.dtype:
            steps, measured = _joined(steps, past.steps), _joined(measured, past.evaluations)
            past = replace(past, steps=steps, evaluations=measured)
        else:  # written by another version, with other fields
            break
        origin = data.parent
    return past


def _joined(rows: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Joins two records, cutting the earlier one where the later one begins."""
    return np.concatenate([rows[rows["step"] < later["step"][0]] if len(later) else rows, later])


def validation_of(data: RunData) -> tuple[np.ndarray, np.ndarray]:
    """Returns the steps at which the validation loss was measured, and its values."""
    found = data.evaluations
    return found["step"].astype(np.float64), found["validation"].astype(np.float64)


def comparable(one: RunData, other: RunData) -> bool:
    """Returns True if the losses of two runs can be compared: same task and same tokens.

    The "characters" tokenizer depends on the corpus, so there the corpus must match as well.
    """
    first, second = one.config, other.config
    own = first.tokenizer == CHARACTERS and first.corpus != second.corpus
    return first.tokenizer == second.tokenizer and first.task == second.task and not own


def names_apart(one: RunData, other: RunData) -> tuple[str, str]:
    """Returns distinct names for two runs, with their parent folders if both names are equal."""
    if one.name != other.name:
        return one.name, other.name
    first, second = (f"{run.folder.resolve().parent.name}/{run.name}" for run in (one, other))
    return first, second
