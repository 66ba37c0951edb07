"""Ranks: wires a run's lanes, estimated steps and faults to the picture."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from core.trace import Trace
from core.training.config import TrainingConfig
from core.training.lane_trace import LaneTrace
from core.training.place import torchrun_command
from explorer.panes.modes import Desk, Mode
from explorer.panes.training import presets
from explorer.panes.training.ranks import compute, text
from explorer.panes.training.ranks.inspector import inspection
from explorer.panes.training.ranks.view import RanksHeader, RanksView
from explorer.panes.training.run_data import RunData
from explorer.panes.training.watcher import RunWatcher
from explorer.state.tracks import TraceTrack

GONE = 0.05  # seconds between two looks whether a launcher has ended
OWN = "run"  # in the place of a strategy: that of the run
ENDED = ("failed", "dead", "stopped")


def create(desk: Desk, parent: QObject) -> Mode:
    return RanksMode(desk, parent)


class RanksMode(RunWatcher):
    """A step of the run that is looked at, the newest or a chosen one; or an estimated step of a
    strategy.
    """

    id = "ranks"
    title = "Ranks"
    teaches = "Several processes share one training: who computes what, and who waits for whom"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.inputs, self.view = RanksHeader(), RanksView()
        self.strategy, self.devices = OWN, 4
        self.lanes: LaneTrace | None = None  # what is shown
        self._connect()
        self.inputs.devices.set_current(str(self.devices))
        self.watch()

    def _connect(self) -> None:
        inputs, view = self.inputs, self.view
        inputs.strategies.chosen.connect(self.choose)
        inputs.devices.chosen.connect(lambda number: self.choose_devices(int(number)))
        inputs.step.changed.connect(lambda step: self.choose_step(int(step)))
        view.start.clicked.connect(self.start_two)
        view.resume.clicked.connect(self.resume)
        view.copy.clicked.connect(self.copy_command)
        view.faultRequested.connect(self.let_fail)
        view.faults.menuOpening.connect(lambda: view.fill_faults(self.ranks))
        view.lanes.chosen.connect(self.player.seek)
        view.body.actionRequested.connect(lambda: self.choose("ddp"))

    # what the pane asks

    def state(self) -> dict[str, Any]:
        return {"version": 1, "strategy": self.strategy, "devices": self.devices}

    def restore(self, state: dict[str, Any]) -> None:
        if state.get("devices") in compute.DEVICES:
            self.choose_devices(state["devices"])
        if state.get("strategy") in text.TITLES:
            self.choose(state["strategy"])

    def pictures(self) -> dict[str, QWidget]:
        return {"lanes": self.view.lanes, "holdings": self.view.holdings}

    def on_position(self, position: float) -> None:
        self.view.lanes.set_position(position)

    # choices

    def choose(self, strategy: str) -> None:
        """A strategy to estimate, or "run": what was measured."""
        self.strategy = strategy
        self.inputs.strategies.set_current(strategy)
        self.refresh()

    def choose_devices(self, devices: int) -> None:
        """How many devices an estimated step has."""
        self.devices = devices
        self.inputs.devices.set_current(str(devices))
        self.refresh()

    def choose_step(self, step: int) -> None:
        """Of the run; its last one is followed by newer ones as they come."""
        newest = self.data.step if self.data is not None else 0
        self.follower.more = compute.StepLanes(step if 0 < step < newest else 0)
        self.follower.look(again=True)

    def go(self, steps: int) -> None:
        """So many steps of the run further."""
        if self.measured is not None:
            self.choose_step(max(self.measured.number + steps, 1))

    # the run

    @property
    def measured(self) -> LaneTrace | None:
        """The run's lanes, as they were read."""
        return self.follower.extra

    @property
    def ranks(self) -> int:
        """Of the run; 0: unknown, or another program's."""
        return self.measured.ranks if self.measured is not None else 0

    @property
    def shows_run(self) -> bool:
        """Whether what is shown was measured."""
        return self.strategy == OWN and self.ranks > 1

    def on_run(self) -> None:
        self.follower.more = compute.StepLanes()
        self.refresh()

    def on_data(self, data: RunData) -> None:
        self.refresh()

    def start_two(self) -> None:
        """A small run in two processes of this machine."""
        if not self.starts:
            self.train_here({"two-ranks": presets.two_ranks()})

    def on_started(self) -> None:
        self.choose(OWN)

    def resume(self) -> None:
        """From the last checkpoint, on all ranks."""
        if self.folder is not None:
            self.spawn(self._resume(self.folder))

    async def _resume(self, folder: Path) -> None:
        """Once whoever has watched the ranks that failed is gone as well."""
        runs = self.context.runs
        while runs.running_here(folder):
            await asyncio.sleep(GONE)
        try:
            runs.start(folder, "process")
        except (ValueError, OSError) as error:
            self.statusRequested.emit(str(error))

    def copy_command(self) -> None:
        """What starts this run on a cluster goes to the clipboard."""
        if self.data is not None:
            folder, ranks = self.data.folder.resolve(), self.ranks or self.data.config.ranks
            command = torchrun_command(str(folder), folder.name, ranks)
            QGuiApplication.clipboard().setText(command)
            self.statusRequested.emit(text.COPIED)

    def let_fail(self, kind: str, rank: int) -> None:
        """A fault of a rank of this run, now."""
        said = f"Rank {rank}: {text.FAULTS[kind][0].lower()}"
        self.steer("fault", kind, rank, 0.2, said=said)

    # what is seen

    def refresh(self) -> None:
        """Shows the run's lanes, or an estimate of the chosen strategy."""
        data, measured = self.data, self.measured
        several = data if self.ranks > 1 else None
        trains, state = several is not None and several.active, several.state if several else ""
        self.view.set_buttons(
            start=not trains, resume=state in ENDED, faults=trains, copy=measured is not None
        )
        if data is None or measured is None or not self.shows_run:
            note = text.assumptions(compute.SPEED, compute.LINK.bandwidth, self.devices)
            self.inputs.set_steps(0, 0)
            self._estimate(data.config if data is not None and not data.log else None)
        else:
            note = text.run_note(measured, data.name, data.state, data.config.steps)
            self.inputs.set_steps(measured.number, data.step)
            self._show(measured, data.speed())
        self.view.set_told(note, text.failure(several.state, several.message) if several else "")

    def _estimate(self, config: TrainingConfig | None) -> None:
        strategy = self.strategy if self.strategy != OWN else "ddp"
        try:
            self._show(compute.estimated(strategy, self.devices, config))
        except ValueError as error:
            self._show(None)
            self.view.body.show_empty(str(error), "Show DDP", "switch")
            self.set_headline(str(error))

    def _show(self, lanes: LaneTrace | None, speed: float = 0.0) -> None:
        before, self.lanes = self.lanes, lanes
        if lanes is before:
            return
        trace = lanes.trace if lanes is not None else Trace()
        same = before is not None and len(before.trace) == len(trace)
        self.view.set_lanes(lanes)
        self.view.set_facts(text.facts(lanes, speed) if lanes is not None else {})
        self.set_tracks([TraceTrack(trace)], keep_position=same)
        self.view.lanes.set_position(self.player.position if self.active else 0.0)
        if lanes is not None:
            self.set_headline(text.headline(lanes))
        self.inspect()

    def inspect(self) -> None:
        if not self.active:
            return
        place = self.player.step
        if self.lanes is not None and 0 <= place < len(self.lanes.trace):
            self.inspection.emit(inspection(self.lanes, place))
        else:
            self.inspection.emit(None)
