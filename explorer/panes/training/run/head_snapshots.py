"""The heads of a run as they form on the probe text: snapshots, blended between two moments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.training.run import compute
from explorer.panes.training.run.track import Moment
from explorer.runs.recorded_source import RecordedSource
from explorer.runs.run_data import RunData
from explorer.runs.sources import FolderSource
from explorer.widgets.head_mosaic import HeadMosaic

MOST = 600  # cached pooled snapshots
AHEAD = 4  # snapshots that are read ahead


class HeadSnapshots(QObject):
    """Shows the snapshot at a position among the moments. Reads each file once, in the I/O pool.

    `step` is the step of the visible snapshot; None while the first one is being read.
    """

    shown = Signal(int)  # the snapshot of another step is visible

    def __init__(self, engine: Engine, mosaic: HeadMosaic, owner: QObject) -> None:
        super().__init__(owner)
        self._engine, self._mosaic = engine, mosaic
        self._kept: dict[Path, np.ndarray | None] = {}  # None: unreadable
        self._wanted: tuple[list[Moment], float] | None = None
        self.step: int | None = None
        self._asked: list[Path] = []
        self._reading = Latest(engine, owner)
        self._reading.came.connect(self._on_read)
        mosaic.cellPixelsChanged.connect(self._on_cell_pixels)

    def clear(self) -> None:
        """Forgets all snapshots, for another run or when this run restarts from an earlier step."""
        self._forget()
        self._wanted = self.step = None

    def _forget(self) -> None:
        self._reading.stop()
        self._kept.clear()

    def show(self, moments: list[Moment], position: float) -> bool:
        """Draws the cached snapshots, reads the others, then redraws. False if there are none."""
        before, after, share = around(moments, position)
        if before is None or before.probe is None:
            self._wanted = self.step = None
            return False
        self._wanted = (moments, position)
        first = self._kept.get(before.probe)
        second = self._kept.get(after.probe) if after is not None and after.probe else None
        if first is not None:
            maps = first
            if second is not None and second.shape == first.shape:
                mixed = first * np.float32(1 - share) + second * np.float32(share)
                maps = mixed.astype(np.uint8)
            self._mosaic.set_pooled(maps)
            if before.step != self.step:
                self.step = before.step
                self.shown.emit(before.step)
        ahead = [one.probe for one in moments[int(position) + 1 :][:AHEAD] if one.probe]
        self._read([before.probe, *ahead])
        return True

    def _read(self, paths: Sequence[Path]) -> None:
        """Reads uncached snapshots, unless a read is running: `show` is repeated after it."""
        new, pixels = [path for path in paths if path not in self._kept], self._mosaic.cell_pixels
        if new and not self._reading.running:
            self._asked, io = new, self._engine.io
            self._reading.ask(lambda: io(compute.read_heads, new, pixels), "heads", is_told=False)

    def _on_read(self, found: Sequence[np.ndarray | None]) -> None:
        self._kept |= zip(self._asked, found, strict=True)
        while len(self._kept) > MOST:
            self._kept.pop(next(iter(self._kept)))
        if self._wanted is not None:
            self.show(*self._wanted)

    def _on_cell_pixels(self, _: int) -> None:
        self._forget()
        if self._wanted is not None:
            self.show(*self._wanted)


def source_at(engine: Engine, data: RunData, step: float) -> tuple[Any, str]:
    """Returns the heads recorded nearest to a step, or those of a checkpoint that is as near; and
    their step in words. The run must have a checkpoint.
    """
    kept = data.nearest_checkpoint(step)
    assert kept is not None
    folder = data.checkpoints[kept]
    recorded = min(data.probes, key=lambda one: abs(one - step), default=None)
    if recorded is None or abs(kept - step) <= abs(recorded - step):
        source = FolderSource(engine, folder)
        source.name = f"step {kept:,}"
        near = "" if kept == round(step) else f", the checkpoint nearest to step {round(step):,}"
        return source, f"step {kept:,}{near}"
    told = f"step {recorded:,}, as recorded; what it computes is shown at checkpoint {kept:,}"
    return RecordedSource(engine, data.probes[recorded], recorded, folder, kept), told


def around(
    moments: Sequence[Moment], position: float
) -> tuple[Moment | None, Moment | None, float]:
    """Returns the snapshots' moments before and after a position, and its share between them."""
    low = int(position)
    before, share = _newest(moments, low), position - low
    if share <= 1e-6 or low + 1 >= len(moments):
        return before, None, 0.0
    after = _newest(moments, low + 1)
    return (before, after, share) if after is not before else (before, None, 0.0)


def _newest(moments: Sequence[Moment], index: int) -> Moment | None:
    """Returns the last moment with a snapshot at or before `index`, or None."""
    return next((one for one in reversed(moments[: index + 1]) if one.probe is not None), None)
