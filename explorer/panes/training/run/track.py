"""The tracks of the transport: the recorded moments of a run and its live edge; inside an optimizer
step, its phases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.training.phases import TITLES
from explorer.runs.run_data import RunNumbers, was_skipped
from explorer.state.tracks import ListTrack, LiveTrack, Track


@dataclass(frozen=True)
class Moment:
    """A step of the run with its files. `edge` marks the newest step of a training run."""

    step: int
    probe: Path | None = None  # a snapshot of the heads
    checkpoint: Path | None = None
    edge: bool = False


def moments_of(
    step: int,
    probes: dict[int, Path],
    checkpoints: dict[int, Path],
    live: bool = True,
    skips: Iterable[int] = (),
) -> list[Moment]:
    """Returns the recorded moments up to `step` in order, then the edge of a live run."""
    last = step - 1 if live else step
    steps = sorted({at for at in (*probes, *checkpoints, *skips) if at <= last})
    found = [Moment(at, probes.get(at), checkpoints.get(at)) for at in steps]
    if live or not found:
        found.append(Moment(step, probes.get(step), checkpoints.get(step), edge=True))
    return found


def nearest(moments: Sequence[Moment], step: float) -> int:
    """Returns the index of the moment nearest to a step."""
    return min(range(len(moments)), key=lambda index: abs(moments[index].step - step), default=0)


def checkpoint_text(step: int) -> str:
    """Returns the text of a checkpoint's mark, on the scrubber and in the loss chart."""
    return f"checkpoint, step {step:,}"


class MomentTrack(LiveTrack):
    """A run as a track. A finished run has no live edge: Play replays it."""

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
        """The checkpoints, which are the only moments from which a run can be resumed."""
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
        """Returns the phases of the optimizer step that led to this moment, or None."""
        if self.numbers is None or self.numbers.log or not 0 <= index < len(self.moments):
            return None
        step = self.moments[index].step
        return PhaseTrack(self.numbers, step) if self.numbers.row(step) is not None else None

    def outside(self, inner: Track, index: int) -> int:
        """Returns the moment nearest to the step, as moments may have come and gone meanwhile."""
        return nearest(self.moments, inner.step) if isinstance(inner, PhaseTrack) else index


class PhaseTrack(ListTrack):
    """The phases of one optimizer step."""

    def __init__(self, numbers: RunNumbers, step: int) -> None:
        self.names = numbers.phases
        super().__init__([TITLES[name] for name in self.names], self.names)
        self.numbers = numbers
        self.step = step
        row = numbers.row(step)
        self.skipped = row is not None and was_skipped(row)
