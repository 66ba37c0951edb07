"""Moments, which the training loop yields at each boundary between two phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# In their order. "unscale" occurs only if the run's strategy scales the loss.
PHASES = (
    "prepare",  # corpus, tokenizer, model
    "data",  # a micro-batch is chosen
    "forward",  # its logits and summed loss
    "loss",  # the sum divided by the targets that count
    "backward",  # gradients
    "unscale",
    "clip",  # the gradients' norm is limited
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
    """A boundary between two phases of a run.

    phase   the phase that has just ended (one of PHASES)
    step    optimizer step of the run: the current one, or the last completed one if `safe`
    safe    True between whole steps: the model may be inspected, and the run may be left here
    idle    seconds that the caller may wait before it asks for the next moment (a paused run),
            else 0
    values  a few numbers or texts about the phase
    """

    phase: str
    step: int
    safe: bool = False
    idle: float = 0.0
    values: Mapping[str, object] = field(default_factory=dict)
