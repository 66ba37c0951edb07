"""The content of the bars: bytes of each part on one device, capacity, and sum so far."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from core.training.estimates.plan_trace import Planned

PARTS = ("weights", "gradients", "optimizer", "master", "activations")
FAR = 20.0  # times the needed bytes: a larger capacity is outside of the picture
MARGIN = 1.12  # length of the axis, as a multiple of the longest bar
TO_SCALE = 0.88  # share of the width that is to scale if some bars are longer: these are broken


@dataclass(frozen=True, eq=False)
class Scene:
    """A bar for each stage of ZeRO; a single device has one bar, because it shares nothing.

    sizes     (bars, parts) bytes on one device, in the order of PARTS
    chosen    index of the bar of the planned stage
    capacity  bytes of a device; None if unknown
    axis      bytes of the whole width
    lengths   (bars,) drawn length of each bar, in bytes of the axis. A bar that is too long is
              broken: drawn longer than any that is to scale and than any smaller broken one
    terms     for each step of the track, its part, or another term's name
    """

    sizes: np.ndarray
    chosen: int
    capacity: float | None
    axis: float
    lengths: np.ndarray
    terms: tuple[str, ...]

    def is_broken(self, bar: int) -> bool:
        """Whether a bar is drawn shorter than it is."""
        return bool(self.lengths[bar] < self.sizes[bar].sum())

    @property
    def shows_capacity(self) -> bool:
        """Whether the capacity is known and within the picture."""
        return self.capacity is not None and self.capacity <= self.axis

    def sum_at(self, position: float) -> float:
        """Returns the sum of bytes so far, interpolated between two steps."""
        sums = [self._sum(step) for step in range(len(self.terms))]
        return float(np.interp(position, np.arange(len(sums)), sums))

    def _sum(self, step: int) -> float:
        """Returns the sum at a step; a part is added at its last step."""
        parts = zip(PARTS, self.sizes[self.chosen], strict=True)
        return sum(size for part, size in parts if part not in self.terms[step + 1 :])


def scene_of(planned: Planned) -> Scene:
    """Returns the scene of a plan, with the bars of the other stages."""
    setup = planned.setup
    plans = planned.stages if setup.devices > 1 else (planned.plan,)
    sizes = np.array([(*astuple(one.state), one.activations) for one in plans])
    totals, needed = sizes.sum(axis=1), planned.plan.bytes
    capacity = setup.memory or None
    is_far = capacity is None or capacity > FAR * needed
    shown = float(totals.max()) if is_far else max(needed, capacity or 0.0)
    axis, lengths = lengths_of(totals, MARGIN * shown)
    names = (step.name.split(".")[1] for step in planned.trace)
    return Scene(
        sizes=sizes,
        chosen=setup.stage if setup.devices > 1 else 0,
        capacity=capacity,
        axis=axis,
        lengths=lengths,
        terms=tuple("activations" if name == "layer" else name for name in names),
    )


def lengths_of(totals: np.ndarray, shown: float) -> tuple[float, np.ndarray]:
    """Returns the axis and the drawn lengths of these bars, if `shown` bytes are to
    scale. Longer bars share what is left of the width in the order of their sizes.
    """
    broken = totals > shown
    if not broken.any():
        return shown, totals.copy()
    axis = shown / TO_SCALE
    sizes, order = np.unique(totals[broken], return_inverse=True)
    lengths = totals.copy()
    lengths[broken] = shown + (axis - shown) * (order + 1) / len(sizes)
    return axis, lengths
