"""Reads the numbers of a run and its twin, and the traces to play. Does not import Qt."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.trace import Trace
from core.training.counted_numbers import Counts, layer_counts, run_counts
from core.training.gradient_trace import trace_scaled_gradient
from core.training.number_formats import FORMATS
from core.training.recorded_numbers import RecordedNumbers, recorded_numbers
from core.training.rounding_trace import LostUpdate, lost_update, trace_rounded_sum
from core.training.runs import precision_twin
from core.training.scaler_trace import trace_newest_change
from core.training.step_trace import recorded_ranks
from explorer.runs.folders import run_folders
from explorer.runs.run_data import RunData

if TYPE_CHECKING:
    from core.training.reader import RunReader

EXAMPLE_GRADIENT = -27  # a power of two
EXAMPLE_LOSS = math.log(1536)  # of guessing 1,536 tokens
EXAMPLE_UPDATE = LostUpdate(0.0213, 1.9e-5, math.nan)
SMALL = 0.01  # share of gradients that are smaller than the traced one
DIGITS = 4 / 3  # of the traced gradient, times a power of two: no format represents them exactly
LESSON = "bf16"  # format in which a weight and its update are added

_twin_of = lru_cache(maxsize=1)(precision_twin)
_gradient_life = lru_cache(maxsize=1)(trace_scaled_gradient)  # caches the one that is played


def more(
    reader: RunReader, data: RunData
) -> tuple[Counts, RecordedNumbers, str, Trace, Path | None]:
    """Returns the counts, the numbers of the newest recorded step, the error in reading them, the
    last change of the loss scale, and the run that differs only in its precision.
    """
    number = max(data.recorded, default=0)
    written = recorded_ranks(data.folder, number).get(0, 0)  # a resumed run may rewrite the step
    recorded, layers, error = newest_step(data.folder, number, written)
    overflowed = {step: skip.where for step, skip in data.skips.items()}
    change = trace_newest_change(data.config, data.steps, overflowed)
    others = tuple(run_folders(data.folder.parent))
    twin = None if data.log else _twin_of(data.config, others)
    return run_counts(data.exponents) | layers, recorded, error, change, twin


@lru_cache(maxsize=1)  # for the open run
def newest_step(folder: Path, step: int, _: int) -> tuple[RecordedNumbers, Counts, str]:
    try:
        recorded = recorded_numbers(folder, step) if step else RecordedNumbers()
    except (ValueError, OSError) as error:
        return RecordedNumbers(), {}, str(error)
    return recorded, layer_counts(recorded), ""


def small_gradient(counts: Counts) -> int | None:
    """Returns the power of two below a small gradient; None if no gradients were counted."""
    counted = counts.get(("", "gradients"))
    return None if counted is None else counted.histogram.quantile(SMALL)


def gradient_life(
    counts: Counts, data: RunData | None, power: int, format: str, scale_exponent: int
) -> Trace:
    """Traces a gradient a little above a power of two, in the step with these counts. The loss is
    that of this step, or the example's if the run has none.
    """
    all, loss, infinite = counts.get(("", "gradients")), EXAMPLE_LOSS, 0.0
    if all is not None:
        infinite = all.infinite_share(FORMATS[format], scale_exponent)
        row = None if data is None else data.numbers.row(all.step)
        loss = float(row["loss"]) if row is not None and math.isfinite(row["loss"]) else loss
    return _gradient_life(DIGITS * 2.0**power, loss, 2.0**scale_exponent, format, infinite)


@lru_cache(maxsize=1)
def weight_update(recorded: RecordedNumbers) -> tuple[Trace, float]:
    """Traces a weight whose update is lost. Also returns their share (NaN for the example)."""
    found = lost_update(recorded.all("weights"), recorded.all("updates"), LESSON)
    weight, update, share = found or EXAMPLE_UPDATE
    return trace_rounded_sum(weight, update, LESSON), share
