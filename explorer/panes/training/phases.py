"""One optimizer step, phase by phase, as core tells it, with its live numbers.

Knows no torch: all numbers are the run's records.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.numbers import (
    format_bytes,
    format_duration,
    format_general,
    format_number,
    format_percent,
)
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.rule import numbers_of
from core.optimization.schedules import Span
from core.trace import Step, source
from core.training import phases
from core.training.config import TrainingConfig
from core.training.estimates.devices import recognized
from core.training.estimates.flops import flops_per_token, model_flops_utilization
from core.training.phases import CODE, TITLES
from core.training.rules import RUN_BY_TORCH, rule_settings
from core.training.this_machine import Machine
from explorer.panes.base import Inspection, Row
from explorer.runs.run_data import RunNumbers, Skip, skip_text, was_skipped
from explorer.state.tracks import ListTrack

# What a table is called -> the field of a step's record; beside each value stands its step.
TABLES = {
    "loss": "loss",
    "learning rate": "learning_rate",
    "gradient norm": "grad_norm",
    "seconds": "seconds",
}
POINTS = 100  # of a schedule
COLUMNS = {name: ((), ("step", name)) for name in TABLES}


def phase_step(name: str, numbers: RunNumbers, step: int) -> Step:
    """A phase as core's Step, with the values that were recorded."""
    row = numbers.row(step)
    record = None if row is None else _record(row)
    return phases.phase_step(name, numbers.config, step, record)


def phase_inspection(name: str, numbers: RunNumbers, step: int) -> Inspection:
    """What the inspector shows of a phase at a step."""
    return Inspection(
        step=phase_step(name, numbers, step),
        rows=_rows(name, numbers, step),
        table=_table(numbers, step),
        labels=COLUMNS,
        cell=f"optimizer step {step:,}",
    )


def _rows(name: str, numbers: RunNumbers, step: int) -> list[Row | str]:
    config, row = numbers.config, numbers.row(step)
    model = config.model
    if row is None:
        return ["no step recorded yet"]
    skipped = was_skipped(row)
    loss, rate, norm = float(row["loss"]), _get(row, "learning_rate"), _get(row, "grad_norm")
    match name:
        case "data":
            return [
                f"B = {config.batch_size} sequences × T = {model.block_size} tokens",
                _read_now(config, row),
                f"{_so_far(numbers, step):,} tokens read since the beginning",
            ]
        case "forward":
            return [
                f"{model.n_layer} layers, {model.n_head} heads, width {model.n_embd}",
                f"θ: {numbers.parameters:,} weights" if numbers.parameters else "θ: weights",
                _guess(numbers.vocabulary),
            ]
        case "loss" if not math.isfinite(loss):
            so = ", so the step is skipped" if skipped else ""
            return [Row(f"{_loss(loss)}{so}", "accent")]
        case "loss":
            return [
                Row(_loss(loss), "accent"),
                f"exp(L) = {format_number(_exp(loss))}: as unsure as among that many tokens",
                f"p of the right token, geometric mean: {format_number(_exp(-loss))}",
            ]
        case "backward":
            return [
                Row(f"|g| = {format_number(norm)} over all weights together", "accent"),
                "one number per weight: which way raises L",
            ]
        case "unscale":
            skip = numbers.skips.get(step, Skip())
            scale = [f"s = {format_number(skip.scale)}, the loss scale"] if skip.scale else []
            if skipped:
                return [*scale, Row("a gradient overflowed: not every number is finite", "accent")]
            return [*scale, Row("every gradient is finite: the step counts", "accent")]
        case "clip" if skipped and not math.isfinite(norm):
            return [Row("|g| is not finite, so the step is skipped", "accent")]
        case "clip":
            share = min(1.0, config.clip / norm) if config.clip and norm > 0 else 1.0
            verdict = "nothing is cut" if share >= 1 else f"g is scaled by {share:.3f}"
            return [
                Row(f"|g| = {format_number(norm)}", "accent"),
                f"c = {format_general(config.clip)}: {verdict}",
            ]
        case "optimizer" if skipped:
            return [Row(skip_text(step, numbers.skips.get(step)), "accent")]
        case "optimizer":
            return _optimizer_rows(config, rate)
        case _:
            return _schedule_rows(config, step, phases.applied_before(step, _record(row)), rate)


def _optimizer_rows(config: TrainingConfig, rate: float) -> list[Row | str]:
    rule, (b1, b2) = OPTIMIZERS[config.optimizer], config.betas
    settings = rule_settings(config, config.learning_rate)
    own = numbers_of(settings) | {"weight_decay": config.weight_decay}
    rows: list[Row | str] = [
        Row(f"η = {format_number(rate)}", "accent"),
        ", ".join(
            f"{letter} = {format_general(own[name])}" for name, letter in rule.letters.items()
        ),
    ]
    if config.optimizer in ("adam", "adamw", "lion"):
        rows.append(f"no weight moves further than about {format_number(rate)} in this step")
    if config.optimizer == "muon":
        rows.append("embeddings and vectors move by AdamW")
        rows.append(f"with β₁ = {format_general(b1)}, β₂ = {format_general(b2)}")
    where = f"core/optimization/{rule.name}.py"
    if config.optimizer not in RUN_BY_TORCH:
        return [*rows, "the rule that runs is", f"written out in {where}"]
    how = "fused " if config.optimizer in ("adam", "adamw") else ""
    return [
        *rows,
        f"torch's {how}{rule.title} runs; what it computes is",
        f"written out in {where}",
    ]


def _read_now(config: TrainingConfig, row: Any) -> str:
    if targets := int(_get(row, "targets")):
        return f"N = {targets:,} tokens to predict in this step"
    tokens = int(_get(row, "tokens") or config.tokens_per_step)  # of an older version's run
    return f"{tokens:,} tokens read in this step"


def _guess(vocabulary: int) -> str:
    if not vocabulary:
        return "a guess among V tokens would lose log V"
    return f"a guess among V = {vocabulary:,} would lose log V = {math.log(vocabulary):.3f}"


def _schedule_rows(config: TrainingConfig, step: int, applied: int, rate: float) -> list[Row | str]:
    """applied  how many steps before this one moved the weights: t counts them alone"""
    planned = config.planned_rate(applied)
    spans = phases.schedule_spans(config)
    by_hand = not math.isclose(planned, rate, rel_tol=1e-9)
    peak = format_general(config.learning_rate)
    return [
        Row(f"η = {format_number(rate)} at step {step:,}, t = {applied:,}", "accent"),
        f"set by hand: the schedule had planned {format_number(planned)}"
        if by_hand
        else "as the schedule planned",
        f"constant at {peak}"
        if config.schedule == "constant"
        else f"from {peak} down to {format_general(_last_rate(config))}",
        f"warm-up over the first w = {config.warmup_steps:,} of {config.steps:,} steps",
        *(_span_row(span) for span in spans if span.first <= applied + 1 <= span.last),
    ]


def _span_row(span: Span) -> str:
    return f"steps {span.first:,}–{span.last:,}: {span.part.where}"


def _last_rate(config: TrainingConfig) -> float:
    return config.planned_rate(config.steps)


def _table(numbers: RunNumbers, step: int) -> dict[str, np.ndarray]:
    """The records around this step, newest last, one table for each number."""
    last = numbers.until(step)
    part = numbers.steps[max(0, last - 20) : last]
    known = {name: field for name, field in TABLES.items() if field in part.dtype.names}
    return {name: np.stack([part["step"], part[field]], axis=1) for name, field in known.items()}


def moment_rows(numbers: RunNumbers, step: int, here: Machine | None = None) -> list[Row | str]:
    """The live numbers of a whole moment; `here` is this machine, once it is known."""
    row = numbers.row(step)
    if row is None:
        return ["before the first step"]
    seconds = _get(row, "seconds")
    skipped = [Row(skip_text(step, numbers.skips.get(step)), "warning")] if was_skipped(row) else []
    rows: list[Row | str] = [
        *skipped,
        Row(f"loss {_loss(float(row['loss']))}", "accent"),
    ]
    # A log of another program may tell of neither, or not at every step.
    for title, name in (("learning rate η", "learning_rate"), ("gradient norm |g|", "grad_norm")):
        if name in row.dtype.names and not math.isnan(value := _get(row, name)):
            rows.append(f"{title} = {format_number(value)}")
    if seconds:
        took = f"{seconds * 1000:.0f} ms" if seconds < 1 else format_duration(seconds)
        speed = _get(row, "tokens") / seconds
        rows.append(f"took {took}, {speed:,.0f} tokens/s")
        if not numbers.log:  # which does not tell the model's shape
            rows.append(arithmetic_row(numbers, speed, here))
    if memory := _get(row, "memory"):
        rows.append(f"memory of the process: {format_bytes(memory)}")
    return rows


def arithmetic_row(numbers: RunNumbers, speed: float, here: Machine | None = None) -> str:
    """The model's FLOP/s at so many tokens a second, and their share of the devices' peak. No data
    sheet has that of a CPU: there it is the share of what was measured here.
    """
    config = numbers.config
    flops = flops_per_token(numbers.model)
    told = f"{format_number(speed * flops / 1e9)} GFLOP/s of the model's arithmetic, MFU"
    device = recognized(numbers.device) if numbers.device else None
    peak = device.peak_flops(config.precision) if device is not None else None
    if share := model_flops_utilization(speed, flops, peak, config.ranks):
        return f"{told} {format_percent(share)}"
    if why := _no_peak(numbers, here):
        return f"{told} n/a: {why}"
    assert here is not None
    measured = here.peak(numbers.threads or 1)
    share = model_flops_utilization(speed, flops, measured)
    return f"{told} {format_percent(share or 0.0)} of this machine's measured " + (
        f"{format_number(measured / 1e9)} GFLOP/s"
    )


def _no_peak(numbers: RunNumbers, here: Machine | None) -> str:
    """Why no share of a peak can be told, and what to do; "" for a CPU that was measured."""
    precision = numbers.config.precision
    if numbers.device and recognized(numbers.device) is not None:
        return f"no peak of {numbers.device} in {precision} is known"
    if numbers.device:
        table = "core/training/estimates/devices.py"
        return f"{numbers.device} is not in the table of devices; add its peak to {table}"
    if numbers.host:
        return f"the CPU of {numbers.host} was not measured; open the run there"
    if precision not in ("fp32", "tf32"):  # which is fp32 on a CPU
        return f"this machine is measured in fp32, and {precision} has another peak"
    return "" if here is not None and here.speed else "this machine is measured in a moment"


def plan_inspection(config: TrainingConfig, steps: np.ndarray, rates: np.ndarray) -> Inspection:
    """Before a run: the learning rate that is planned for it."""
    planned = phases.schedule_plan(config)
    rows: list[Row | str] = [Row(f"η max = {format_number(config.learning_rate)}", "accent")]
    if r"\eta_{min}" in planned.formula:
        rows.append(f"η min = {format_number(config.min_learning_rate)}")
    rows.append("t: how many steps are done")
    if re.search(r"\bw\b", planned.formula):  # 0 is as 1 where nothing else warms up
        rows.append(f"w = {max(config.warmup_steps, 1):,} of {config.steps:,} steps")
    rows += map(_span_row, phases.schedule_spans(config))
    return Inspection(
        step=planned,
        rows=rows,
        table={"learning rate": np.stack([steps, rates], axis=1)},
        labels=COLUMNS,
    )


def moment_inspection(
    numbers: RunNumbers, step: int, gap: Sequence[str] = (), here: Machine | None = None
) -> Inspection:
    """A whole moment: the loss, with the step's numbers; `gap` compares it with unseen text."""
    return Inspection(
        step=phase_step("loss", numbers, step),
        rows=[*moment_rows(numbers, step, here), *gap],
        table=_table(numbers, step),
        labels=COLUMNS,
        cell=f"step {step:,}" + ("" if numbers.log else ". Enter goes into it, phase by phase"),
    )


def load_sources() -> None:
    """On the engine's thread: finding the lines of the loop loads torch, and the model."""
    for marker in CODE.values():
        source(marker)


def schedule(config: TrainingConfig | None, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(steps, rates) of the planned learning rate from step `first` on; empty without a plan."""
    if config is None:
        return np.empty(0), np.empty(0)
    count = min(POINTS, config.steps)
    bend = min(max(first, config.warmup_steps), config.steps)
    steps = np.unique(np.r_[np.linspace(first, config.steps, count), bend].round())
    return steps.astype(np.float64), np.array([config.planned_rate(int(step)) for step in steps])


class PhaseTrack(ListTrack):
    """The phases of one optimizer step, to play and step through."""

    def __init__(self, numbers: RunNumbers, step: int) -> None:
        self.names = numbers.phases
        super().__init__([TITLES[name] for name in self.names], self.names)
        self.numbers = numbers
        self.step = step
        row = numbers.row(step)
        self.skipped = row is not None and was_skipped(row)


def _so_far(numbers: RunNumbers, step: int) -> int:
    if "tokens" not in (numbers.steps.dtype.names or ()):
        return step * numbers.config.tokens_per_step
    before = numbers.before
    if before is None:
        before = (int(numbers.index[0]) - 1) * numbers.config.tokens_per_step
    return before + int(numbers.steps["tokens"][: numbers.until(step)].sum())


def _record(row: Any) -> dict[str, float]:
    return {name: float(row[name]) for name in row.dtype.names or ()}


def _get(row: Any, name: str) -> float:
    return float(row[name]) if name in (row.dtype.names or ()) else 0.0


def _loss(value: float) -> str:
    return f"L = {value:.3f} nats per token" if math.isfinite(value) else "L is not finite"


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
