"""The numbers on screen in Precision, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, path, run_of
from explorer.panes.training.precision.text import layer_name

if TYPE_CHECKING:
    from explorer.panes.training.precision.mode import PrecisionMode


def readings(mode: PrecisionMode) -> Iterator[Reading]:
    """Yields the shares of the counted numbers that each format loses."""
    if (scene := mode.view.histogram.scene) is None:
        return
    counted = scene.counted
    of = f"example:{counted.kind}" if mode.folder is None else run_of(mode.folder, counted.step)
    of = path(of, f"numbers:{counted.kind}", counted.layer)
    shown = {"numbers.step": counted.step, "format": scene.format, "shift": scene.shift}
    yield from below(VIEW, {**shown, "layer": layer_name(counted.layer)})
    yield path(of, "count"), counted.histogram.total
    shift = f"shift:{scene.shift}" if scene.shift else ""
    for name, lost in scene.lost.items():
        yield from below(path(of, shift, f"lost:{name}"), lost._asdict())
    for name, points in mode.view.losses.displayed().items():
        if mode.data is not None and name == mode.data.config.precision and len(points):
            last = run_of(mode.data.folder, int(points[-1, 0]))
            yield path(last, "loss.training"), float(points[-1, 1])
