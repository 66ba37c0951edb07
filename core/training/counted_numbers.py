"""How large a run's numbers are, kind by kind: as the run counted them, counted from a recorded
step, or as a computed example without a run. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from core.training.exponents import ExponentHistogram, count_exponents, normal_histogram, share_lost
from core.training.number_formats import NumberFormat
from core.training.recorded_numbers import RecordedNumbers
from core.training.records import Exponents

# standard deviations in the example
DEVIATIONS = {"weights": 0.02, "activations": 1.0, "gradients": 1e-6, "updates": 1e-5}


@dataclass(frozen=True, eq=False)
class CountedNumbers:
    """Counts of the numbers of one kind by size.

    layer       a part of the model; "": the whole model
    step        step of the run; 0: the computed example
    loss_scale  scale with which the run computed its gradients
    """

    kind: str
    histogram: ExponentHistogram
    layer: str = ""
    step: int = 0
    loss_scale: float = 1.0

    def infinite_share(self, format: NumberFormat, scale_exponent: int = 0) -> float:
        """Returns the share of a step's gradients that becomes infinite in a format after scaling
        by 2^scale_exponent. If it is not 0, the whole step is skipped.

        Also returns 0 if the share is less than one counted value, if the format has no infinity,
        and for other kinds: these do not cause a skipped step.
        """
        share = share_lost(self.histogram, format, scale_exponent).overflow
        is_one = format.has_infinity and round(share * self.histogram.total) >= 1
        return share if is_one and self.kind == "gradients" else 0.0


Counts = dict[tuple[str, str], CountedNumbers]  # by layer and kind


def run_counts(events: Mapping[str, Exponents]) -> Counts:
    """Returns a run's counts for the whole model. `events`: by kind, the event with its counts."""
    return {
        ("", kind): CountedNumbers(kind, event.histograms()[kind], "", event.step, event.loss_scale)
        for kind, event in events.items()
    }


def layer_counts(recorded: RecordedNumbers) -> Counts:
    """Returns the counts for each part of the model in a recorded step."""
    return {
        (layer, kind): CountedNumbers(kind, count_exponents(values), layer, recorded.step)
        for layer, kinds in recorded.parts.items()
        for kind, values in kinds.items()
    }


@cache
def example_counts() -> Counts:
    """Returns exact counts of a normal distribution for each kind, without drawing numbers."""
    return {("", kind): CountedNumbers(kind, normal_histogram(d)) for kind, d in DEVIATIONS.items()}
