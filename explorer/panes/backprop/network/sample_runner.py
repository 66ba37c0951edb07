"""Requests one point's path through the network and keeps the newest answer."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.backprop.network.compute import Training
from explorer.panes.backprop.network.draft import Data
from explorer.panes.backprop.network.sample import Sample
from explorer.panes.backprop.network.sample_scene import SampleScene, SampleScenes


def number_of(data: Data, one: Sample) -> int:
    """Returns the current index of a followed point, or -1 if it was removed."""
    if data.classes != one.classes:
        return -1
    same = (data.points == one.point).all(1) & (data.targets == one.target)
    return min(
        np.flatnonzero(same).tolist(), key=lambda number: abs(number - one.number), default=-1
    )


class SampleRunner(QObject):
    """`came(same)` reports a new path; `same` if the cursor may keep its position on it."""

    came = Signal(bool)
    failed = Signal(str)

    def __init__(self, engine: Engine, owner: QObject) -> None:
        super().__init__(owner)
        self.sample: Sample | None = None  # the followed point
        self._scenes: SampleScenes | None = None
        self._stays = False
        self._latest = Latest(engine, owner)
        self._latest.came.connect(self._on_came)
        self._latest.failed.connect(self.failed)

    def follow(self, training: Training, number: int) -> None:
        """Requests the path of point `number`."""
        x, y = (float(value) for value in training.data.points[number])
        self._ask(training, number, x, y, float(training.data.targets[number]), stays=False)

    def refresh(self, training: Training) -> bool:
        """Requests the same point's path through the current network; False if it was removed."""
        one = self.sample
        number = -1 if one is None else number_of(training.data, one)
        if one is None or number < 0:
            return False
        self._ask(training, number, *one.point, one.target, stays=True)
        return True

    def stop(self) -> None:
        """Stops following the point."""
        self._latest.stop()
        self.sample = self._scenes = None

    def scene_at(self, position: float) -> SampleScene | None:
        return self._scenes.at(position) if self._scenes is not None else None

    def _ask(
        self, training: Training, number: int, x: float, y: float, target: float, *, stays: bool
    ) -> None:
        self._stays = stays
        self._latest.call(training.sample, number, x, y, target, name="following a point")

    def _on_came(self, sample: Sample) -> None:
        same = self.sample is not None and len(self.sample) == len(sample)
        self.sample, self._scenes = sample, SampleScenes(sample)
        self.came.emit(self._stays and same)
