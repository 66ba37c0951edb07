"""What Plan asks of core: the plan of every stage of ZeRO, and a run's numbers. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from core.files import read_json
from core.resources import resource
from core.trace import Trace
from core.training.config import TrainingConfig
from core.training.estimates.flops import flops_per_token, model_flops_utilization
from core.training.estimates.memory import ZERO_STAGES
from core.training.estimates.plan import Plan, Setup, plan
from core.training.estimates.plan_trace import trace_plan
from core.training.foreign import ForeignRun, open_run
from core.transformer.config import ModelConfig

RECENT = 50  # steps that tell how fast a run is


@dataclass(frozen=True, eq=False)
class Planned:
    """A setup with the plans of all stages of ZeRO, and the sum of its own."""

    setup: Setup
    stages: tuple[Plan, ...]
    trace: Trace

    @property
    def plan(self) -> Plan:
        """Of the chosen stage."""
        return self.stages[self.setup.stage]


def planned(setup: Setup) -> Planned:
    """All of it; a few milliseconds."""
    stages = tuple(plan(replace(setup, stage=stage)) for stage in ZERO_STAGES)
    return Planned(setup, stages, trace_plan(setup))


@cache
def bundled_model() -> ModelConfig:
    """The shape of the bundled model."""
    values = read_json(resource("models", "stories", "config.json"))
    return ModelConfig.from_json(values)


@dataclass(frozen=True)
class Measured:
    """What a run took, by its newest steps; NaN where it was not told.

    memory  bytes that a process holds, Python and torch included
    error   why nothing is known of it
    """

    name: str
    config: TrainingConfig | None = None
    memory: float = np.nan
    seconds: float = np.nan
    speed: float = np.nan  # tokens a second
    error: str = ""

    def utilization(self, peak: float | None) -> float | None:
        """MFU on devices with this peak."""
        if self.config is None or np.isnan(self.speed):
            return None
        per_token = flops_per_token(self.config.model)
        return model_flops_utilization(self.speed, per_token, peak, self.config.ranks)


def measured(folder: Path) -> Measured:
    """In the I/O pool. Raises nothing: a run that cannot be read says why."""
    try:
        run = open_run(folder)
    except (ValueError, OSError) as error:
        return Measured(folder.name, error=str(error))
    if isinstance(run, ForeignRun):
        return Measured(run.name, error=f"{run.name} is a log, which does not tell of its model")
    steps = run.steps[-RECENT:]
    if not len(steps):
        return Measured(run.name, run.config)
    seconds = float(np.median(steps["seconds"]))
    tokens = float(np.median(steps["tokens"]))
    memory = float(steps["memory"][-1]) or np.nan
    return Measured(run.name, run.config, memory, seconds, tokens / seconds if seconds else np.nan)
