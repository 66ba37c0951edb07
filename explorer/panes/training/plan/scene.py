"""What stands where in the bars: bytes of each part on one device, the capacity, the sum so far."""

from __future__ import annotations

from dataclasses import dataclass, fields

from core.training.estimates.plan import Plan
from explorer.panes.training.plan import text
from explorer.panes.training.plan.compute import Planned

PARTS = ("weights", "gradients", "optimizer", "master", "activations")
FAR = 20.0  # times as much as is needed: the capacity lies outside of the picture
MARGIN = 1.12  # of the axis, beyond what is longest


@dataclass(frozen=True)
class Bar:
    """The memory of one device under a stage of ZeRO; `sizes` in bytes, in the order of PARTS."""

    stage: int
    title: str
    sizes: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.sizes)


@dataclass(frozen=True)
class Scene:
    """All bars. One device shares nothing and has one bar.

    chosen    index of the bar whose stage is planned
    capacity  bytes of a device; None: not known
    axis      bytes that the whole width stands for
    sums      by step of the track, the bytes that have been added up
    current   by step of the track, the part that it tells of; "" for none
    """

    bars: tuple[Bar, ...] = ()
    chosen: int = 0
    capacity: float | None = None
    axis: float = 1.0
    sums: tuple[float, ...] = ()
    current: tuple[str, ...] = ()

    @property
    def shows_capacity(self) -> bool:
        """Whether the capacity is known and not far beyond the picture."""
        return self.capacity is not None and self.capacity <= self.axis

    def sum_at(self, position: float) -> float:
        """Between two steps it grows from one sum to the next."""
        if not self.sums:
            return 0.0
        last = len(self.sums) - 1
        step = min(int(position), last)
        after = self.sums[min(step + 1, last)]
        return self.sums[step] + (after - self.sums[step]) * min(position - step, 1.0)


def scene_of(planned: Planned) -> Scene:
    """Of a plan, with the bars of the other stages."""
    setup = planned.setup
    shared = setup.devices > 1
    plans = list(enumerate(planned.stages)) if shared else [(setup.stage, planned.plan)]
    bars = tuple(Bar(stage, text.STAGES[stage] if shared else "1 device", _sizes(one))
                 for stage, one in plans)  # fmt: skip
    chosen = setup.stage if shared else 0
    capacity = setup.memory or None
    names = [step.name.split(".")[1] for step in planned.trace]
    sizes = dict(zip(PARTS, bars[chosen].sizes, strict=True))
    return Scene(
        bars=bars,
        chosen=chosen,
        capacity=capacity,
        axis=_axis(bars, bars[chosen].total, capacity),
        sums=tuple(
            sum(size for part, size in sizes.items() if part not in names[place + 1 :])
            for place in range(len(names))
        ),
        current=tuple(
            "activations" if name == "layer" else name if name in PARTS else "" for name in names
        ),
    )


def _sizes(plan: Plan) -> tuple[float, ...]:
    state = tuple(getattr(plan.state, field.name) for field in fields(plan.state))
    return (*state, plan.activations)


def _axis(bars: tuple[Bar, ...], needed: float, capacity: float | None) -> float:
    """As far as the chosen bar and the capacity reach; where the latter is far, as all bars do."""
    if capacity is None or capacity > FAR * needed:
        return MARGIN * max(bar.total for bar in bars)
    return MARGIN * max(needed, capacity)
