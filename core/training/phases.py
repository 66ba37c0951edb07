"""The phases of one optimizer step as Steps of a trace, made from a run's records.

Each phase refers to the line of the loop that ran in that step, and holds the recorded numbers
under the local names of that line. Loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.schedules import SCHEDULES, Part, Plan, Span
from core.trace import Step
from core.training.config import TrainingConfig

PHASES = ("data", "forward", "loss", "backward", "clip", "optimizer", "schedule")
# With loss scaling, which fp16 needs.
SCALED_PHASES = (*PHASES[:4], "unscale", *PHASES[4:])

TITLES = {
    "data": "Data: draw a batch of sequences",
    "forward": "Forward: predict every next token",
    "loss": "Loss: how surprised the model was, on average",
    "backward": "Backward: how the loss would change if a weight grew a little",
    "scale": "Scale: lift the gradients into the range of 16 bits",
    "unscale": "Unscale: divide the gradients by the loss scale",
    "clip": "Clip: a gradient that is too long is shortened",
    "optimizer": "Optimizer: the weights move a little",
    "skip": "Optimizer: the step is skipped, and no weight moves",
    "schedule": "Schedule: the learning rate of this step",
}
FORMULAS = {
    "data": r"x \in \mathrm{ids}^{B \times T}, \quad y_{b,t} = x_{b,t+1}",
    "forward": r"p_{b,t} = \mathrm{softmax}\left( f_\theta(x_{b,1} \dots x_{b,t}) \right)",
    "loss": r"L = -\frac{1}{N} \sum_{b,t} \ln p_{b,t}[\, y_{b,t} \,]",
    "mean_loss": r"L = -\frac{1}{N} \sum_{b,t} \ln p_{b,t}[\, y_{b,t} \,]",
    "backward": r"g = \frac{\partial L}{\partial \theta}",
    "scale": r"L_s = s L",
    "unscale": r"g \leftarrow \frac{g}{s}",
    "skip": r"\theta_{t+1} = \theta_t",
    "clip": r"g \leftarrow g \cdot \min\left(1, \frac{c}{\| g \|}\right)",
}
_ATTEMPT = "core.training.attempt:Attempt"
CODE = {  # of a phase, or of the line within it that ran
    "data": f"{_ATTEMPT}._one_step#data",
    "forward": f"{_ATTEMPT}._one_step#forward",
    "loss": f"{_ATTEMPT}._one_step#loss",
    "mean_loss": f"{_ATTEMPT}._one_step#mean_loss",
    "backward": f"{_ATTEMPT}._one_step#backward",
    "scale": "core.training.scaler:LossScaler.scale#scale",
    "unscale": "core.training.scaler:LossScaler.unscale#unscale",
    "clip": "core.training.parallel:clip_gradients#clip",
    "optimizer": f"{_ATTEMPT}._one_step#optimizer",
    "skip": f"{_ATTEMPT}._one_step#skip",
    **{part.name: part.code for known in SCHEDULES.values() for part in known.parts},
}


def clip_factor(norm: float, limit: float) -> float:
    """Returns what clipping multiplies a gradient of this length by; a limit of 0 clips nothing."""
    return min(1.0, limit / norm) if limit and norm > 0 else 1.0


def perplexity_of(loss: float) -> float:
    """Returns exp(loss): among how many tokens a guess would be as unsure as the model."""
    return math.exp(loss) if loss < 700 else math.inf


def phase_step(
    phase: str, config: TrainingConfig, step: int, record: Mapping[str, float] | None = None
) -> Step:
    """Returns a phase of optimizer step `step` (from 1). If the loss is scaled, the backward phase
    begins with "scale".

    record  the run's record of the step: loss, targets, learning_rate, grad_norm, applied, skipped,
            loss_scale; None if there is no record

    Raises KeyError for an unknown phase.
    """
    record = record or {}
    if phase == "schedule":
        return _schedule(config, applied_before(step, record))
    line, values = phase, {"number": _scalar(step)}
    match phase:
        case "data":
            values["count"] = _scalar(config.micro_batches)
        case "loss" if config.micro_batches == 1:
            if "loss" in record:  # the line divides in float32; the record is a float64
                values["loss"] = np.asarray(record["loss"], np.float32)
            if {"loss", "targets"} <= set(record):
                values["summed"] = _summed(record)
                values["divisor"] = _scalar(float(record["targets"]))
        case "loss":  # each micro-batch has only a share of it: the line that sums them
            line = "mean_loss"
            if "loss" in record:
                values["loss_value"] = _scalar(record["loss"])
            if {"loss", "targets"} <= set(record):
                values["summed_loss"] = _scalar(float(_summed(record)))
                values["valid"] = _scalar(int(record["targets"]))
        case "clip":
            values = {"limit": _scalar(config.clip or math.inf)}
            if "grad_norm" in record:
                values["norm"] = _scalar(record["grad_norm"])
        case "scale" | "unscale":
            values = {}
            if "loss_scale" in record:
                values["scale"] = _scalar(record["loss_scale"])
            is_whole = config.micro_batches == 1  # each of several has only a share of it
            if phase == "scale" and is_whole and {"loss", "loss_scale"} <= set(record):
                loss = np.asarray(record["loss"], np.float32)
                values |= {"loss": loss, "scaled": loss * np.float32(record["loss_scale"])}
        case "optimizer":
            if "learning_rate" in record:
                values["rate"] = _scalar(record["learning_rate"])
            if record.get("skipped"):
                line = "skip"
    formula = OPTIMIZERS[config.optimizer].formula if line == "optimizer" else FORMULAS[line]
    title = TITLES["skip" if line == "skip" else phase]
    return Step(f"training.{phase}", title, formula, CODE[line], values)


def schedule_plan(config: TrainingConfig) -> Step:
    """Returns the whole planned schedule: a formula for each span, the code of the main one."""
    names = ("learning_rate", "min_learning_rate", "warmup_steps", "steps")
    formulas = [span.part.formula for span in schedule_spans(config)]
    rows = r" \\ ".join(formulas)
    return Step(
        "training.schedule",
        "Schedule: the learning rate planned for each step",
        rows if len(formulas) == 1 else rf"\begin{{array}}{{l}} {rows} \end{{array}}",
        SCHEDULES[config.schedule].main.code,
        {name: _scalar(getattr(config, name)) for name in names},
    )


def schedule_spans(config: TrainingConfig) -> list[Span]:
    """Returns the parts of the schedule that the run passes through."""
    return SCHEDULES[config.schedule].spans(_plan(config))


def schedule_part(config: TrainingConfig, applied: int) -> Part:
    """Returns the part of the schedule that contains the step after `applied` steps."""
    return SCHEDULES[config.schedule].part(applied, _plan(config))


def _plan(config: TrainingConfig) -> Plan:
    rates = (config.learning_rate, config.min_learning_rate)
    return Plan(*rates, config.warmup_steps, config.steps)


def applied_before(step: int, record: Mapping[str, float]) -> int:
    """Returns how many steps moved the weights before this one; older runs skipped none."""
    if "applied" not in record:
        return step - 1
    return int(record["applied"]) - 1 + int(record["skipped"])


def _summed(record: Mapping[str, float]) -> np.ndarray:
    """Returns the summed loss in float32; the float64 mean is precise enough to recover it."""
    return np.asarray(record["loss"] * record["targets"], np.float32)


def _schedule(config: TrainingConfig, applied: int) -> Step:
    part = schedule_part(config, applied)
    return Step(
        "training.schedule",
        TITLES["schedule"],
        part.formula,
        part.code,
        {"step": _scalar(applied), **_scalars(part.numbers(applied, _plan(config)))},
    )


def _scalars(numbers: Mapping[str, float]) -> dict[str, np.ndarray]:
    return {name: _scalar(number) for name, number in numbers.items()}


def _scalar(value: Any) -> np.ndarray:
    return np.asarray(value)
