"""The tracks of a training, one a lane: its recorded steps, then the live edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.panes.tokenizers.train import pace
from explorer.panes.tokenizers.train.recording import Recording
from explorer.panes.tokenizers.train.words import step_title
from explorer.tracks import LiveTrack


class LaneTrack(LiveTrack):
    """One lane. All lanes have the same moments, so that one cursor stands on the same in each."""

    def __init__(
        self,
        recording: Recording,
        lane: int,
        *,
        place: Callable[[], int],
        playing: Callable[[], bool],
        play: Callable[[], None],
        pause: Callable[[], None],
        step: Callable[[], None],
    ) -> None:
        super().__init__([], [], playing=playing, play=play, pause=pause, step=step)
        self.recording, self.lane = recording, lane
        self._place = place
        self._marks: dict[int, str] = {}
        self._seen = 0
        self._length = 0
        self.renew()

    def renew(self) -> None:
        """Takes in what has come: the engine's thread goes on while the player looks."""
        self.is_live = not (self.recording.over or self.recording.failed)
        self._length = len(self.recording.moments)

    @property
    def transition(self) -> float:  # type: ignore[override]
        return pace.transition(self._place(), self.recording.expected)

    @property
    def rest(self) -> float:  # type: ignore[override]
        whole = pace.seconds(self._place(), self.recording.expected)
        return whole - pace.transition(self._place(), self.recording.expected)

    @property
    def length(self) -> int:
        return self._length

    def title(self, index: int) -> str:
        recording = self.recording
        name = f"{recording.names[self.lane]}: " if len(recording.names) > 1 else ""
        return f"{name}{step_title(recording.state(self.lane, index))}"

    def item(self, index: int) -> Any:
        return self.recording.moments[index] if index < self.length else None

    @property
    def marks(self) -> dict[int, str]:
        """Where a lane was done, and where Unigram dropped pieces."""
        recording = self.recording
        length = self.length
        for index in range(max(1, self._seen), length):
            now, before = recording.moments[index], recording.moments[index - 1]
            for lane, (state, last) in enumerate(zip(now.lanes, before.lanes, strict=True)):
                if state.done and not last.done:
                    ended = "gave up" if state.error else "is done"
                    self._marks[index] = f"{recording.names[lane]} {ended}"
        self._seen = length
        return self._marks
