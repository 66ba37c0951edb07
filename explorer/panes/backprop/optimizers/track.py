"""The race as steps of the player, and inside each the lines of one optimizer's rule."""

from __future__ import annotations

from collections.abc import Callable

from core.trace import Step, Trace
from explorer.panes.backprop.optimizers import text
from explorer.panes.backprop.optimizers.racing import Lane, Recording
from explorer.state.tracks import TraceTrack, Track

WHOLE = 14.0  # seconds that a race takes at 1x
QUICKEST, SLOWEST = 0.03, 0.5  # seconds a step


class RaceTrack(Track):
    """`chosen` says whose step is gone into."""

    rest = 0.0

    def __init__(self, recording: Recording, chosen: Callable[[], str]) -> None:
        self.recording = recording
        self._chosen = chosen
        self.transition = min(max(QUICKEST, WHOLE / recording.course.steps), SLOWEST)

    @property
    def length(self) -> int:
        return self.recording.length

    def title(self, index: int) -> str:
        return text.step_title(self.recording, index)

    @property
    def marks(self) -> dict[int, str]:
        return text.marks(self.recording)

    def inside(self, index: int) -> Track | None:
        lane = self.recording.lane(self._chosen())
        if lane is None or index < 1:
            return None
        return UpdateTrack(lane, index, lane.trace(index))

    def item(self, index: int) -> None:
        return None


class UpdateTrack(TraceTrack):
    """One step of one optimizer, line by line; `lines` is where the cursor is in the whole step."""

    def __init__(
        self,
        lane: Lane,
        step: int,
        trace: Trace,
        parent: int | None = None,
        before: float = 0.0,
    ) -> None:
        super().__init__(trace, parent)
        self.lane, self.step, self._before = lane, step, before

    def inside(self, index: int) -> Track | None:
        inner = UpdateTrack(self.lane, self.step, self.trace, self.indices[index], index)
        return inner if inner.length else None

    def lines(self, position: float) -> float:
        """The position among the rule's own lines."""
        return position if self.parent is None else self._before

    def line(self, mark: str) -> int | None:
        """The place among the rule's own lines of the one with that mark."""
        for place, index in enumerate(self.trace.children(None)):
            if self.trace[index].name == f"optimizer.{mark}":
                return place
        return None

    def step_at(self, position: float) -> Step:
        index = min(max(0, round(position + 0.499)), self.length - 1)
        return self.item(index)
