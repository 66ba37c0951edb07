"""What stands where in the histogram of Precision; plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.training.counted_numbers import CountedNumbers
from core.training.exponents import Lost, folded_shares, share_lost
from core.training.number_formats import FORMATS

LOW, HIGH = -40, 16  # the powers of two on the axis; what lies beyond counts at its ends
POWERS = np.arange(LOW, HIGH + 1)
SHOWN = ("fp32", "bf16", "fp16", "fp8 e5m2", "fp8 e4m3fn")
LARGEST_SCALE = 30  # the loss scale goes from 2^0 to 2^30


@dataclass(frozen=True, eq=False)
class Scene:
    """Numbers under the windows of the formats, one of which is chosen.

    shift   by which power of two the numbers were multiplied
    shares  (4, n): see `folded_shares`, from LOW to HIGH
    lost    what each format loses of them
    """

    counted: CountedNumbers
    format: str
    shift: int
    shares: np.ndarray
    lost: Mapping[str, Lost]

    @property
    def is_scaled(self) -> bool:
        """The loss scale multiplies gradients alone."""
        return self.counted.kind == "gradients"

    @property
    def skips(self) -> bool:
        """One of them would be infinite, and the step skipped for it."""
        return self.counted.infinite_share(FORMATS[self.format], self.shift) > 0

    @property
    def middle(self) -> float:
        """The power of two about which they lie."""
        return float(self.shares[0] @ POWERS) / max(float(self.shares[0].sum()), 1e-12)


def scene_of(counted: CountedNumbers, format: str, scale_exponent: int) -> Scene:
    shift = scale_exponent if counted.kind == "gradients" else 0
    shares = folded_shares(counted.histogram, FORMATS[format], shift, LOW, HIGH)
    lost = {name: share_lost(counted.histogram, FORMATS[name], shift) for name in SHOWN}
    return Scene(counted, format, shift, shares, lost)
