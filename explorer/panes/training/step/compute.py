"""Opens the selected recorded step, in the I/O pool. Does not import Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.training.reader import RunReader
from core.training.recorded_step import RecordedStep, open_recorded_step
from core.training.step_trace import recorded_ranks
from explorer.runs.run_data import RunData


@dataclass(frozen=True)
class Choice:
    """The selection. `step` 0 is the newest; `parameter` "" is a block's first matrix."""

    step: int = 0
    rank: int = 0
    parameter: str = ""


@dataclass(frozen=True)
class Opened:
    """A rank's recording of a run's step `number`; if `step` is None, `error` says why. `ranks`:
    the ranks that have written their recording, with the time.
    """

    run: Path
    choice: Choice
    number: int
    rank: int
    ranks: Mapping[int, int]
    step: RecordedStep | None = field(default=None, compare=False)
    error: str = field(default="", compare=False)


class Opener:
    """Reads the recorded step for a follower; returns the same object until something changes."""

    def __init__(self) -> None:
        self.choice = Choice()
        self._last: Opened | None = None

    def __call__(self, reader: RunReader, data: RunData) -> Opened | None:
        """Returns None if nothing is recorded."""
        if not data.recorded:
            return None
        choice = self.choice
        number = choice.step if choice.step in data.recorded else data.recorded[-1]
        ranks = recorded_ranks(data.folder, number)
        rank = choice.rank if choice.rank in ranks else min(ranks, default=0)
        found = Opened(data.folder, choice, number, rank, ranks)
        if self._last is None or found != self._last or self._last.error:
            asked = number, data.config, rank, choice.parameter, data.scales
            try:
                self._last = replace(found, step=open_recorded_step(data.folder, *asked))
            except (ValueError, OSError) as error:
                self._last = replace(found, error=str(error))
        return self._last
