"""What the transport plays of a run: the recorded moments, then the live edge."""

from __future__ import annotations

from collections.abc import Callable

from explorer.panes.training.phases import PhaseTrack
from explorer.panes.training.run.moments import Moment, nearest
from explorer.panes.training.run.text import checkpoint_text
from explorer.runs.run_data import RunNumbers, was_skipped
from explorer.state.tracks import LiveTrack, Track


class MomentTrack(LiveTrack):
    """A run as a track. A finished run has no live edge: its play replays."""

    unit = "moment"
    transition = 0.22
    rest = 0.03
    is_job = True

    def __init__(
        self,
        *,
        playing: Callable[[], bool],
        play: Callable[[], None],
        pause: Callable[[], None],
        step: Callable[[], None],
    ) -> None:
        super().__init__([], [], playing=playing, play=play, pause=pause, step=step)
        self.is_live = True
        self.moments: list[Moment] = []
        self.numbers: RunNumbers | None = None
        self._marks: dict[int, str] = {}

    @property
    def marks(self) -> dict[int, str]:
        """The checkpoints: only there can a run be taken up again."""
        return self._marks

    def set_moments(self, moments: list[Moment], live: bool, numbers: RunNumbers) -> None:
        self.moments, self.numbers, self.is_live = moments, numbers, live
        kept = [at for at, one in enumerate(moments) if one.checkpoint is not None]
        self._marks = {at: checkpoint_text(moments[at].step) for at in kept}

    @property
    def length(self) -> int:
        return len(self.moments)

    def title(self, index: int) -> str:
        moment = self.moments[index]
        row = self.numbers.row(moment.step) if self.numbers is not None else None
        told = ""
        if row is not None:
            told = ", skipped" if was_skipped(row) else f", loss {row['loss']:.3f}"
        return f"step {moment.step:,}{told}{', checkpoint' if moment.checkpoint else ''}"

    def item(self, index: int) -> Moment | None:
        return self.moments[index] if index < len(self.moments) else None

    def inside(self, index: int) -> Track | None:
        """The phases of the optimizer step that led to this moment."""
        if self.numbers is None or self.numbers.log or not 0 <= index < len(self.moments):
            return None
        step = self.moments[index].step
        return PhaseTrack(self.numbers, step) if self.numbers.row(step) is not None else None

    def outside(self, inner: Track, index: int) -> int:
        """Moments are thinned, and new ones come, while somebody is inside a step."""
        return nearest(self.moments, inner.step) if isinstance(inner, PhaseTrack) else index
