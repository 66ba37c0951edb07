"""Run: wires setup, run, cursor and inspector together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.training.this_machine import Machine
from explorer.engine.latest import Latest
from explorer.panes.attention_link import show_head
from explorer.panes.modes import Desk, Mode
from explorer.panes.training.phases import load_sources
from explorer.panes.training.run import files, text
from explorer.panes.training.run.ancestry import kin
from explorer.panes.training.run.branching import Branching
from explorer.panes.training.run.commands import commands
from explorer.panes.training.run.cursor import Cursor
from explorer.panes.training.run.driver import Driver
from explorer.panes.training.run.header import RunChoice
from explorer.panes.training.run.heads import HeadFilm
from explorer.panes.training.run.known_runs import KnownRuns
from explorer.panes.training.run.moments import Moment
from explorer.panes.training.run.opened_heads import source_at
from explorer.panes.training.run.planning import Planning
from explorer.panes.training.run.screen import Screen, planned_inspection
from explorer.panes.training.run.setup import SetupView
from explorer.panes.training.run.track import MomentTrack
from explorer.panes.training.run.view import RunView
from explorer.runs.folders import holds_run
from explorer.runs.follower import Follower
from explorer.runs.run_data import RunData
from explorer.runs.steering import Steering
from explorer.state.actions import Action
from explorer.widgets import dialogs
from explorer.widgets.encoding import write_png
from explorer.widgets.pages import Pages
from explorer.widgets.rendering import SCALE, drawn


class RunMode(Mode):
    """Setup while no run is looked at, else the run; the transport is live television.

    While another mode is shown, it reads the run and leaves the player alone.
    """

    id = "run"
    title = "Run"
    teaches = "How a model learns: set a run up, watch it live, replay it and branch it"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        context = self.context
        self.setup, self.view = SetupView(), RunView()
        self.choice = RunChoice(self.view.charts.tools)
        self.known_runs = KnownRuns(context, self.choice, self)
        self.stack = Pages(self.setup, self.view)
        self.planning = Planning(
            self.engine, self.workspace, self.setup, self, context.settings.run_in
        )
        self.steering = Steering(self.engine, context.runs, context.settings, self)
        self.driver = Driver(self, self.steering)
        self.branching = Branching(self.workspace, self.view, self)
        self.follower = Follower(context.runs, self)
        self.other = Follower(context.runs, self)
        self.cursor = Cursor(
            self.player,
            self.set_tracks,
            playing=self.driver.trains,
            play=self.driver.train_on,
            pause=self.driver.pause_run,
            step=self.driver.step_run,
        )
        self.screen = Screen(self.engine, self.view, self.cursor, self)
        self._inspected: Moment | None = None
        self._shown: str | None = None  # the run that was read last, until New run
        self._over: Path | None = None  # over which run the other one was laid
        self._sources_read = False
        self._sources = Latest(self.engine, self)
        self._sources.came.connect(self._on_sources)
        self._connect()
        self.planning.plan()
        self.set_headline(text.SETUP)
        self._list_runs()
        if self.workspace.run is not None:
            self._on_run(self.workspace.run)

    def _connect(self) -> None:
        self.setup.changed.connect(self._on_option)
        self.setup.startRequested.connect(self.driver.start_run)
        self.setup.fileRequested.connect(self.ask_for_text)
        self.setup.fileDropped.connect(self._on_dropped)
        self.view.asked.connect(self.driver.answer)
        self.view.stepClicked.connect(self.cursor.seek_step)
        self.view.phaseClicked.connect(self.show_phase)
        self.view.headClicked.connect(self.open_head)
        self.view.lineClicked.connect(self.open_head)
        self.view.insideRequested.connect(self.show_inside)
        self.view.charts.looksChanged.connect(self._show)
        self.screen.headline.connect(self.set_headline)
        self.screen.batches.read.connect(self.inspect)
        self.choice.runChosen.connect(self.workspace.set_run)
        self.choice.newRequested.connect(self.new_run)
        self.choice.otherChosen.connect(self.overlay)
        self.choice.openRequested.connect(self.ask_for_run)
        self.planning.planned.connect(lambda _: self.inspect())
        self.planning.measured.connect(self._on_measured)
        self.branching.confirmed.connect(self.steering.branch)
        self.steering.opened.connect(self._on_began)
        self.steering.refused.connect(self._on_refused)
        self.steering.changed.connect(self._show)
        self.follower.changed.connect(self._on_data)
        self.follower.failed.connect(self._on_lost)
        self.other.changed.connect(lambda _: self._show_lines())
        self.context.runs.changed.connect(lambda _: (self._list_runs(), self.follower.look()))
        self.workspace.runChanged.connect(self._on_run)
        self.workspace.textOpened.connect(self.choose_text)
        self.workspace.tokenizerOpened.connect(lambda *_: self.come())
        self.workspace.runOpened.connect(lambda _: self.come())
        self._sources.call(load_sources, name="the lines of code")

    # what the pane asks

    def widget(self) -> QWidget:
        return self.stack

    def header(self) -> QWidget:
        return self.choice

    def pictures(self) -> dict[str, QWidget]:
        lines = self.view.charts
        return {
            "losses": lines.loss,
            **lines.small,
            "head-scores": lines.heads,
            "heads": self.view.mosaic,
            "schedule": self.setup.plot,
        }

    @property
    def file_stem(self) -> str:
        data = self.follower.data
        return data.name if data is not None else super().file_stem

    def state(self) -> dict[str, Any]:
        return {
            "version": 1,
            "overlay": str(self.other.folder or ""),
            **self.view.charts.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.view.charts.restore(state)
        if isinstance(state.get("overlay"), str) and state["overlay"]:
            self.overlay(state["overlay"])

    def shown(self) -> None:
        self._list_runs()
        for follower in (self.follower, self.other):
            follower.run(True)
        if self.follower.data is not None:  # it may have grown while another mode was shown
            self.cursor.renew(self.follower.data)
            self._show()

    def left(self) -> None:
        for follower in (self.follower, self.other):
            follower.run(False)

    def actions(self) -> list[Action]:
        return commands(self)

    def cancel(self) -> bool:
        """Esc: closes the branch's form, before the pane goes out of a step."""
        return self.branching.close()

    def on_position(self, position: float) -> None:
        self._show_moment()

    def on_live(self, live: bool) -> None:
        self._show()

    # where the cursor is

    @property
    def track(self) -> MomentTrack:
        return self.cursor.track

    @property
    def film(self) -> HeadFilm:
        return self.screen.film

    @property
    def moment(self) -> Moment | None:
        return self.cursor.moment

    @property
    def replaying(self) -> bool:
        return self.cursor.replaying

    def show_phase(self, index: int) -> None:
        """Shows a phase of the recorded step that is offered, in Step. Inside a step, and where
        none was recorded, the numbers of that phase here.
        """
        step, data = self.view.recorded, self.follower.data
        if step and data is not None and self.cursor.inside is None:
            self.modeRequested.emit("step", {"step": step, "phase": data.numbers.phases[index]})
        else:
            self.enter_phase(index)

    def enter_phase(self, index: int) -> None:
        """Goes into the optimizer step under the cursor, at one of its phases."""
        if not self.cursor.enter(index):
            self.statusRequested.emit("No step is recorded here yet")

    def show_inside(self, step: int) -> None:
        """Shows a recorded step in Step, at the phase under the cursor."""
        inside = self.cursor.inside
        phase = inside.names[self.cursor.phase] if inside is not None else ""
        self.modeRequested.emit("step", {"step": step, "phase": phase})

    def open_head(self, layer: int, head: int, step: float | None = None) -> None:
        """Shows a head in Attention, on the text that it reads here: as it was at a step, by
        default where the cursor stands; at the newest moment, the model as it is now.
        """
        data, moment = self.follower.data, self.moment
        if data is None or moment is None:
            return
        if step is None and (self.replaying or self.cursor.inside is not None):
            step = self.cursor.step if self.film.step is None else self.film.step
        if step is None:
            source: Any = self.context.runs.source(data.folder)
            where = f"step {data.step:,}"
        elif data.checkpoints:
            source, where = source_at(self.engine, data, step)
        else:
            self.statusRequested.emit(text.why_no_branch(data, moment))
            return
        said = f"Layer {layer}, head {head} at {where}"
        self.spawn(self._open_head(source, data.probe_text, layer, head, said))

    async def _open_head(self, source: Any, read: str, layer: int, head: int, said: str) -> None:
        if await show_head(self.workspace, source, read, layer, head):
            self.statusRequested.emit(said)

    # runs

    def come(self) -> None:
        """Something was opened for this mode: from now on it is the one that is shown."""
        self.modeRequested.emit(self.id, {})

    def new_run(self) -> None:
        """Back to the setup; the run that trains goes on."""
        self.workspace.set_run(None)

    def open_run(self, folder: str) -> None:
        self.workspace.set_run(folder)

    def overlay(self, folder: str) -> None:
        """Another run over this one; "" for none."""
        self.other.follow(Path(folder) if folder else None)
        self._over = self.follower.folder
        self._show_lines()
        self._list_runs()

    def _on_began(self, folder: str, parent: str) -> None:
        """A branch is drawn over its parent: both futures of the checkpoint."""
        self.workspace.set_run(folder)
        if parent:
            self.overlay(parent)
        self._list_runs()

    def _on_run(self, folder: str | None) -> None:
        if folder is None:
            self._shown = None
        self.branching.close()
        self.follower.follow(Path(folder) if folder else None)
        self.cursor.clear(fresh=folder is not None)
        self.screen.clear(Path(folder).name if folder else "")
        self.choice.look_at(folder or "")
        self._turn_to(self.view if folder else self.setup)
        self.inspection.emit(None)
        self.inspect()
        self._list_runs()

    def _turn_to(self, page: QWidget) -> None:
        """Run or setup. The focus of a button that goes with the other page stays here: Qt would
        give it to the one that had it last, and Space would stop the run that it has just begun.
        """
        focus, before = self.stack.window().focusWidget(), self.stack.currentWidget()
        goes = focus is not None and (focus is self.choice.new or before.isAncestorOf(focus))
        self.stack.setCurrentWidget(page)
        if goes and page is not before:
            (self.view.card if page is self.view else self.setup).setFocus()

    def _on_lost(self, message: str) -> None:
        """What cannot be opened leaves the run that was shown before."""
        self.statusRequested.emit(message)
        if self.follower.data is None:
            before, self._shown = self._shown, None
            self.workspace.set_run(before if before != self.workspace.run else None)

    def _on_refused(self, message: str) -> None:
        self.statusRequested.emit(message)
        self.setup.set_why(message)
        self.branching.refuse(message)
        self._show()

    def _list_runs(self) -> None:
        self.known_runs.renew(self.workspace.run, self.other.folder)

    # setup

    def _on_measured(self, here: Machine) -> None:
        first = self.screen.here is None
        self.screen.here = self.branching.here = here
        if first and self.follower.data is not None:  # how fast is told of it, and what cannot be
            self._show()
            self.inspect()

    def _on_option(self, name: str, text: str) -> None:
        self.planning.change(name, text)
        self.setup.set_why("")

    def _on_dropped(self, path: str) -> None:
        self.spawn(self._take(path))

    async def _take(self, path: str) -> None:
        """A run, or a text to learn from."""
        if await self.engine.io(holds_run, Path(path)):
            self.open_run(path)
        else:
            self.choose_text(path)

    def choose_text(self, path: str) -> None:
        """Trains on this file from now on; the setup says what is wrong with it."""
        self.come()
        self.new_run()
        self.planning.change("corpus", path)

    def ask_for_text(self) -> None:
        dialogs.ask_file(self.stack, "Choose a text to learn from", self.choose_text, files.TEXTS)

    def ask_for_run(self) -> None:
        start = str(self.context.runs.folder())
        dialogs.ask_folder(self.stack, "Open a run folder", self.open_run, start)

    def ask_for_csv(self) -> None:
        data = self.follower.data
        if data is not None:
            files.ask(self, f"{data.name}.csv", lambda path: files.save_csv(data, path))

    def ask_for_png(self) -> None:
        """The run as it is on the screen, at twice its size."""
        data = self.follower.data
        if data is not None:
            image = drawn(self.view, SCALE)
            files.ask(self, f"{data.name}.png", lambda path: write_png(path, image))

    # showing

    def _on_data(self, data: RunData) -> None:
        self._shown = self.workspace.run
        if self.active:
            self.cursor.renew(data)
        self.branching.know(data)
        if not kin(data, self._over, self.other.data):
            self.overlay("")
        self._over = data.folder
        self.known_runs.note(data.folder)
        began = len(data.steps) or data.checkpoints
        if data.state == "failed" and not began and data.config.corpus != "stories":
            self.planning.refuse_corpus(data.message)
        self._show_lines()
        self._show()
        self.inspect()

    def _show(self) -> None:
        self._show_moment()
        if self.active and self.follower.data is not None:
            self.player.playingChanged.emit(self.player.playing)

    def _show_moment(self) -> None:
        """The cursor has moved: halfway between two moments, everything tells of the next."""
        data = self.follower.data
        if self.active and data is not None:
            self.screen.show_moment(data, self.steering.state(data))
            if self.moment != self._inspected:
                self.inspect()

    def _show_lines(self) -> None:
        self.screen.show_lines(self.follower.data, self.other.data if self.other.folder else None)

    # the inspector

    def _on_sources(self, _: object) -> None:
        self._sources_read = True
        self.inspect()

    def inspect(self) -> None:
        data = self.follower.data
        if not self.active:
            return
        self._inspected = self.moment
        if self.workspace.run is None:
            if self.planning.config is not None:  # else the last plan stays until the fields fit
                self.inspection.emit(planned_inspection(self.planning.config))
        elif data is not None and self._sources_read:
            self.inspection.emit(self.screen.inspection(data))
