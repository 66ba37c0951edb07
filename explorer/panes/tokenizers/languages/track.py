"""The player's steps: one for every bar of the chart, and those inside a bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.trace import Trace
from explorer.state.tracks import TraceTrack, Track


@dataclass(frozen=True)
class Bar:
    """A bar of the chart: a language code and a tokenizer's id."""

    code: str = ""
    tokenizer: str = ""


NO_BAR = Bar()


@dataclass(frozen=True)
class BarTrace:
    """A trace with a step for every bar, in the order of the chart; `bars` by index of the step."""

    trace: Trace
    bars: Mapping[int, Bar]

    def bar_of(self, track: Track | None, step: int) -> Bar:
        """Returns the bar of a step, or the bar that the step is inside of; else NO_BAR."""
        if not isinstance(track, TraceTrack) or not 0 <= step < track.length:
            return NO_BAR
        index = track.indices[step] if track.parent is None else track.parent
        return self.bars.get(index, NO_BAR)

    def place_of(self, bar: Bar) -> int | None:
        """Returns the index of a bar among the top-level steps, or None."""
        return next((place for place, one in enumerate(self.bars.values()) if one == bar), None)
