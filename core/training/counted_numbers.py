"""How large a run's numbers are, kind by kind: as it counted them, of a step that it recorded, and
a computed example for where there is no run. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from core.training.exponents import ExponentHistogram, count_exponents, normal_histogram, share_lost
from core.training.number_formats import NumberFormat
from core.training.recorded_numbers import RecordedNumbers
from core.training.records import Exponents

# Standard deviations of the example.
DEVIATIONS = {"weights": 0.02, "activations": 1.0, "gradients": 1e-6, "updates": 1e-5}


@dataclass(frozen=True, eq=False)
class CountedNumbers:
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

    def infinite_share(self, format: NumberFormat, scale_exponent: int = 0) -> float:
        """Which share of a step's gradients becomes infinite in a format, once they are multiplied
        by 2^scale_exponent. Not 0: the whole step is skipped.

        0 as well where that is less than one of those that were counted, where the format has no
        infinity, and of other kinds: these skip no step.
        """
        share = share_lost(self.histogram, format, scale_exponent).overflow
        is_one = format.has_infinity and round(share * self.histogram.total) >= 1
        return share if is_one and self.kind == "gradients" else 0.0


Counts = dict[tuple[str, str], CountedNumbers]  # by layer and kind


def run_counts(events: Mapping[str, Exponents]) -> Counts:
    """Of the whole model, as a run counted them: by kind, the event that tells of it."""
    return {
        ("", kind): CountedNumbers(kind, event.histograms()[kind], "", event.step, event.loss_scale)
        for kind, event in events.items()
    }


def layer_counts(recorded: RecordedNumbers) -> Counts:
    """Of each part of the model, of a recorded step."""
    return {
        (layer, kind): CountedNumbers(kind, count_exponents(values), layer, recorded.step)
        for layer, kinds in recorded.parts.items()
        for kind, values in kinds.items()
    }


@cache
def example_counts() -> Counts:
    """Normal numbers of each kind, none of which is drawn."""
    return {("", kind): CountedNumbers(kind, normal_histogram(d)) for kind, d in DEVIATIONS.items()}
