"""The heads on the probe's text as they form: snapshots of a run, blended between two moments."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from explorer.engine import tasks
from explorer.engine.engine import Engine
from explorer.panes.training.run.moments import Moment, around
from explorer.runs.run_data import RunData
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.pooling import pool_heads

MOST = 600  # pooled snapshots kept
MOST_BYTES = 1 << 28  # of one snapshot, before it is pooled
AHEAD = 4  # snapshots read before they are needed


class HeadFilm(QObject):
    """Shows the snapshot at a position of the moments. Files are read in the I/O pool, once.

    `step` is that of the snapshot on the screen; None while the first one is being read.
    """

    shown = Signal(int)  # another step's snapshot is on the screen

    def __init__(self, engine: Engine, mosaic: HeadMosaic, owner: QObject) -> None:
        super().__init__(owner)
        self._engine = engine
        self._owner = owner
        self._mosaic = mosaic
        self._kept: dict[Path, np.ndarray] = {}
        self._missing: set[Path] = set()
        self._reading: dict[Path, asyncio.Task[None]] = {}
        self._wanted: tuple[list[Moment], float] | None = None
        self.step: int | None = None
        mosaic.cellPixelsChanged.connect(self._on_cell_pixels)

    def clear(self) -> None:
        """Another run, or the same one from an earlier step on."""
        self._forget()
        self._missing.clear()
        self._wanted = None
        self.step = None

    def _forget(self) -> None:
        for task in self._reading.values():
            task.cancel()
        self._kept.clear()
        self._reading.clear()

    def show(self, moments: list[Moment], position: float) -> bool:
        """Draws what is there; reads what is not and draws again. False: no snapshot at all."""
        before, after, share = around(moments, position)
        if before is None or before.probe is None:
            self._wanted = self.step = None
            return False
        self._wanted = (moments, position)
        first = self._kept.get(before.probe)
        second = self._kept.get(after.probe) if after is not None and after.probe else None
        if first is None:
            self._read([before.probe])
        else:
            maps = first
            if second is not None and second.shape == first.shape:
                mixed = first * np.float32(1 - share) + second * np.float32(share)
                maps = mixed.astype(np.uint8)
            self._mosaic.set_pooled(maps)
            if before.step != self.step:
                self.step = before.step
                self.shown.emit(before.step)
        ahead = [one.probe for one in moments[int(position) + 1 :][:AHEAD] if one.probe]
        self._read(ahead)
        return True

    def _read(self, paths: list[Path]) -> None:
        known = self._kept.keys() | self._missing
        known |= {path for path, task in self._reading.items() if not task.done()}
        new = [path for path in paths if path not in known]
        if new and tasks.in_loop():  # Qt sends events also while the loop stands still
            task = tasks.spawn(self._fetch(new, self._mosaic.cell_pixels), self._owner)
            self._reading |= dict.fromkeys(new, task)

    async def _fetch(self, paths: list[Path], pixels: int) -> None:
        found = await self._engine.io(_load, paths, pixels)
        for path in paths:
            self._reading.pop(path, None)
        for path, maps in zip(paths, found, strict=True):
            if maps is None:
                self._missing.add(path)
            else:
                self._kept[path] = maps
        while len(self._kept) > MOST:
            self._kept.pop(next(iter(self._kept)))
        if self._wanted is not None and any(maps is not None for maps in found):
            self.show(*self._wanted)

    def _on_cell_pixels(self, _: int) -> None:
        wanted = self._wanted
        self._forget()
        if wanted is not None:
            self.show(*wanted)


def first_look(data: RunData) -> str:
    """For a place of a run that has no picture of the heads before it: where the first one is."""
    if data.probes:
        return f"The heads are recorded from step {min(data.probes):,}."
    if not data.step:
        return "The heads are first recorded before the first step."
    every = data.config.probe_every
    due = min((data.step // every + 1) * every, data.config.steps) if every else data.config.steps
    return f"The heads are first recorded at step {due:,}."


def _load(paths: list[Path], pixels: int) -> list[np.ndarray | None]:
    """Pooled heads of each snapshot; None where it was thinned away or cannot be read."""
    from core.tensor_files import read_tensors

    found: list[np.ndarray | None] = []
    for path in paths:
        try:
            attention = read_tensors(path, ["attention"], max_bytes=MOST_BYTES)["attention"]
            if attention.dtype != np.uint8:
                attention = np.rint(attention * 255).astype(np.uint8)
            found.append(pool_heads(attention, pixels))
        except (OSError, ValueError):
            found.append(None)
    return found
