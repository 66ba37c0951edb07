"""What Precision asks of core: the numbers of a run, its twin, computed examples. Knows no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.trace import Trace
from core.training.config import TrainingConfig
from core.training.exponents import ExponentHistogram, count_exponents, normal_histogram
from core.training.gradient_trace import trace_scaled_gradient
from core.training.recorded_numbers import RecordedNumbers, recorded_numbers
from core.training.rounding_trace import LostUpdate, lost_update, trace_rounded_sum
from core.training.runs import precision_twin
from explorer.panes.training.run_data import RunData
from explorer.runs.folders import run_folders

if TYPE_CHECKING:
    from core.training.reader import RunReader

# The computed example: standard deviations, a small gradient's power of two with the loss of
# guessing 1,536 tokens, and a weight.
DEVIATIONS = {"weights": 0.02, "activations": 1.0, "gradients": 1e-6, "updates": 1e-5}
EXAMPLE_GRADIENT = -27, math.log(1536)
EXAMPLE_UPDATE = LostUpdate(0.0213, 1.9e-5, math.nan)
SMALL = 0.01  # the share of gradients that are smaller than the one whose life is told
DIGITS = 4 / 3  # of that one: no format holds all of them
LESSON = "bf16"  # in which a weight and its update are added up


@dataclass(frozen=True, eq=False)
class Counted:
    """How large the numbers of a kind were.

    layer       a part of the model; "": all of it
    step        0: the computed example
    loss_scale  under which a run computed its gradients
    """

    kind: str
    histogram: ExponentHistogram
    layer: str = ""
    step: int = 0
    loss_scale: float = 1.0


Counts = dict[tuple[str, str], Counted]  # by layer and kind


def more(reader: RunReader, data: RunData) -> tuple[Counts, RecordedNumbers, str, Path | None]:
    """What is counted, the numbers of the newest recorded step, why they cannot be read, and the
    run that differs in its precision alone.
    """
    recorded, layers, error = newest_step(data.folder, max(data.recorded, default=0))
    whole = {
        ("", kind): Counted(kind, event.histograms()[kind], "", event.step, event.loss_scale)
        for kind, event in data.exponents.items()
    }
    twin = None if data.log else twin_of(data.folder, data.config)
    return whole | layers, recorded, error, twin


@lru_cache(maxsize=1)  # of the run that is looked at
def newest_step(folder: Path, step: int) -> tuple[RecordedNumbers, Counts, str]:
    try:
        recorded = recorded_numbers(folder, step) if step else RecordedNumbers()
    except (ValueError, OSError) as error:
        return RecordedNumbers(), {}, str(error)
    layers = {
        (layer, kind): Counted(kind, count_exponents(values), layer, step)
        for layer, kinds in recorded.parts.items()
        for kind, values in kinds.items()
    }
    return recorded, layers, ""


@lru_cache(maxsize=1)
def twin_of(folder: Path, config: TrainingConfig) -> Path | None:
    return precision_twin(config, run_folders(folder.parent))


@cache
def example() -> Counts:
    """Normal numbers of each kind, none of which is drawn."""
    return {("", kind): Counted(kind, normal_histogram(d)) for kind, d in DEVIATIONS.items()}


def small_gradient(counts: Counts, loss: float) -> tuple[int, float] | None:
    """Between which power of two and the next a small one lies, and the loss of its step: an
    example's, where it is no number. None where none was counted.
    """
    counted = counts.get(("", "gradients"))
    if counted is None:
        return None
    return counted.histogram.quantile(SMALL), loss if math.isfinite(loss) else EXAMPLE_GRADIENT[1]


@lru_cache(maxsize=1)
def gradient_life(power: int, loss: float, scale_exponent: int, format: str) -> Trace:
    """Of a gradient a little above 2^power."""
    return trace_scaled_gradient(DIGITS * 2.0**power, loss, 2.0**scale_exponent, format)


@lru_cache(maxsize=1)
def weight_update(recorded: RecordedNumbers) -> tuple[Trace, float]:
    """Of a weight whose update is lost; which share of updates is: NaN, where it is an example."""
    found = lost_update(recorded.all("weights"), recorded.all("updates"), LESSON)
    weight, update, share = found or EXAMPLE_UPDATE
    return trace_rounded_sum(weight, update, LESSON), share
