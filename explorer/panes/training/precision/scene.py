"""The content of Precision's histogram, as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.training.counted_numbers import CountedNumbers
from core.training.exponents import Lost, folded_shares, share_lost
from core.training.number_formats import FORMATS

LOW, HIGH = -40, 16  # powers of two on the axis; numbers beyond it count at its ends
POWERS = np.arange(LOW, HIGH + 1)
SHOWN = ("fp32", "bf16", "fp16", "fp8 e5m2", "fp8 e4m3fn")
LARGEST_SCALE = 30  # exponent: the loss scale ranges from 2^0 to 2^30


@dataclass(frozen=True, eq=False)
class Scene:
    """Counted numbers against the ranges of the formats, one of which is selected.

    shift   the power of two by which the numbers are multiplied
    shares  (4, n): see `folded_shares`, from LOW to HIGH
    lost    the shares of numbers lost in each format
    """

    counted: CountedNumbers
    format: str
    shift: int
    shares: np.ndarray
    lost: Mapping[str, Lost]

    @property
    def is_scaled(self) -> bool:
        """Whether the loss scale applies: it multiplies gradients only."""
        return self.counted.kind == "gradients"

    @property
    def skips(self) -> bool:
        """Whether a gradient would be infinite, so that the step would be skipped."""
        return self.counted.infinite_share(FORMATS[self.format], self.shift) > 0

    @property
    def middle(self) -> float:
        """The mean power of two of the numbers."""
        return float(self.shares[0] @ POWERS) / max(float(self.shares[0].sum()), 1e-12)


def scene_of(counted: CountedNumbers, format: str, scale_exponent: int) -> Scene:
    shift = scale_exponent if counted.kind == "gradients" else 0
    shares = folded_shares(counted.histogram, FORMATS[format], shift, LOW, HIGH)
    lost = {name: share_lost(counted.histogram, FORMATS[name], shift) for name in SHOWN}
    return Scene(counted, format, shift, shares, lost)
