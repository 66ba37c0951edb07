"""ForeignRun: another program's log as a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.files import not_read
from core.training.config import MOST_STEPS, TrainingConfig
from core.training.foreign.names import known_names
from core.training.foreign.series import LogReader, Series
from core.training.reader import EVALUATION_DTYPE, RunReader
from core.transformer.config import ModelConfig

UNKNOWN = "unknown"  # text and tokenizer in the stand-in config
# Fields of the records, if the log has them.
COLUMNS = ("loss", "learning_rate", "grad_norm")


class ForeignRun(RunReader):
    """A log as a run, with the same attributes as a `RunReader`, and `series`, everything logged.

    `steps` holds training loss, learning rate and gradient norm, recognized by their names;
    `evaluations` the validation loss, with the mean of the training losses since the previous one.
    The run counts as finished, and can be neither resumed nor steered; `refresh` reads added data.
    Nothing is written to its folder.

    `config` is a stand-in: its task is the kind of log, `steps` the number of existing or planned
    steps. The rest, including the model, has no meaning.

    Raises ValueError, with a remedy, for a log that cannot be read or holds no numbers.
    """

    def __init__(self, path: Path, kind: str, log: LogReader) -> None:
        self.folder = path
        self.rank = 0
        self.kind = kind
        self._log = log
        self._stamp: tuple[Any, ...] = ()
        self._damaged = 0
        self.series: Mapping[str, Series] = {}
        self.known: Mapping[str, str] = {}  # the series of the loss, and so on
        self.events, self.samples, self.checkpoints, self.probes = [], [], [], []
        self.refresh()

    @property
    def damaged(self) -> int:
        """Number of records or lines that were left out."""
        return self._damaged

    @property
    def heartbeat_age(self) -> float | None:
        """None: no process trains it here."""
        return None

    @property
    def state(self) -> str:
        """finished: a log does not show whether it is still being trained."""
        return "finished"

    @property
    def message(self) -> str:
        """The kind of log."""
        return f"read from {self.kind}"

    def refresh(self) -> bool:
        """Reads the log again if one of its files has changed; returns True if it had."""
        stamp = tuple(map(_stamp, self._log.files()))
        if stamp == self._stamp:
            return False
        log = self._log.read()
        if not log.series:
            raise ValueError(
                f"{self.folder} holds no numbers over steps: open a log in which a loss was written"
            )
        self._stamp, self._damaged = stamp, log.damaged
        self.series = log.series
        self.known = known_names({name: len(found.steps) for name, found in log.series.items()})
        self.steps = self._records()
        self.evaluations = self._evaluations()
        last = max(int(series.steps[-1]) for series in log.series.values())
        self.config = _stand_in(self.kind, max(1, last, log.planned))
        self.manifest = {
            "format": 1,
            "name": self.folder.name,
            "task": self.kind,
            "parent": None,
            "attempts": [{"from_step": 0}],
            "config": self.config.to_json(),
        }
        return True

    def _records(self) -> np.ndarray:
        """Returns a record for each step with a training loss, or if none, with any number."""
        found = {name: self.series[self.known[name]] for name in COLUMNS if name in self.known}
        base = [found["loss"]] if "loss" in found else list(self.series.values())
        steps = np.unique(np.concatenate([series.steps for series in base]))
        dtype = [("attempt", "<i4"), ("step", "<i8"), ("loss", "<f8"), ("time", "<f8")]
        dtype += [(name, "<f8") for name in found if name != "loss"]
        records = np.zeros(len(steps), dtype)
        records["attempt"], records["step"] = 1, steps
        records["loss"] = records["time"] = np.nan
        for name, series in found.items():
            records[name] = _at(series.steps, series.values, steps)
        if len(base) == 1:
            records["time"] = _at(base[0].steps, base[0].times, steps)
        return records

    def _evaluations(self) -> np.ndarray:
        name = self.known.get("validation")
        if name is None:
            return np.empty(0, EVALUATION_DTYPE)
        series, before = self.series[name], 0
        found = np.zeros(len(series.steps), EVALUATION_DTYPE)
        found["step"], found["validation"] = series.steps, series.values
        found["time"] = series.times
        for index, end in enumerate(np.searchsorted(self.steps["step"], series.steps, "right")):
            losses = self.steps["loss"][before : max(end, before + 1)]
            found["train"][index] = losses.mean() if len(losses) else np.nan
            before = end
        return found


def _stamp(path: Path) -> tuple[Path, int, int]:
    """Returns a stamp that changes with the file. Raises OSError, with a remedy, if it is gone."""
    try:
        info = path.stat()
    except OSError as error:
        told = type(error)(not_read(path, error))
        told.errno = error.errno
        raise told from error
    return path, info.st_mtime_ns, info.st_size


def _at(steps: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns the values at the wanted steps; NaN if there is none."""
    at = np.searchsorted(steps, wanted)
    at[at == len(steps)] = 0
    return np.where(steps[at] == wanted, values[at], np.nan)


def _stand_in(kind: str, steps: int) -> TrainingConfig:
    model = ModelConfig(vocab_size=1, block_size=1, n_layer=1, n_head=1, n_embd=1)
    return TrainingConfig(
        model=model,
        task=kind,
        corpus=UNKNOWN,
        tokenizer=UNKNOWN,
        steps=min(steps, MOST_STEPS),
        evaluate_every=0,
        sample_every=0,
        checkpoint_every=0,
        probe_every=0,
        probe_text="",
    )
