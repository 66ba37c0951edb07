"""The player's tracks: keyframes of training, an optimizer step, or one point's path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.trace import Trace
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.optimizer_step import update_trace
from explorer.panes.backprop.network.sample import Sample
from explorer.panes.backprop.network.text import keyframe_title, sample_title
from explorer.state.tracks import LiveTrack, TraceTrack, Track


class TrainingTrack(LiveTrack):
    """The keyframes of training; at their end Play continues training."""

    transition = 0.0
    rest = 0.08
    unit = "keyframe"  # after many steps some are dropped

    def __init__(
        self,
        keyframes: Sequence[Keyframe],
        *,
        playing: Callable[[], bool],
        play: Callable[[], None],
        pause: Callable[[], None],
        step: Callable[[], None],
        layer: Callable[[Keyframe], int | None] = lambda keyframe: None,
    ) -> None:
        """`layer` returns the selected layer, or None for that of the largest gradient."""
        super().__init__([], [], playing=playing, play=play, pause=pause, step=step)
        self.keyframes = keyframes
        self._layer = layer

    @property
    def length(self) -> int:
        return len(self.keyframes)

    @property
    def is_live(self) -> bool:
        """True until training diverges; then the keyframes play like any recording."""
        return not (self.keyframes and self.keyframes[-1].diverged)

    @property
    def ended(self) -> str:
        return "" if self.is_live else "diverged"

    def title(self, index: int) -> str:
        return keyframe_title(self.keyframes[index]) if index < len(self.keyframes) else ""

    def item(self, index: int) -> Any:
        return self.keyframes[index] if index < len(self.keyframes) else None

    def inside(self, index: int) -> Track | None:
        """Returns the step that led to the keyframe: its loss, then the optimizer's lines."""
        keyframe = self.keyframes[index] if 0 <= index < len(self.keyframes) else None
        if keyframe is None:
            return None
        trace = update_trace(keyframe, self._layer(keyframe))
        return None if trace is None else StepTrack(trace, keyframe)

    def outside(self, inner: Track, index: int) -> int:
        """Returns the index to return to, as keyframes may have been dropped meanwhile."""
        if not isinstance(inner, StepTrack):
            return index
        places = (at for at, one in enumerate(self.keyframes) if one.step >= inner.step)
        return next(places, max(0, len(self.keyframes) - 1))


class StepTrack(TraceTrack):
    """The lines inside one optimizer step."""

    def __init__(self, trace: Trace, keyframe: Keyframe, parent: int | None = None) -> None:
        super().__init__(trace, parent)
        self.keyframe = keyframe

    def inside(self, index: int) -> Track | None:
        inner = StepTrack(self.trace, self.keyframe, self.indices[index])
        return inner if inner.length else None

    @property
    def step(self) -> int:
        return self.keyframe.step

    @property
    def layer(self) -> int:
        """The layer whose weights are shown."""
        return int(self.trace.about["layer"])

    def show_layer(self, layer: int) -> None:
        """Shows the same step for another layer's weights."""
        if layer != self.layer and (trace := update_trace(self.keyframe, layer)) is not None:
            self.trace, self._seen = trace, -1


class SampleTrack(Track):
    """One point's path forward and back; index 0 is before its first step."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample

    @property
    def length(self) -> int:
        return len(self.sample)

    def title(self, index: int) -> str:
        return sample_title(self.sample, index)

    @property
    def marks(self) -> dict[int, str]:
        return {self.sample.seed: "the backward pass begins"}

    def item(self, index: int) -> Any:
        return self.sample.step_at(index) if index else None
