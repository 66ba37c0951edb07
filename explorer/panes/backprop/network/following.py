"""Following one point: its Trace is made on the engine, and takes over player and drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.engine.latest import Latest
from explorer.panes.backprop.network.experiment import Data
from explorer.panes.backprop.network.faces import SampleFaces
from explorer.panes.backprop.network.sample import Sample
from explorer.panes.backprop.network.track import SampleTrack

if TYPE_CHECKING:
    from explorer.panes.backprop.network.mode import NetworkMode


def place_of(data: Data, one: Sample) -> int:
    """The number of a followed point among the points that there are now; -1 where it is gone."""
    if data.classes != one.classes:
        return -1
    same = (data.points == one.point).all(1) & (data.targets == one.target)
    places = np.flatnonzero(same).tolist()
    return min(places, key=lambda place: abs(place - one.number), default=-1)


class Following:
    """`sample` is the point that is followed; None: none is."""

    def __init__(self, mode: NetworkMode) -> None:
        self.mode = mode
        self.sample: Sample | None = None
        self._faces: SampleFaces | None = None
        self._asking = Latest(mode.engine, mode)
        self._asking.came.connect(self._take)
        self._asking.failed.connect(self._on_failed)
        self._keep = False  # the place on its way stays
        self._at = 0.0  # where a session was left

    def follow(self, number: int, at: float = 0.0) -> None:
        """The point of that number, from a place of its way on; learning pauses."""
        lab = self.mode.runner.lab
        if lab is None or not 0 <= number < len(lab.data.points):
            return
        self.mode.runner.pause()
        x, y = (float(value) for value in lab.data.points[number])
        self._at = at
        self._ask(number, x, y, float(lab.data.targets[number]), keep=False)

    def next_point(self, way: int) -> None:
        """The point after the one that is followed, or before it."""
        lab = self.mode.runner.lab
        if lab is None or not len(lab.data.points):
            return
        number = self.sample.number + way if self.sample is not None else 0
        self.follow(number % len(lab.data.points))

    def refresh(self) -> None:
        """The network, or how it learns, is another by now: the same point's way through that;
        back to learning where the point is gone.
        """
        one, lab = self.sample, self.mode.runner.lab
        number = -1 if one is None or lab is None else place_of(lab.data, one)
        if one is None or number < 0:
            self.leave()
            return
        self._ask(number, *one.point, one.target, keep=True)

    def leave(self) -> bool:
        """Back to learning; False where no point was followed."""
        if self.sample is None:
            return False
        self._asking.stop()
        self.sample = self._faces = None
        self.mode.view.network.set_face(None)
        self.mode.inputs.set_sample(False)
        self.mode.bind()
        self.mode.show_moment()
        self.mode.inspect()
        return True

    def show(self, position: float) -> None:
        if self._faces is not None:
            self.mode.view.network.set_face(self._faces.at(position))

    def _ask(self, number: int, x: float, y: float, target: float, *, keep: bool) -> None:
        lab, self._keep = self.mode.runner.lab, keep
        if lab is not None:
            self._asking.call(lab.sample, number, x, y, target, name="following a point")

    def _on_failed(self, message: str) -> None:
        self.mode.statusRequested.emit(message)
        self.leave()

    def _take(self, sample: Sample) -> None:
        mode = self.mode
        same = self.sample is not None and len(self.sample) == len(sample)
        self.sample, self._faces = sample, SampleFaces(sample)
        lab = mode.runner.lab
        if lab is not None and lab.moments:
            mode.shown_moment = lab.moments[-1]
            mode.view.network.set_moment(lab.moments[-1])
            mode.frames.soon()
        mode.inputs.set_sample(True)
        mode.set_tracks([SampleTrack(sample)], keep_position=self._keep and same)
        at, self._at = self._at, 0.0
        if at and mode.active:
            mode.player.seek(min(at, len(sample) - 1))
        self.show(mode.player.position if mode.active else 0.0)
        mode.view.place_buttons()
        mode.on_step(0)
        mode.inspect()
