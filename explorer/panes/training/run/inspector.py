"""The inspector's content: the plan of a run, a moment of it, a phase of one step."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.numbers import (
    format_bytes,
    format_duration,
    format_general,
    format_number,
    format_percent,
)
from core.training import phases
from core.training.config import TrainingConfig
from core.training.estimates.devices import recognized
from core.training.estimates.flops import flops_per_token, model_flops_utilization
from core.training.this_machine import Machine
from explorer.panes.base import Inspection, Row
from explorer.panes.training.phases import (
    COLUMNS,
    loss_text,
    phase_inspection,
    phase_step,
    recorded,
    schedule,
    span_row,
    table_of,
)
from explorer.panes.training.run.batches import Batch
from explorer.runs.run_data import RunNumbers, skip_text, was_skipped

MFU = "model FLOPs utilization (MFU)"
BEGINNING = 42  # characters of a sequence that fit the inspector


def moment_rows(numbers: RunNumbers, step: int, here: Machine | None = None) -> list[Row | str]:
    """Returns the numbers of a moment; `here` is this machine, once measured."""
    row = numbers.row(step)
    if row is None:
        return ["before the first step"]
    seconds = recorded(row, "seconds")
    skipped = [Row(skip_text(step, numbers.skips.get(step)), "warning")] if was_skipped(row) else []
    rows: list[Row | str] = [
        *skipped,
        Row(f"loss {loss_text(float(row['loss']))}", "accent"),
    ]
    # A log of another program may lack them, or have them at some steps only.
    for title, name in (("learning rate η", "learning_rate"), ("gradient norm |g|", "grad_norm")):
        if name in row.dtype.names and not math.isnan(value := recorded(row, name)):
            rows.append(f"{title} = {format_number(value)}")
    if seconds:
        took = f"{seconds * 1000:.0f} ms" if seconds < 1 else format_duration(seconds)
        speed = recorded(row, "tokens") / seconds
        rows.append(f"the step took {took}: {speed:,.0f} tokens/s")
        if not numbers.log:  # a log lacks the model's shape
            rows.append(arithmetic_row(numbers, speed, here))
    if memory := recorded(row, "memory"):
        rows.append(f"memory of the process: {format_bytes(memory)}")
    return rows


def arithmetic_row(numbers: RunNumbers, speed: float, here: Machine | None = None) -> str:
    """Returns the model's FLOP/s at a speed in tokens/s, and their share of the devices' peak. A
    CPU has no data sheet with a peak: there it is the share of the speed measured here.
    """
    config = numbers.config
    flops = flops_per_token(numbers.model)
    reached = f"{format_number(speed * flops / 1e9)} GFLOP/s"
    device = recognized(numbers.device) if numbers.device else None
    peak = device.peak_flops(config.precision) if device is not None else None
    if share := model_flops_utilization(speed, flops, peak, config.ranks):
        return f"{MFU}: {format_percent(share)} of the peak ({reached})"
    if why := _no_peak(numbers, here):
        return f"{reached} of model arithmetic; {MFU} unknown: {why}"
    assert here is not None
    measured = here.peak(numbers.threads or 1)
    share = model_flops_utilization(speed, flops, measured)
    peak_here = f"{format_number(measured / 1e9)} GFLOP/s measured on this machine"
    return f"{MFU}: {format_percent(share or 0.0)} ({reached} of the {peak_here})"


def _no_peak(numbers: RunNumbers, here: Machine | None) -> str:
    """Returns why the peak is unknown, and the remedy; "" for a CPU that was measured."""
    precision = numbers.config.precision
    if numbers.device and recognized(numbers.device) is not None:
        return f"the peak of {numbers.device} in {precision} is not known"
    if numbers.device:
        table = "core/training/estimates/devices.py"
        return f"{numbers.device} is not in the table of devices; add its peak to {table}"
    if numbers.host:
        return f"the CPU of {numbers.host} was not measured; open the run there"
    if precision not in ("fp32", "tf32"):  # tf32 is fp32 on a CPU
        return f"this machine is measured in fp32, and {precision} has another peak"
    return "" if here is not None and here.speed else "this machine is still being measured"


def plan_inspection(config: TrainingConfig) -> Inspection:
    """Returns the planned learning rate, shown before a run."""
    planned = phases.schedule_plan(config)
    rows: list[Row | str] = [Row(f"η max = {format_general(config.learning_rate)}", "accent")]
    if r"\eta_{min}" in planned.formula:
        rows.append(f"η min = {format_general(config.min_learning_rate)}")
    rows.append("t: number of steps done so far")
    if re.search(r"\bw\b", planned.formula):  # without another warm-up, 0 has the same effect as 1
        rows.append(f"w = {max(config.warmup_steps, 1):,} of {config.steps:,} steps")
    rows += map(span_row, phases.schedule_spans(config))
    return Inspection(
        step=planned,
        rows=rows,
        table={"learning rate": np.stack(schedule(config), axis=1)},
        labels=COLUMNS,
    )


def moment_inspection(
    numbers: RunNumbers, step: int, gap: Sequence[str] = (), here: Machine | None = None
) -> Inspection:
    """Returns the loss and the numbers of a moment; `gap` compares it with unseen text."""
    return Inspection(
        step=phase_step("loss", numbers, step),
        rows=[*moment_rows(numbers, step, here), *gap],
        table=table_of(numbers, step),
        labels=COLUMNS,
        cell=f"step {step:,}" + ("" if numbers.log else ": press Enter to go through its phases"),
    )


def data_inspection(numbers: RunNumbers, step: int, batch: Batch | None) -> Inspection:
    """Returns the data phase with its batch (None while it is being read)."""
    shown = phase_inspection("data", numbers, step)
    if batch is None:
        return replace(shown, table={}, stale=True)
    if batch.why:
        return replace(shown, table={}, rows=[*shown.rows, batch.why])
    rows: list[Row | str] = [
        *shown.rows,
        Row(f"\u201c{batch.first[:BEGINNING]}\u2026\u201d", "text"),
    ]
    if batch.repeated:
        of = len(batch.table["ids"])
        rows.append(f"{batch.repeated} of {of} sequences: random tokens, repeated once")
    if numbers.config.micro_batches > 1:
        rows.append(f"shown: the first of {numbers.config.micro_batches} micro-batches")
    return replace(shown, table=dict(batch.table), rows=rows)
