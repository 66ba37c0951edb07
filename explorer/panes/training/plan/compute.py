"""What Plan asks of core: the plan of every stage of ZeRO, and the bundled model's shape. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from core.files import read_json
from core.resources import resource
from core.trace import Trace
from core.training.estimates.memory import ZERO_STAGES
from core.training.estimates.plan import Plan, Setup, plan
from core.training.estimates.plan_trace import trace_plan
from core.transformer.config import ModelConfig


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
    return ModelConfig.from_json(read_json(resource("models", "stories", "config.json")))
