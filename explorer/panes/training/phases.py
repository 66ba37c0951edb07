"""The inspector's content for the phases of an optimizer step: the formula from core, and the
numbers that the run has recorded. Does not import torch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.data.first_lesson import lesson_shape
from core.numbers import (
    format_general,
    format_number,
)
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.rule import numbers_of
from core.optimization.schedules import Span
from core.trace import Step, source
from core.training import phases
from core.training.config import TrainingConfig
from core.training.phases import CODE, perplexity_of
from core.training.rules import RUN_BY_TORCH, rule_settings
from explorer.panes.base import Inspection, Row
from explorer.runs.run_data import RunNumbers, Skip, skip_text, was_skipped

# Title of a table -> field of a step's record. A table has the columns step and value.
TABLES = {
    "loss": "loss",
    "learning rate": "learning_rate",
    "gradient norm": "grad_norm",
    "seconds": "seconds",
}
POINTS = 100  # of a schedule's curve
COLUMNS = {name: ((), ("step", name)) for name in TABLES}


def phase_step(name: str, numbers: RunNumbers, step: int) -> Step:
    """Returns a phase as core's Step, with the recorded values."""
    row = numbers.row(step)
    record = None if row is None else _record(row)
    return phases.phase_step(name, numbers.config, step, record)


def phase_inspection(name: str, numbers: RunNumbers, step: int) -> Inspection:
    """Returns the inspector's content for a phase of a step."""
    return Inspection(
        step=phase_step(name, numbers, step),
        rows=_rows(name, numbers, step),
        table=table_of(numbers, step),
        labels=COLUMNS,
        cell=f"optimizer step {step:,}",
    )


def _rows(name: str, numbers: RunNumbers, step: int) -> list[Row | str]:
    config, row = numbers.config, numbers.row(step)
    model = config.model
    if row is None:
        return ["No step has been recorded yet."]
    skipped = was_skipped(row)
    loss, rate, norm = (
        float(row["loss"]),
        recorded(row, "learning_rate"),
        recorded(row, "grad_norm"),
    )
    match name:
        case "data":
            if 0 < step <= config.copying_steps:
                B, T = lesson_shape(model.block_size, config.batch_size)
                return [
                    f"first lesson, copying: B = {B} sequences × T = {T} tokens",
                    _read_now(config, row),
                    f"{_so_far(numbers, step):,} tokens read so far",
                ]
            return [
                f"B = {config.batch_size} sequences × T = {model.block_size} tokens",
                _read_now(config, row),
                f"{_so_far(numbers, step):,} tokens read so far",
            ]
        case "forward":
            return [
                f"{model.n_layer} layers, {model.n_head} heads, width {model.n_embd}",
                f"θ: {numbers.parameters:,} weights" if numbers.parameters else "θ: weights",
                _guess(numbers.vocabulary),
            ]
        case "loss" if not math.isfinite(loss):
            so = ", so the step is skipped" if skipped else ""
            return [Row(f"{loss_text(loss)}{so}", "accent")]
        case "loss":
            among, likely = (format_number(perplexity_of(one)) for one in (loss, -loss))
            return [
                Row(loss_text(loss), "accent"),
                f"exp(L) = {among}: as unsure as a guess among that many tokens",
                f"geometric mean of the right tokens' probabilities: {likely}",
                "1 nat: the surprise at a token with probability 1/e",
            ]
        case "backward":
            return [
                Row(f"|g| = {format_number(norm)} over all weights together", "accent"),
                "g has one number per weight: how fast L rises as the weight grows",
            ]
        case "unscale":
            skip = numbers.skips.get(step, Skip())
            scale = [f"s = {format_number(skip.scale)}, the loss scale"] if skip.scale else []
            if skipped:
                return [
                    *scale,
                    Row("a gradient overflowed: some of its numbers are not finite", "accent"),
                ]
            return [*scale, Row("every gradient is finite, so the step is applied", "accent")]
        case "clip" if skipped and not math.isfinite(norm):
            return [Row("|g| is not finite, so the step is skipped", "accent")]
        case "clip":
            share = phases.clip_factor(norm, config.clip)
            verdict = "g stays as it is" if share >= 1 else f"g is multiplied by {share:.3f}"
            return [
                Row(f"|g| = {format_number(norm)}", "accent"),
                f"limit c = {format_general(config.clip)}: {verdict}",
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
        rows.append("AdamW moves embeddings and vectors,")
        rows.append(f"with β₁ = {format_general(b1)}, β₂ = {format_general(b2)}")
    where = f"core/optimization/{rule.name}.py"
    if config.optimizer not in RUN_BY_TORCH:
        return [*rows, f"The rule runs as written in {where}."]
    return [*rows, f"PyTorch's {rule.title} does this arithmetic; {where} spells it out."]


def _read_now(config: TrainingConfig, row: Any) -> str:
    if targets := int(recorded(row, "targets")):
        return f"N = {targets:,} tokens to predict in this step"
    tokens = int(recorded(row, "tokens") or config.tokens_per_step)  # of an older run
    return f"{tokens:,} tokens read in this step"


def _guess(vocabulary: int) -> str:
    if not vocabulary:
        return "a blind guess among V tokens gives a loss of ln V"
    guess = f"a blind guess among V = {vocabulary:,} tokens"
    return f"{guess} gives a loss of ln V = {math.log(vocabulary):.3f}"


def _schedule_rows(config: TrainingConfig, step: int, applied: int, rate: float) -> list[Row | str]:
    """applied  number of earlier steps that moved the weights: t counts only these"""
    planned = config.planned_rate(applied)
    spans = phases.schedule_spans(config)
    by_hand = not math.isclose(planned, rate, rel_tol=1e-9)
    peak = format_general(config.learning_rate)
    last = format_general(config.planned_rate(config.steps))
    return [
        Row(f"η = {format_number(rate)} at step {step:,}, t = {applied:,}", "accent"),
        f"set by hand; the schedule had planned {format_number(planned)}"
        if by_hand
        else "the rate that the schedule planned",
        f"the rate stays at {peak}"
        if config.schedule == "constant"
        else f"the rate falls from {peak} to {last}",
        f"the rate warms up in the first w = {config.warmup_steps:,} of {config.steps:,} steps",
        *(span_row(span) for span in spans if span.first <= applied + 1 <= span.last),
    ]


def span_row(span: Span) -> str:
    return f"steps {span.first:,}–{span.last:,}: {span.part.where}"


def table_of(numbers: RunNumbers, step: int) -> dict[str, np.ndarray]:
    """Returns the last 20 records up to this step, newest last, one table for each number."""
    last = numbers.until(step)
    part = numbers.steps[max(0, last - 20) : last]
    known = {name: field for name, field in TABLES.items() if field in part.dtype.names}
    return {name: np.stack([part["step"], part[field]], axis=1) for name, field in known.items()}


def load_sources() -> None:
    """Finds the loop's lines of code. Runs on the engine's thread, because this loads torch."""
    for marker in CODE.values():
        source(marker)


def schedule(config: TrainingConfig | None, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns (steps, rates) of the planned learning rate from `first` on; empty for None."""
    if config is None:
        return np.empty(0), np.empty(0)
    count = min(POINTS, config.steps)
    bend = min(max(first, config.warmup_steps), config.steps)
    steps = np.unique(np.r_[np.linspace(first, config.steps, count), bend].round())
    return steps.astype(np.float64), np.array([config.planned_rate(int(step)) for step in steps])


def _so_far(numbers: RunNumbers, step: int) -> int:
    if "tokens" not in (numbers.steps.dtype.names or ()):
        return step * numbers.config.tokens_per_step
    before = numbers.before
    if before is None:
        before = (int(numbers.index[0]) - 1) * numbers.config.tokens_per_step
    return before + int(numbers.steps["tokens"][: numbers.until(step)].sum())


def _record(row: Any) -> dict[str, float]:
    return {name: float(row[name]) for name in row.dtype.names or ()}


def recorded(row: Any, name: str) -> float:
    return float(row[name]) if name in (row.dtype.names or ()) else 0.0


def loss_text(value: float) -> str:
    return f"L = {value:.3f} nats per token" if math.isfinite(value) else "L is not finite"
