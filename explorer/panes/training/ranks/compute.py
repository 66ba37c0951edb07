"""What Ranks asks of core: a run's lanes, and computed steps. Knows no Qt, loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.training.config import TrainingConfig
from core.training.estimates.communication import Link
from core.training.estimates.step_timeline import parts_of, step_timeline
from core.training.lanes import LaneReader, straggler
from core.training.reader import RunReader
from core.transformer.config import ModelConfig
from explorer.panes.training.ranks import text
from explorer.panes.training.ranks.scene import Scene, computed_scene, held_by, measured_scene

# Of the computed example: a laptop core, and memory shared between its processes.
SPEED, LINK = 8e10, Link(bandwidth=2e9, latency=5e-5)
# Without a run: wide enough that every strategy can share it among eight.
EXAMPLE = ModelConfig(vocab_size=1536, block_size=128, n_layer=8, n_head=8, n_embd=256)
EXAMPLE_BATCH = 16
DEVICES = (2, 4, 8)
RECENT = 50  # steps that tell how fast a run is


@dataclass(frozen=True, eq=False)
class Measured:
    """A run's ranks at one moment.

    step     whose lanes these are
    memory   bytes that each rank's process holds
    silent   per rank, seconds since its last sign of life
    """

    name: str
    state: str
    message: str
    strategy: str
    ranks: int
    step: int
    newest: int
    scene: Scene
    config: TrainingConfig
    speed: float = 0.0
    memory: tuple[float, ...] = ()
    silent: tuple[float, ...] = ()
    idle: float = 0.0

    @property
    def active(self) -> bool:
        """Somebody trains it now."""
        return self.state in ("running", "paused")


@dataclass
class Reading:
    """A run that is read again and again, in the I/O pool."""

    folder: Path
    lanes: LaneReader = field(init=False)
    runs: list[RunReader] = field(init=False)

    def __post_init__(self) -> None:
        self.lanes = LaneReader(self.folder)
        self.runs = [RunReader(self.folder)]

    def read(self, step: int | None = None) -> Measured:
        """The lanes of a step, None for the newest. Raises ValueError or OSError."""
        self.lanes.refresh()
        while len(self.runs) < self.lanes.ranks:
            self.runs.append(RunReader(self.folder, len(self.runs)))
        for run in self.runs:
            run.refresh()
        first, newest = self.runs[0], self.lanes.last_step
        shown = newest if step is None else min(step, newest)
        lanes = self.lanes.step(shown) if shown else []
        config = first.config
        parts = parts_of(config.model)
        strategy = config.parallel if self.lanes.ranks > 1 else "ddp"
        held = held_by(strategy, parts, len(lanes))
        scene = measured_scene(lanes, straggler(lanes), parts, held)
        memory = tuple(float(run.steps["memory"][-1]) for run in self.runs if len(run.steps))
        busy = _computing(scene) if scene.events else np.zeros(0)
        scene = replace(scene, notes=text.rank_notes(memory, busy))
        recent = first.steps[-RECENT:]
        seconds = float(recent["seconds"].sum()) if len(recent) else 0.0
        idle = 1.0 - float(busy.mean()) if len(busy) else 0.0
        return Measured(
            name=first.name,
            state=first.state,
            message=first.message,
            strategy=strategy,
            ranks=self.lanes.ranks,
            step=shown,
            newest=newest,
            scene=scene,
            config=config,
            speed=float(recent["tokens"].sum()) / seconds if seconds else 0.0,
            memory=memory,
            silent=tuple(run.heartbeat_age or 0.0 for run in self.runs),
            idle=idle,
        )


def _computing(scene: Scene) -> np.ndarray:
    """The share of the step in which each rank computes: its phases, without what it waits in them
    for exchanges that nothing else goes on beside.
    """
    busy = np.zeros(scene.ranks)
    for bar in scene.bars:
        if bar.row == 0:
            busy[bar.rank] += bar.end - bar.start
    waited = np.array(scene.held_up) if scene.held_up else np.zeros(scene.ranks)
    return np.clip((busy - waited) / max(scene.seconds, 1e-12), 0, 1)


@dataclass(frozen=True, eq=False)
class Computed:
    """A step of a strategy, computed. `error`: why it cannot be."""

    strategy: str
    devices: int
    scene: Scene | None
    idle: float = 0.0
    sent: float = 0.0
    memory: tuple[float, ...] = ()
    error: str = ""


def computed(strategy: str, devices: int, config: TrainingConfig | None) -> Computed:
    """For the model of a run, or the example's where there is none."""
    model = config.model if config is not None else EXAMPLE
    batch = max(config.batch_size, devices) if config is not None else EXAMPLE_BATCH
    try:
        step = step_timeline(strategy, model, batch, devices, speed=SPEED, link=LINK)
    except ValueError as error:
        return Computed(strategy, devices, None, error=str(error))
    memory = tuple(step.held_bytes(device) for device in range(devices))
    busy = np.array([step.busy(device) for device in range(devices)]) / step.seconds
    scene = replace(computed_scene(step), notes=text.rank_notes(memory, busy))
    return Computed(strategy, devices, scene, step.idle_share, step.sent(), memory)
