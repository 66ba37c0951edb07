"""Where the cursor of a training stands: at a moment of all lanes, or inside a merge of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.tokenizers.train.track import MergeTrack

if TYPE_CHECKING:
    from explorer.panes.tokenizers.train.mode import TrainMode


class MomentCursor:
    """Of one mode."""

    def __init__(self, mode: TrainMode) -> None:
        self._mode = mode

    @property
    def inside(self) -> MergeTrack | None:
        """The merge that the cursor stands in; None at the moments themselves."""
        track = self._mode.player.track if self._mode.active else None
        return track if isinstance(track, MergeTrack) else None

    def place(self) -> tuple[int, int, float]:
        """The settled moment before the cursor, the one after it, and the share of the way."""
        mode = self._mode
        if (inside := self.inside) is not None:  # the pair is chosen, then joined
            return max(0, inside.moment - 1), inside.moment, min(1.0, mode.player.position)
        known = mode.trainer.recording is not None and mode.tracks
        last = max(0, mode.tracks[0].length - 1) if known else 0
        position = min(max(0.0, mode.player.position if mode.active else last), last)
        low = int(position)
        share = position - low
        return (low, low + 1, share) if share > 1e-6 else (max(0, low - 1), low, 1.0)

    def go_to(self, step: float) -> None:
        """The moment that a person points at."""
        self.go_out()
        self._mode.player.seek(round(step))

    def go_inside(self, lane: int) -> None:
        """Into what this lane merges at this moment."""
        self.go_out()
        self._mode.set_focus_lane(lane)
        self._mode.player.enter()

    def go_out(self) -> None:
        while self._mode.player.leave():
            pass
