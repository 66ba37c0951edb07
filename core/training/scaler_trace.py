"""Loss scaling at one optimizer step that changed the scale: the loss is scaled, the gradients are
unscaled; an infinite gradient skips the step and halves the scale, enough consecutive steps without
one double it. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.trace import Step, Trace
from core.training.config import TrainingConfig
from core.training.phases import phase_step
from core.training.scaler import FLOOR, LARGEST, LossScaler, scale_text

_HERE = "core.training.scaler:LossScaler"


def scale_changes(steps: np.ndarray) -> np.ndarray:
    """Returns the indices, in order, of the run's steps that changed the loss scale: those that
    were skipped, and those after which it grew. A scale out of range is ignored.

    steps  (n,), the run's records; those of an older version lack "skipped" and "loss_scale"
    """
    if not {"skipped", "loss_scale"} <= set(steps.dtype.names or ()):
        return np.zeros(0, np.int64)
    scales = steps["loss_scale"]
    grew = np.diff(scales, append=scales[-1:]) > 0
    return np.flatnonzero(((steps["skipped"] > 0) | grew) & (scales >= FLOOR) & (scales <= LARGEST))


def trace_newest_change(
    config: TrainingConfig, steps: np.ndarray, overflowed: Mapping[int, str]
) -> Trace:
    """Returns `trace_scale_change` of the newest step of a run that changed the scale; an empty
    trace if there is none.

    steps       (n,), the run's records
    overflowed  the first gradient that overflowed, by skipped step
    """
    changes = scale_changes(steps)
    if not len(changes):
        return Trace().finish()
    row = steps[changes[-1]]
    record = {name: row[name].item() for name in row.dtype.names}
    return trace_scale_change(config, record, overflowed.get(int(row["step"]), ""))


def trace_scale_change(
    config: TrainingConfig, record: Mapping[str, float], where: str = ""
) -> Trace:
    """Traces the loss scaler at a step that changes its scale.

    Steps are named "training.scale", "training.unscale", "training.optimizer"; then "scaler.shrink"
    if the step was skipped, else "scaler.count" and "scaler.grow". `about` has "step", "scale" and
    "next", the scale after it.

    record  the run's record of the step: step, loss, learning_rate, skipped, loss_scale
    where   the first gradient of a skipped step that overflowed; "": unknown
    """
    number, skipped, scale = int(record["step"]), bool(record["skipped"]), record["loss_scale"]
    scaler = LossScaler(scale, growth_interval=config.loss_scale_growth_interval)
    before = scaler.good_steps = scaler.growth_interval - 1
    scaler.stepped(not skipped)
    trace = Trace({"step": number, "scale": scale, "next": scaler.loss_scale})
    for phase, title in _titles(number, scale, skipped, where).items():
        trace.append(replace(phase_step(phase, config, number, record), title=title))
    following = f"step {number + 1:,} tries {scale_text(scaler.loss_scale)}"
    if skipped:
        shrunk = scale * scaler.backoff_factor
        title = f"Halved{', but never below 1' if shrunk < FLOOR else ''}: {following}"
        told = {"scale": scale, "factor": scaler.backoff_factor, "shrunk": shrunk}
        trace.append(_step("shrink", title, r"s \leftarrow \frac{s}{2}", told))
        return trace.finish()
    told = {"before": before, "good_steps": before + 1}
    title = f"Counted: {before + 1:,} steps in a row without overflow are enough to double it"
    trace.append(_step("count", title, r"n \leftarrow n + 1", told))
    told = {"scale": scale, "factor": scaler.growth_factor, "grown": scale * scaler.growth_factor}
    trace.append(_step("grow", f"Doubled: {following}", r"s \leftarrow 2 s", told))
    return trace.finish()


def _titles(number: int, scale: float, skipped: bool, where: str) -> dict[str, str]:
    """Returns the titles of the phases, by name."""
    found = f"{where or 'a gradient'} overflowed" if skipped else "every gradient is finite"
    end = "Skipped: one infinite gradient is enough, so no weight moves"
    return {
        "scale": f"Scaled: the loss of step {number:,} is multiplied by {scale_text(scale)}",
        "unscale": f"Unscaled: {found}",
        "optimizer": end if skipped else "Applied: the weights move a little",
    }


def _step(line: str, title: str, formula: str, values: Mapping[str, float]) -> Step:
    function = "stepped" if line == "count" else f"_{line}"
    told = {name: np.asarray(value) for name, value in values.items()}
    return Step(f"scaler.{line}", title, formula, f"{_HERE}.{function}#{line}", told)
