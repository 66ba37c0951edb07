"""Ranks: connects a run's lanes, estimated steps and faults to the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from core.tokenization.telling import sentence
from core.trace import Trace
from core.training.config import TrainingConfig
from core.training.estimates.strategy_step import DEVICES, most_devices, strategy_step
from core.training.lane_trace import LaneTrace
from core.training.place import torchrun_command
from explorer.panes.modes import Desk
from explorer.panes.run_watcher import RunWatcher
from explorer.panes.training import presets
from explorer.panes.training.ranks import compute, text
from explorer.panes.training.ranks.inspector import inspection
from explorer.panes.training.ranks.view import RanksInputs, RanksView
from explorer.runs.run_data import RunData
from explorer.state.tracks import TraceTrack

OWN = "run"  # instead of a strategy: that of the run
ENDED = ("failed", "dead", "stopped")


class RanksMode(RunWatcher):
    """Shows a step of the open run, the newest or a selected one, or an estimated step of a
    strategy.
    """

    id = "ranks"
    title = "Ranks"
    teaches = (
        "Several processes (ranks) share one training run. Which rank computes what, and which one "
        "waits for which?"
    )

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.inputs, self.view = RanksInputs(), RanksView()
        self.strategy, self.devices = OWN, 4
        self.lanes: LaneTrace | None = None  # the visible ones
        self.remedy: Callable[[], None] = self.start_two  # if there are no lanes
        self._fills = False  # True while the cursor moves without the user
        inputs, view = self.inputs, self.view
        inputs.strategies.chosen.connect(self.choose)
        inputs.devices.chosen.connect(lambda number: self.choose_devices(int(number)))
        inputs.step.changed.connect(lambda step: self.choose_step(int(step)))
        inputs.newest.clicked.connect(lambda: self.choose_step())
        view.start.clicked.connect(self.start_two)
        view.resume.clicked.connect(self.resume)
        view.copy.clicked.connect(self.copy_command)
        view.faultRequested.connect(self.let_fail)
        view.faults.menuOpening.connect(lambda: view.fill_faults(self.ranks))
        view.lanes.chosen.connect(self.player.seek)
        view.body.actionRequested.connect(lambda: self.remedy())
        self.watch()

    # the pane's interface

    def state(self) -> dict[str, Any]:
        return {"version": 1, "strategy": self.strategy, "devices": self.devices}

    def restore(self, state: dict[str, Any]) -> None:
        if state.get("devices") in DEVICES:
            self.choose_devices(state["devices"])
        if state.get("strategy") in text.TITLES:
            self.choose(state["strategy"])

    def pictures(self) -> dict[str, QWidget]:
        return {"lanes": self.view.lanes, "holdings": self.view.holdings}

    def beside(self) -> Sequence[QWidget]:
        return (self.view.holdings,)

    def on_position(self, position: float) -> None:
        self.view.lanes.set_position(position)

    def on_step(self, step: int) -> None:
        """Stays at this step of the run once the user moves through it."""
        if step > 0 and self.shows_run and not self._fills and self.measured is not None:
            self.follower.more.step = self.measured.number
            self.inputs.newest.setEnabled(True)
        super().on_step(step)

    # choices

    def choose(self, strategy: str) -> None:
        """Selects a strategy to estimate, or "run" for the measured steps."""
        self.strategy = strategy
        self.refresh()

    def choose_devices(self, devices: int) -> None:
        """Sets the number of devices of an estimated step."""
        self.devices = devices
        self.refresh()

    def choose_step(self, step: int = 0) -> None:
        """Selects a step of the run; 0 or the last one follows the newest step."""
        newest = self.data.step if self.data is not None else 0
        self.follower.more.step = step if 0 < step < newest else 0
        if self.folder is not None:
            self.look_again()

    # the run

    @property
    def measured(self) -> LaneTrace | None:
        """The run's lanes as last read."""
        return self.follower.extra

    @property
    def ranks(self) -> int:
        """The run's number of ranks; 0 if unknown, as in another program's log."""
        if self.measured is None or self.data is None:
            return 0
        return self.measured.ranks or self.data.config.ranks

    @property
    def shown_strategy(self) -> str:
        """The selected strategy; without a run, DDP instead of the run's own."""
        return "ddp" if self.strategy == OWN and self.folder is None else self.strategy

    @property
    def shows_run(self) -> bool:
        """Whether the visible lanes were measured."""
        return self.shown_strategy == OWN and self.ranks > 1

    def on_run(self) -> None:
        self.follower.more = compute.StepLanes()
        self.refresh()

    def on_data(self, data: RunData) -> None:
        self.refresh()

    def on_failed(self, message: str) -> None:
        super().on_failed(message)
        if self.data is None and self.shown_strategy == OWN:
            self._show_none(message)

    def start_two(self) -> None:
        """Starts a small run in two processes on this machine."""
        if not self.starts:
            self.train_here({"two-ranks": presets.two_ranks()})

    def on_started(self) -> None:
        self.choose(OWN)

    def copy_command(self) -> None:
        """Copies the command that starts this run on a cluster."""
        QGuiApplication.clipboard().setText(self.view.command.whole)
        self.statusRequested.emit(text.COPIED)

    def let_fail(self, kind: str, rank: int) -> None:
        """Injects a fault into a rank of this run."""
        self.steer("fault", kind, rank, 0.2, said=text.FAULTS[kind][1].format(f"Rank {rank}"))

    # the picture

    def refresh(self) -> None:
        """Shows the run's lanes, or an estimate of the chosen strategy."""
        self.inputs.strategies.set_current(self.shown_strategy)
        self.inputs.devices.set_current(str(self.devices))
        self.inputs.devices.setVisible(self.shown_strategy != OWN)
        data, measured = self.data, self.measured
        several, trains = self.ranks > 1, self.trains or self.restarts
        ended = data is not None and several and data.state in ENDED and not trains
        self.view.set_buttons(
            start=not ((several and trains) or ended),
            resume=ended and self.shown_strategy == OWN,
            faults=several and self.trains,
            has_checkpoint=data is None or bool(data.checkpoints),
        )
        if self.shown_strategy != OWN:
            self._show_strategy(data.config if data is not None and not data.log else None)
        elif data is not None and measured is not None and several:
            self._show_run(data, measured)
        else:
            self.inputs.set_steps(0, 0, False)
            self.view.set_told("")
            if data is None:
                self._show(None)
            else:
                self._show_none(text.FOREIGN if data.log else text.ONE_PROCESS)

    def _show_run(self, data: RunData, lanes: LaneTrace) -> None:
        died = data.state in ("failed", "dead") and not self.restarts
        folder = data.folder.resolve()
        self.inputs.set_steps(lanes.number, data.step, self.follower.more.step > 0)
        self.view.set_told(
            text.run_note(lanes, data.name, data.state, data.config.steps),
            torchrun_command(str(folder), folder.name, self.ranks),
            text.trouble(died, data.message, data.alerts),
        )
        row = data.numbers.row(lanes.number)
        known = row is not None and "tokens" in row.dtype.names
        self._show(lanes, float(row["tokens"]) if known else 0.0)
        step = max(data.checkpoints, default=0) if self.restarts else data.step
        ended = died or self.restarts
        self.set_headline(text.fate(lanes, step, self.restarts) if ended else text.headline(lanes))

    def _show_strategy(self, config: TrainingConfig | None) -> None:
        self.inputs.set_steps(0, 0, False)
        self.view.set_told(text.assumptions(self.devices))
        try:
            lanes = strategy_step(self.shown_strategy, self.devices, config)
        except ValueError as error:
            fits = most_devices(self.shown_strategy, config)
            remedy = partial(self.choose_devices, fits) if fits else partial(self.choose, "ddp")
            self._show_none(sentence(str(error)), text.remedy(fits), remedy)
        else:
            self._show(lanes)
            self.set_headline(text.headline(lanes))

    def _show_none(
        self, why: str, action: str = text.START, remedy: Callable[[], None] | None = None
    ) -> None:
        """Shows why there are no lanes, and a remedy; by default, to start two ranks."""
        self._show(None)
        self.set_headline(why)
        self.remedy = remedy or self.start_two
        self.view.show_none(why if remedy else text.ONE_HELP, action)

    def _show(self, lanes: LaneTrace | None, tokens: float = 0.0) -> None:
        before, self.lanes = self.lanes, lanes
        if lanes is before and lanes is not None:
            self.view.body.show_ready()
            return
        trace = lanes.trace if lanes is not None else Trace()
        same = before is not None and len(before.trace) == len(trace)
        self.view.set_lanes(lanes)
        facts = text.facts(lanes, tokens) if lanes is not None else {}
        self.view.facts.set_facts(facts, text.FACT_NOTES)
        self._fills = True
        self.set_tracks([TraceTrack(trace)], keep_position=same)
        self._fills = False
        self.view.lanes.set_position(self.player.position if self.active else 0.0)
        self.inspect()

    def inspect(self) -> None:
        place, lanes = self.player.step, self.lanes
        if self.active:
            there = lanes is not None and 0 <= place < len(lanes.trace)
            self.inspection.emit(inspection(lanes, place) if there else None)
