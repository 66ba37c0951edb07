"""What the player moves over: a step for every bar of the chart, and the steps inside a bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.trace import Trace
from explorer.state.tracks import TraceTrack, Track


@dataclass(frozen=True)
class Bar:
    """One bar of the chart: a language's code, and a tokenizer's id."""

    code: str = ""
    tokenizer: str = ""


NO_BAR = Bar()


@dataclass(frozen=True)
class BarTrace:
    """A trace with a step for every bar, in the order of the chart; `bars` by their step."""

    trace: Trace
    bars: Mapping[int, Bar]

    def bar_of(self, track: Track | None, step: int) -> Bar:
        """The bar that a step of a track stands for, or is inside."""
        if not isinstance(track, TraceTrack) or not 0 <= step < track.length:
            return NO_BAR
        index = track.indices[step] if track.parent is None else track.parent
        return self.bars.get(index, NO_BAR)

    def place_of(self, bar: Bar) -> int | None:
        """Which of the outermost steps a bar is; None where it has none."""
        return next((place for place, one in enumerate(self.bars.values()) if one == bar), None)
