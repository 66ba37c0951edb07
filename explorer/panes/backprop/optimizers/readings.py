"""The numbers on screen in Optimizers, by name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, digest, path

if TYPE_CHECKING:
    from explorer.panes.backprop.optimizers.mode import OptimizersMode


def readings(mode: OptimizersMode) -> Iterator[Reading]:
    """Yields each optimizer's place and height at the cursor, and the chosen one's memory."""
    recording, shown = mode.recording, mode.view.map.displayed()
    if recording is None or not shown:
        return
    course, step = recording.course, min(math.ceil(mode.place - 1e-9), recording.length - 1)
    race = f"race:{digest(course.key)}"
    yield from below(VIEW, {"race.step": step, "race.steps": course.steps, "chosen": mode.chosen})
    for lane in recording.lanes:
        rate = lane.settings.learning_rate
        of = path(race, f"{lane.name}:{digest(repr(lane.settings))}")
        yield path(of, "learning_rate"), rate
        yield path(of, "learning_rate"), mode.view.racers.rows[lane.name].rate.value
        of = path(of, f"step:{step}")
        for axis in ("x", "y", "height"):
            yield path(of, axis), float(shown[f"{lane.title} {axis}"][step])
        curve = mode.view.loss.displayed().get(lane.title)
        if curve is not None and step < len(curve) and math.isfinite(curve[step, 1]):
            kind = mode.view.loss_title.text().lower().replace(" ", "_")  # height_above_...
            yield path(of, kind), float(curve[step, 1])
        if lane in recording.leaders(step):
            yield path(VIEW, "lowest"), recording.height(lane, step)
        if lane.is_lost(step):
            yield path(VIEW, f"lost:{lane.name}"), lane.lost_at
    for name, at in recording.arrivals.items():
        if at <= step:
            yield path(VIEW, f"arrived:{name}"), at
    for name, values in mode.view.moments.displayed().items():
        if step < len(values) and name != "step":
            yield path(VIEW, "memory", name), float(values[step])
