"""The numbers on screen in Tune, by name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.fields import to_json
from explorer.panes.readings import VIEW, Reading, below, digest, path, run_of

if TYPE_CHECKING:
    from explorer.panes.finetuning.tune.mode import TuneMode
    from explorer.panes.finetuning.tune.scene import Curves


def readings(mode: TuneMode) -> Iterator[Reading]:
    """Yields the estimates of all methods, and the curves of the runs."""
    planned = mode.planned
    for method in planned.methods:
        if (found := method.estimate) is None:
            continue
        config = planned.configs.get(method.name)
        of = f"method:{method.name}" if config is None else f"estimate:{digest(to_json(config))}"
        numbers = {"parameters.learned": found.trainable, "seconds": found.seconds}
        numbers |= {"bytes.peak": found.bytes_peak, "parameters.share": found.share}
        yield from below(of if config is not None else path(VIEW, of), numbers)
    yield from below(path(VIEW, "error"), dict(planned.errors))
    yield path(VIEW, "methods"), len(planned.estimates)
    yield from below(VIEW, {"seconds": planned.seconds, "bytes.peak": planned.bytes_peak})
    for folder, one in mode.curves().items():
        yield from _curves(Path(folder), one)


def _curves(folder: Path, one: Curves) -> Iterator[Reading]:
    """Yields the measurements of a run at each step, and how much it had forgotten."""
    for name, (steps, values) in (("loss.validation", one.new), ("loss.base", one.old),
                                  ("right", one.exact)):  # fmt: skip
        for step, value in zip(steps.tolist(), values.tolist(), strict=True):
            yield path(run_of(folder, int(step)), name), value
    for step in one.new[0].tolist():
        forgotten = one.until(step).forgotten
        yield path(VIEW, f"run:{folder.name}/step:{int(step)}", "step"), int(step)
        if not math.isnan(forgotten):
            yield path(run_of(folder, int(step)), "forgotten"), forgotten
