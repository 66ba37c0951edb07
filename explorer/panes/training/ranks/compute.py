"""Reads the lanes of a run's step for Ranks. Imports neither Qt nor torch."""

from __future__ import annotations

from core.training.lane_trace import LaneTrace, RunLanes
from core.training.reader import RunReader
from explorer.runs.run_data import RunData


class StepLanes:
    """Reads the lanes of a run's step, repeatedly, in the I/O pool; step 0 is the newest. None for
    another program's log, which lacks ranks. Raises ValueError or OSError.
    """

    def __init__(self, step: int = 0) -> None:
        self.step = step
        self._lanes: RunLanes | None = None
        self._kept: LaneTrace | None = None

    def __call__(self, reader: RunReader, data: RunData) -> LaneTrace | None:
        if data.log:
            return None
        kept = self._kept  # in a selected step only the ends of its ranks can change
        if self.step and kept and kept.number == self.step and data.active and not kept.ends:
            return kept
        if self._lanes is None:
            self._lanes = RunLanes(data.folder)
        self._kept = self._lanes.read(self.step)
        return self._kept
