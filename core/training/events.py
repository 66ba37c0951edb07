"""Moments: what the training loop yields, one at each boundary between two phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# In the order in which they come. "unscale" comes where the run's strategy scales the loss.
PHASES = (
    "prepare",  # corpus, tokenizer, model
    "data",  # a micro-batch is chosen
    "forward",  # its logits and summed loss
    "loss",  # the sum divided by the targets that count
    "backward",  # gradients
    "unscale",
    "clip",  # the gradients' norm, and its limit
    "optimizer",  # the weights move
    "schedule",  # the next learning rate; the step is recorded
    "evaluate",
    "sample",
    "checkpoint",
    "probe",
    "paused",
    "end",
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A boundary in a run.

    phase   what has just been done (one of PHASES)
    step    optimizer steps of the run: the one under way, or the last one done when `safe`
    safe    True between whole steps: the model may be looked at, and a run may be left here
    idle    seconds that the driver may wait before it asks for the next moment (a paused run),
            else 0
    values  a few numbers or texts about it
    """

    phase: str
    step: int
    safe: bool = False
    idle: float = 0.0
    values: Mapping[str, object] = field(default_factory=dict)
