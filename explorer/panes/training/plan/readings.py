"""The numbers on screen in Plan, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, config_of, digest, path

if TYPE_CHECKING:
    from explorer.panes.training.plan.mode import PlanMode


def readings(mode: PlanMode) -> Iterator[Reading]:
    """Yields the estimates of the plan, and the bytes of each bar."""
    if mode.errors:
        return
    setup, plan = mode.planned.setup, mode.planned.plan
    of = f"plan:{digest(repr(setup))}"
    yield path(config_of(setup.model), "parameters"), plan.parameters.total
    total = {"bytes.total": plan.bytes, "seconds": plan.seconds, "cost": plan.cost}
    yield from below(of, {**total, "seconds.step": plan.step, "steps": plan.steps})
    yield from below(VIEW, {"devices": setup.devices, "price": setup.price})
    shown = mode.view.bars.displayed()
    for at, stage in enumerate(shown["stage"].tolist()):
        sizes = {name: float(values[at]) for name, values in shown.items() if name != "stage"}
        yield from below(path(of, f"stage:{stage}"), sizes)
        chosen = mode.view.bars.scene
        if chosen is not None and at == chosen.chosen:
            yield path(of, "bytes.total"), sum(sizes.values())
