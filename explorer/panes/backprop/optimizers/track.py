"""The player's tracks: the race step by step, and inside a step the lines of its rule."""

from __future__ import annotations

from collections.abc import Callable

from core.trace import Step, Trace
from explorer.panes.backprop.optimizers import text
from explorer.panes.backprop.optimizers.compute import Lane, Recording
from explorer.state.tracks import TraceTrack, Track

WHOLE = 14.0  # seconds for a whole race at 1x
QUICKEST, SLOWEST = 0.03, 0.5  # seconds per step
MARKS = {  # of the rule's lines that compute each kind of quantity: the first that it has
    "first": ("velocity", "average"),
    "second": ("total", "square_hat", "square"),
    "step": ("move",),
}


class RaceTrack(Track):
    """The steps of a race; `chosen` returns the optimizer whose steps can be entered."""

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
    """The lines of one optimizer's step; `before` is the outer line when inside another one."""

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

    def step_at(self, position: float) -> Step:
        """Returns the line at a position of the cursor."""
        index = min(max(0, round(position + 0.499)), self.length - 1)
        return self.item(index)

    def line(self, *marks: str) -> int | None:
        """Returns the index of the rule's line with the first of these marks found, or None."""
        names = [self.trace[index].name for index in self.trace.children(None)]
        found = [f"optimizer.{mark}" for mark in marks if f"optimizer.{mark}" in names]
        return names.index(found[0]) if found else None

    def places(self, position: float) -> dict[str, float]:
        """Returns the race position of each kind of quantity, which advances with the line that
        computes it. The gradient is that of the step from the first line on.
        """
        at = position if self.parent is None else self._before
        found = {"gradient": float(self.step)}
        for kind, marks in MARKS.items():
            line = self.line(*marks)
            done = 0.0 if line is None else min(max(0.0, at - line + 1), 1.0)
            found[kind] = self.step - 1 + done
        return found
