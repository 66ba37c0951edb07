"""ForeignRun: what another program logged, as a run that can be looked at."""

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

UNKNOWN = "unknown"  # what the stand-in config says of text and tokenizer
# A record holds those of a step that the log has.
COLUMNS = ("loss", "learning_rate", "grad_norm")


class ForeignRun(RunReader):
    """A log as a run: the same attributes as a `RunReader`, and `series`, all that was logged.

    `steps` holds what its names tell to be the training loss, learning rate and gradient norm;
    `evaluations` the validation loss, beside the mean of the training losses since the one before.
    The run counts as finished, and can be neither resumed nor steered; `refresh` reads what was
    added. Nothing is written beside it.

    `config` is a stand-in: its task is the kind of log, `steps` how many there are or were planned.
    The rest, the model too, says nothing.

    Raises ValueError, with the remedy, for a log that cannot be read or holds no numbers.
    """

    def __init__(self, path: Path, kind: str, log: LogReader) -> None:
        self.folder = path
        self.rank = 0
        self.kind = kind
        self._log = log
        self._stamp: tuple[Any, ...] = ()
        self._damaged = 0
        self.series: Mapping[str, Series] = {}
        self.known: Mapping[str, str] = {}  # which of them is the loss, and so on
        self.events, self.samples, self.checkpoints, self.probes = [], [], [], []
        self.refresh()

    @property
    def damaged(self) -> int:
        """How many records or lines were left out."""
        return self._damaged

    @property
    def heartbeat_age(self) -> float | None:
        """None: nobody trains it here."""
        return None

    @property
    def state(self) -> str:
        """finished: whether somebody still trains it, a log does not tell."""
        return "finished"

    @property
    def message(self) -> str:
        """What kind of log it is."""
        return f"read from {self.kind}"

    def refresh(self) -> bool:
        """Reads the log again where one of its files has changed; True when it had."""
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
        """A record for each step with a training loss; without one, for each with any number."""
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
    """What tells whether a file has changed. Raises OSError, with the remedy, where it is gone."""
    try:
        info = path.stat()
    except OSError as error:
        told = type(error)(not_read(path, error))
        told.errno = error.errno
        raise told from error
    return path, info.st_mtime_ns, info.st_size


def _at(steps: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The values at the wanted steps; NaN where there is none."""
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
