"""The player's steps: the recorded ones of a lane, and those inside a merge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from core.tokenization.lockstep import LaneState
from core.tokenization.steps import MergeStep, PruneStep
from core.tokenization.telling import count
from core.tokenization.training_trace import trace_merge
from explorer.panes.tokenizers.train import pace
from explorer.panes.tokenizers.train.compute import Recording
from explorer.panes.tokenizers.train.text import step_title
from explorer.state.tracks import LiveTrack, TraceTrack, Track


class Place(NamedTuple):
    """The cursor's place between two moments; `share` is the progress from one to the other."""

    before: int
    after: int
    share: float


class LaneTrack(LiveTrack):
    """A lane's track, live at its end, with marks for notable events in any lane. `step_at` returns
    the player's step.
    """

    def __init__(
        self,
        recording: Recording,
        lane: int,
        *,
        step_at: Callable[[], int],
        playing: Callable[[], bool],
        play: Callable[[], None],
        pause: Callable[[], None],
        step: Callable[[], None],
    ) -> None:
        super().__init__([], [], playing=playing, play=play, pause=pause, step=step)
        self.recording, self.lane = recording, lane
        self._step_at = step_at
        self._marks: dict[int, str] = {}
        self._marked = 0
        self._length = 0
        self.renew()

    def renew(self) -> None:
        """Updates the length, which stays fixed otherwise while the engine's thread appends."""
        self.is_live = not self.recording.ended
        self._length = len(self.recording)

    @property
    def transition(self) -> float:  # type: ignore[override]
        return pace.transition(self._step_at(), self.recording.expected)

    @property
    def rest(self) -> float:  # type: ignore[override]
        return pace.seconds(self._step_at(), self.recording.expected) - self.transition

    @property
    def length(self) -> int:
        return self._length

    def place(self, position: float) -> Place:
        last = max(0, self.length - 1)
        position = min(max(0.0, position), last)
        low = int(position)
        share = position - low
        return Place(low, low + 1, share) if share > 1e-6 else Place(max(0, low - 1), low, 1.0)

    def title(self, index: int) -> str:
        recording = self.recording
        name = f"{recording.names[self.lane]}: " if len(recording.names) > 1 else ""
        return f"{name}{step_title(recording.state(self.lane, index))}"

    def inside(self, index: int) -> Track | None:
        """Returns the steps inside a merge; None if this lane has not merged at that moment."""
        state = self.recording.state(self.lane, index)
        last = self.recording.state(self.lane, index - 1).number if index else 0
        if not isinstance(state.step, MergeStep) or state.number == last:
            return None
        return MergeTrack(state.step, self.lane, index)

    def item(self, index: int) -> Any:
        return self.recording.moments[index] if index < self.length else None

    @property
    def marks(self) -> dict[int, str]:
        """The moments at which a lane finished or Unigram dropped pieces, with words."""
        recording = self.recording
        for index in range(max(1, self._marked), self.length):
            now, before = recording.moments[index], recording.moments[index - 1]
            told = [
                f"{recording.names[lane]} {said}"
                for lane, (state, last) in enumerate(zip(now.lanes, before.lanes, strict=True))
                if (said := _mark(state, last))
            ]
            if told:
                self._marks[index] = "; ".join(told)
        self._marked = self.length
        return self._marks


class MergeTrack(TraceTrack):
    """The steps inside one merge of a lane, at a moment of the training."""

    def __init__(self, step: MergeStep, lane: int, moment: int) -> None:
        super().__init__(trace_merge(step))
        self.lane, self.moment = lane, moment

    def place(self, position: float) -> Place:
        """Returns the cursor's place: the pair is joined on the way from step 0 to step 1."""
        return Place(max(0, self.moment - 1), self.moment, min(1.0, position))


def _mark(state: LaneState, last: LaneState) -> str:
    """Describes a notable event of a lane at a moment; "" for other steps."""
    if state.done and not last.done:
        return "stopped with an error" if state.error else "is finished"
    if isinstance(state.step, PruneStep) and state.number != last.number:
        return f"drops {count(len(state.step.removed), 'piece')}"
    return ""
