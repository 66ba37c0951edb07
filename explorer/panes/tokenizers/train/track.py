"""What the player moves over: the recorded steps of a lane, and the steps inside one merge."""

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
    """Where the cursor is: between two moments, and how far on the way from one to the other."""

    before: int
    after: int
    share: float


class LaneTrack(LiveTrack):
    """One lane, live at its end; it marks what stands out in any lane. `step_at`: where the player
    is.
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
        """Takes in what has come: the engine's thread goes on while the player looks."""
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
        """A merge step by step; None where this lane has merged nothing at that moment."""
        state = self.recording.state(self.lane, index)
        last = self.recording.state(self.lane, index - 1).number if index else 0
        if not isinstance(state.step, MergeStep) or state.number == last:
            return None
        return MergeTrack(state.step, self.lane, index)

    def item(self, index: int) -> Any:
        return self.recording.moments[index] if index < self.length else None

    @property
    def marks(self) -> dict[int, str]:
        """The moments at which a lane was done, and those at which Unigram dropped pieces."""
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
        """First the pair is chosen, then it is joined."""
        return Place(max(0, self.moment - 1), self.moment, min(1.0, position))


def _mark(state: LaneState, last: LaneState) -> str:
    """What a lane did at a moment that a person looks for; "" for any other step."""
    if state.done and not last.done:
        return "stopped with an error" if state.error else "is finished"
    if isinstance(state.step, PruneStep) and state.number != last.number:
        return f"drops {count(len(state.step.removed), 'piece')}"
    return ""
