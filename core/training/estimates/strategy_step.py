"""A step of a run's model with any strategy, on devices such as the cores of a laptop."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from core.training.config import TrainingConfig
from core.training.estimates.communication import Link
from core.training.estimates.step_timeline import step_timeline
from core.training.lane_trace import LaneTrace, estimated_trace
from core.transformer.config import ModelConfig

# Speed of a laptop's core, and memory shared between its processes.
SPEED, LINK = 8e10, Link(bandwidth=2e9, latency=5e-5)
# Without a run: wide enough that every strategy can divide it among eight.
EXAMPLE = ModelConfig(vocab_size=1536, block_size=128, n_layer=8, n_head=8, n_embd=256)
EXAMPLE_BATCH = 16
DEVICES = (2, 4, 8)


def strategy_step(strategy: str, devices: int, config: TrainingConfig | None) -> LaneTrace:
    """Computes a step for the model and batch of a run, or for the example, in a few milliseconds.

    Raises ValueError, with a remedy, if the strategy cannot divide the model among the devices.
    """
    if config is None:
        return _computed(strategy, devices, EXAMPLE, EXAMPLE_BATCH)
    return _computed(strategy, devices, config.model, max(config.batch_size, devices))


def most_devices(strategy: str, config: TrainingConfig | None) -> int:
    """Returns the largest of DEVICES that can share the model under a strategy; 0 if none can."""
    for devices in reversed(DEVICES):
        with suppress(ValueError):
            return strategy_step(strategy, devices, config).ranks
    return 0


@lru_cache(maxsize=16)
def _computed(strategy: str, devices: int, model: ModelConfig, batch: int) -> LaneTrace:
    return estimated_trace(step_timeline(strategy, model, batch, devices, speed=SPEED, link=LINK))
