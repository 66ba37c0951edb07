"""What Ranks asks of core: a run's lanes, and estimated steps. Knows no Qt, loads no torch."""

from __future__ import annotations

from functools import lru_cache

from core.training.config import TrainingConfig
from core.training.estimates.communication import Link
from core.training.estimates.step_timeline import step_timeline
from core.training.lane_trace import LaneTrace, RunLanes, estimated_trace
from core.training.reader import RunReader
from core.transformer.config import ModelConfig
from explorer.panes.training.run_data import RunData

# Of an estimate: a laptop core, and memory shared between its processes.
SPEED, LINK = 8e10, Link(bandwidth=2e9, latency=5e-5)
# Without a run: wide enough that every strategy can share it among eight.
EXAMPLE = ModelConfig(vocab_size=1536, block_size=128, n_layer=8, n_head=8, n_embd=256)
EXAMPLE_BATCH = 16
DEVICES = (2, 4, 8)


class StepLanes:
    """Reads the lanes of a run's step again and again, in the I/O pool; step 0 is the newest. None
    for another program's log, which tells of no ranks. Raises ValueError or OSError.
    """

    def __init__(self, step: int = 0) -> None:
        self.step = step
        self._lanes: RunLanes | None = None

    def __call__(self, reader: RunReader, data: RunData) -> LaneTrace | None:
        if data.log:
            return None
        if self._lanes is None:
            self._lanes = RunLanes(data.folder)
        return self._lanes.read(self.step)


def estimated(strategy: str, devices: int, config: TrainingConfig | None) -> LaneTrace:
    """For the model of a run, or the example's where there is none; a few milliseconds. Raises
    ValueError, with the remedy, where the devices cannot share it so.
    """
    if config is None:
        return _estimated(strategy, devices, EXAMPLE, EXAMPLE_BATCH)
    return _estimated(strategy, devices, config.model, max(config.batch_size, devices))


@lru_cache(maxsize=8)
def _estimated(strategy: str, devices: int, model: ModelConfig, batch: int) -> LaneTrace:
    return estimated_trace(step_timeline(strategy, model, batch, devices, speed=SPEED, link=LINK))
