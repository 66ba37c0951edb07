"""What Step asks of core: a run's recorded steps, one of them opened. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from core.training.foreign import ForeignRun, open_run
from core.training.lanes import Lane, LaneReader
from core.training.reader import RunReader
from core.training.step_trace import (
    open_recording,
    parameters_of,
    recorded_ranks,
    recorded_steps,
    step_trace,
)
from explorer.panes.training.run_data import RunNumbers, read
from explorer.panes.training.step.scene import Scene


@dataclass(frozen=True)
class Choice:
    """What is looked at. `step` 0: the newest; `parameter` "": the first matrix."""

    step: int = 0
    rank: int = 0
    parameter: str = ""


@dataclass(frozen=True, eq=False)
class Seen:
    """A run at one moment, and a recorded step of it; `error`: why that cannot be shown."""

    choice: Choice
    name: str
    state: str
    steps: tuple[int, ...]
    ranks: int = 1
    step: int = 0
    numbers: RunNumbers | None = None
    scene: Scene | None = None
    parameters: tuple[str, ...] = ()
    error: str = ""
    foreign: bool = False  # another program's log

    @property
    def active(self) -> bool:
        """Somebody trains it now."""
        return self.state in ("running", "paused")


@dataclass
class Reading:
    """A run that is read again and again, in the I/O pool."""

    folder: Path
    run: RunReader = field(init=False)

    def __post_init__(self) -> None:
        self.run = open_run(self.folder)

    def read(self, choice: Choice, seen: Seen | None = None) -> Seen | None:
        """None where `seen` is up to date. Raises ValueError or OSError for what is no run."""
        self.run.refresh()
        steps, state, name = tuple(recorded_steps(self.folder)), self.run.state, self.run.name
        if seen is not None and (choice, steps, state) == (seen.choice, seen.steps, seen.state):
            return None
        if not steps:
            return Seen(choice, name, state, steps, foreign=isinstance(self.run, ForeignRun))
        step = choice.step if choice.step in steps else steps[-1]
        ranks = recorded_ranks(self.folder, step)
        rank = min(choice.rank, max(ranks - 1, 0))
        data = read(self.run)
        try:
            recording = open_recording(self.folder, step, rank)
            names = tuple(parameters_of(recording))
            chosen = choice.parameter if choice.parameter in names else first_matrix(names)
            trace = step_trace(recording, data.config, data.scales, chosen)
        except (ValueError, OSError) as error:
            return Seen(choice, name, state, steps, ranks, step, error=str(error))
        scene = Scene(recording, data.config, trace, chosen, self._lane(step, rank))
        return Seen(choice, name, state, steps, ranks, step, data.numbers, scene, names)

    def _lane(self, step: int, rank: int) -> Lane | None:
        """What this rank's step was like beside the others; None where no spans were kept."""
        try:
            lanes = LaneReader(self.folder).step(step)
        except (ValueError, OSError):
            return None
        return lanes[rank] if rank < len(lanes) else None


def first_matrix(names: tuple[str, ...]) -> str:
    """A block's matrix, where there is one."""
    blocks = [name for name in names if name.startswith("h.") and name.endswith("weight")]
    matrices = [name for name in blocks if ".ln" not in name]
    return next(iter((*matrices, *names)), "")
