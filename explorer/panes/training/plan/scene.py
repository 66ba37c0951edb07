"""What stands where in the bars: bytes of each part on one device, the capacity, the sum so far."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from core.training.estimates.plan_trace import Planned

PARTS = ("weights", "gradients", "optimizer", "master", "activations")
FAR = 20.0  # times as much as is needed: the capacity lies outside of the picture
MARGIN = 1.12  # of the axis, beyond what is longest


@dataclass(frozen=True, eq=False)
class Scene:
    """A bar for each stage of ZeRO. One device shares nothing and has one bar.

    sizes     (bars, parts) bytes on one device, in the order of PARTS
    chosen    index of the bar whose stage is planned
    capacity  bytes of a device; None: not known
    axis      bytes that the whole width stands for
    terms     by step of the track, the part that it tells of, as far as it tells of one
    """

    sizes: np.ndarray
    chosen: int
    capacity: float | None
    axis: float
    terms: tuple[str, ...]

    @property
    def shows_capacity(self) -> bool:
        """Whether the capacity is known and not far beyond the picture."""
        return self.capacity is not None and self.capacity <= self.axis

    def sum_at(self, position: float) -> float:
        """Bytes added up so far; between two steps it grows from one sum to the next."""
        sums = [self._sum(step) for step in range(len(self.terms))]
        return float(np.interp(position, np.arange(len(sums)), sums))

    def _sum(self, step: int) -> float:
        """A part is added at the last step that tells of it."""
        parts = zip(PARTS, self.sizes[self.chosen], strict=True)
        return sum(size for part, size in parts if part not in self.terms[step + 1 :])


def scene_of(planned: Planned) -> Scene:
    """Of a plan, with the bars of the other stages."""
    setup = planned.setup
    plans = planned.stages if setup.devices > 1 else (planned.plan,)
    sizes = np.array([(*astuple(one.state), one.activations) for one in plans])
    totals, needed = sizes.sum(axis=1), planned.plan.bytes
    capacity = setup.memory or None
    is_far = capacity is None or capacity > FAR * needed
    names = (step.name.split(".")[1] for step in planned.trace)
    return Scene(
        sizes=sizes,
        chosen=setup.stage if setup.devices > 1 else 0,
        capacity=capacity,
        axis=MARGIN * float(totals.max() if is_far else max(needed, capacity or 0.0)),
        terms=tuple("activations" if name == "layer" else name for name in names),
    )
