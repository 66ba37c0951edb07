"""What the player moves over: the recorded moments of learning, or the steps of one sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.trace import Trace
from explorer.panes.backprop.network.moment import Moment
from explorer.panes.backprop.network.sample import Sample
from explorer.panes.backprop.network.updates import update_trace
from explorer.panes.backprop.network.words import moment_title, sample_title
from explorer.tracks import LiveTrack, TraceTrack, Track


class LearnTrack(LiveTrack):
    """The moments; at the right-hand edge the transport makes it learn on."""

    transition = 0.0
    rest = 0.08

    def __init__(
        self,
        moments: Sequence[Moment],
        *,
        playing: Callable[[], bool],
        play: Callable[[], None],
        pause: Callable[[], None],
        step: Callable[[], None],
    ) -> None:
        super().__init__([], [], playing=playing, play=play, pause=pause, step=step)
        self.moments = moments

    @property
    def length(self) -> int:
        return len(self.moments)

    def title(self, index: int) -> str:
        return moment_title(self.moments[index]) if index < len(self.moments) else ""

    def item(self, index: int) -> Any:
        return self.moments[index] if index < len(self.moments) else None

    def inside(self, index: int) -> Track | None:
        """The optimizer step that led there: its loss, then the optimizer's lines."""
        moment = self.moments[index] if 0 <= index < len(self.moments) else None
        trace = update_trace(moment) if moment is not None else None
        return StepTrack(trace, moment.step) if trace is not None and moment is not None else None

    def outside(self, inner: Track, index: int) -> int:
        """Moments may have been forgotten meanwhile."""
        if not isinstance(inner, StepTrack):
            return index
        places = (at for at, one in enumerate(self.moments) if one.step >= inner.step)
        return next(places, max(0, len(self.moments) - 1))


class StepTrack(TraceTrack):
    """One optimizer step from within."""

    def __init__(self, trace: Trace, step: int) -> None:
        super().__init__(trace)
        self.step = step


class SampleTrack(Track):
    """One point's way forward and back; moment 0 is before its first step."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample

    @property
    def length(self) -> int:
        return len(self.sample)

    def title(self, index: int) -> str:
        return sample_title(self.sample, index)

    @property
    def marks(self) -> dict[int, str]:
        return {self.sample.seed: "backward begins"}

    def item(self, index: int) -> Any:
        return self.sample.step_at(index) if index else None
