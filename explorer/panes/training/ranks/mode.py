"""Ranks: wires a run's lanes, computed strategies and faults to the picture."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
from explorer.panes.training.ranks import compute, text
from explorer.panes.training.ranks.commands import commands
from explorer.panes.training.ranks.inspector import inspection
from explorer.panes.training.ranks.pictures import EMPTY
from explorer.panes.training.ranks.scene import Scene
from explorer.panes.training.ranks.start import two_ranks
from explorer.panes.training.ranks.view import RanksHeader, RanksView
from explorer.runs.folders import is_run_folder
from explorer.state.actions import Action
from explorer.state.tracks import ListTrack

GONE = 0.05  # seconds between two looks whether a launcher has ended
LOOK = 400  # ms between two looks at a run that trains
OWN = "run"  # in the place of a strategy: that of the run
ENDED = ("failed", "dead", "stopped")


def create(desk: Desk, parent: QObject) -> Mode:
    return RanksMode(desk, parent)


class RanksMode(Mode):
    """The newest step of the run that is looked at, while somebody looks and nothing plays; or a
    computed step of a strategy.
    """

    id = "ranks"
    title = "Ranks"
    teaches = "Several processes share one training: who computes what, and who waits for whom"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.inputs, self.view = RanksHeader(), RanksView()
        self.strategy, self.devices = OWN, 4
        self.measured: compute.Measured | None = None
        self.computed: compute.Computed | None = None
        self.scene: Scene = EMPTY
        self.error = ""
        self._reading: compute.Reading | None = None
        self._folder: Path | None = None
        self._looks = Latest(self.engine, self)
        self._computes = Latest(self.engine, self)
        self._starts = Latest(self.engine, self)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._connect()
        self.inputs.devices.set_current(str(self.devices))
        self._on_run(self.workspace.run)

    def _connect(self) -> None:
        self.inputs.strategyChosen.connect(self.choose)
        self.inputs.devicesChosen.connect(lambda number: self.choose_devices(int(number)))
        self.view.startRequested.connect(self.start_two)
        self.view.resumeRequested.connect(self.resume)
        self.view.faultRequested.connect(self.let_fail)
        self.view.copyRequested.connect(self.copy_command)
        self.view.faults.menuOpening.connect(
            lambda: self.view.fill_faults(self.measured.ranks if self.measured else 0)
        )
        self.view.lanes.chosen.connect(self.player.seek)
        self.view.body.actionRequested.connect(lambda: self.choose("ddp"))
        self._timer.timeout.connect(self.look)
        self._looks.came.connect(self._on_measured)
        self._looks.failed.connect(self._on_failed)
        self._computes.came.connect(self._on_computed)
        self._starts.came.connect(self._on_started)
        self._starts.failed.connect(self._on_failed)
        self.workspace.runChanged.connect(self._on_run)
        self.context.runs.changed.connect(lambda _: self.look())

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def state(self) -> dict[str, Any]:
        return {"version": 1, "strategy": self.strategy, "devices": self.devices}

    def restore(self, state: dict[str, Any]) -> None:
        if state.get("devices") in compute.DEVICES:
            self.choose_devices(state["devices"])
        if state.get("strategy") in text.TITLES:
            self.choose(state["strategy"])

    def actions(self) -> list[Action]:
        return commands(self)

    def pictures(self) -> dict[str, QWidget]:
        return {"lanes": self.view.lanes, "holdings": self.view.holdings}

    def shown(self) -> None:
        self._timer.start()
        self.look()

    def left(self) -> None:
        self._timer.stop()

    def on_position(self, position: float) -> None:
        self.view.lanes.set_position(position)

    def on_step(self, step: int) -> None:
        self._say()
        super().on_step(step)

    def on_playing(self, playing: bool) -> None:
        if not playing:
            self.look()

    # choices

    def choose(self, strategy: str) -> None:
        """A strategy to compute, or "run": what was measured."""
        self.strategy = strategy
        self.inputs.strategies.set_current(strategy)
        self.refresh()

    def choose_devices(self, devices: int) -> None:
        """How many devices a computed step has."""
        self.devices = devices
        self.inputs.devices.set_current(str(devices))
        self.refresh()

    @property
    def shows_run(self) -> bool:
        """Whether what is shown was measured."""
        measured = self.measured
        return self.strategy == OWN and measured is not None and measured.ranks > 1

    @property
    def computes(self) -> str:
        """The strategy of the computed step: that of a run that has no ranks is DDP."""
        return self.strategy if self.strategy != OWN else "ddp"

    # the run

    def _on_run(self, folder: str | None) -> None:
        ours = folder is not None and is_run_folder(Path(folder))
        self._folder = Path(folder) if folder and ours else None
        self._looks.stop()  # an answer about the run before would take this one's place
        self._reading, self.measured, self.error = None, None, ""
        self.refresh()
        self.look()

    def look(self) -> None:
        """Reads what is new, where somebody sees it and nothing is played."""
        if self._folder is None or not self.active or self._looks.running or self.player.playing:
            return
        folder = self._folder
        self._looks.ask(lambda: self.engine.io(self._read, folder), "reading ranks", is_told=False)

    def _read(self, folder: Path) -> compute.Measured:
        """In the I/O pool."""
        reading = self._reading
        if reading is None or reading.folder != folder:
            reading = compute.Reading(folder)
            self._reading = reading
        return reading.read()

    def _on_measured(self, measured: compute.Measured) -> None:
        before, self.measured, self.error = self.measured, measured, ""
        if before is None or measured.ranks != before.ranks:
            self.refresh()
        elif self.shows_run:
            self._show_run()

    def _on_failed(self, message: str) -> None:
        self.error = message
        self.statusRequested.emit(message)

    def start_two(self) -> None:
        """A small run in two processes of this machine."""
        self.view.start.setEnabled(False)
        self._starts.ask(lambda: self.engine.io(two_ranks, self.context.runs), "starting two ranks")

    def _on_started(self, folder: Path) -> None:
        self.context.runs.start(folder, "process")
        self.workspace.set_run(str(folder))
        self.choose(OWN)

    def resume(self) -> None:
        """From the last checkpoint, on all ranks."""
        if self._folder is not None:
            self.spawn(self._resume(self._folder))

    async def _resume(self, folder: Path) -> None:
        """Once whoever has watched the ranks that failed is gone as well."""
        runs = self.context.runs
        while runs.running_here(folder):
            await asyncio.sleep(GONE)
        try:
            runs.start(folder, "process")
        except (ValueError, OSError) as error:
            self.statusRequested.emit(str(error))
        self.look()

    def copy_command(self) -> None:
        """What starts this run on a cluster goes to the clipboard."""
        if self._folder is not None:
            folder = self._folder.resolve()
            QGuiApplication.clipboard().setText(text.cluster_command(str(folder), folder.name))
            self.statusRequested.emit(text.COPIED)

    def let_fail(self, kind: str, rank: int) -> None:
        """A fault of a rank of this run, now."""
        if self._folder is not None:
            sent = self.context.runs.steer(self._folder, "fault", kind, rank, 0.2)
            self.spawn(self._send(sent, f"Rank {rank}: {text.FAULTS[kind][0].lower()}"))

    async def _send(self, sent: Any, said: str) -> None:
        try:
            await sent
        except (ValueError, OSError) as error:
            said = str(error)
        self.statusRequested.emit(said)

    # what is seen

    def refresh(self) -> None:
        """Shows the run's lanes, or computes those of the chosen strategy."""
        if self.shows_run:
            self._computes.stop()
            self._show_run()
            return
        config = self.measured.config if self.measured is not None else None
        asked = self.computes, self.devices, config
        self._computes.ask(
            lambda: self.engine.io(compute.computed, *asked), "computing a step", is_told=False
        )

    def _on_computed(self, computed: compute.Computed) -> None:
        self.computed = computed
        if self.shows_run:
            return
        self._set_buttons()
        note = text.assumptions(compute.SPEED, compute.LINK.bandwidth, computed.devices)
        self.view.set_told(note, self._failure())
        if computed.scene is None:
            self._set_scene(EMPTY)
            self.view.set_facts([])
            self.view.body.show_empty(computed.error, "Show DDP", "switch")
            self.set_headline(computed.error)
            return
        self._set_scene(computed.scene)
        told = text.facts(
            computed.scene, computed.strategy, 0, computed.memory, computed.idle, computed.sent
        )
        self.view.set_facts(told)

    def _show_run(self) -> None:
        measured = self.measured
        assert measured is not None
        self._set_buttons()
        step = f"step {measured.step:,} of {measured.config.steps:,}"
        note = f"{measured.name}, {text.NAMES[measured.strategy]}, {measured.state}, {step}"
        self.view.set_told(note, self._failure())
        sent = [sum(bar.bytes for bar in measured.scene.bars if bar.rank == 0)]
        told = text.facts(
            measured.scene,
            measured.strategy,
            measured.speed,
            measured.memory,
            measured.idle,
            max(sent),
        )
        self.view.set_facts(told)
        if not measured.scene.events:
            self.view.body.show_loading("waiting for the first step of all ranks")
            self.set_headline(text.NO_SPANS)
            return
        self._set_scene(measured.scene)

    def _failure(self) -> str:
        measured = self.measured
        if measured is None or measured.ranks < 2 or measured.state not in ("failed", "dead"):
            return ""
        return measured.message or "The run has ended without a message."

    def _set_buttons(self) -> None:
        measured = self.measured
        several = measured is not None and measured.ranks > 1
        active = several and measured is not None and measured.active
        self.view.start.setEnabled(True)
        self.inputs.devices.setVisible(not self.shows_run)
        self.view.set_buttons(
            start=not active,
            resume=bool(several and measured and measured.state in ENDED),
            ranks=measured.ranks if active and measured is not None else 0,
            copy=measured is not None,
        )

    def _set_scene(self, scene: Scene) -> None:
        same = len(scene.events) == len(self.scene.events) and scene.computed == self.scene.computed
        self.scene = scene
        self.view.set_scene(scene)
        if scene.events and self.view.body.state != "ready":
            self.view.body.show_ready()
        titles = [text.event_title(event, scene, self.seen) for event in scene.events]
        self.set_tracks([ListTrack(titles, list(scene.events))], keep_position=same)
        self.view.lanes.set_position(self.player.position if self.active else 0.0)
        self._say()
        self.inspect()

    @property
    def seen(self) -> str:
        """The strategy that is shown."""
        if self.shows_run and self.measured is not None:
            return self.measured.strategy
        return self.computes

    def _say(self) -> None:
        self.set_headline(text.headline(self.scene, self.seen))

    def inspect(self) -> None:
        if not self.active:
            return
        place = self.player.step
        if 0 <= place < len(self.scene.events):
            self.inspection.emit(inspection(self.scene.events[place], self.scene, self.seen))
        else:
            self.inspection.emit(None)
