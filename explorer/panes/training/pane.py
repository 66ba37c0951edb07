"""The training pane: wires setup, run, cursor and inspector together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from explorer.actions import Action
from explorer.engine import SUPERSEDED
from explorer.panes.base import Context, Pane
from explorer.panes.training import files, words
from explorer.panes.training.follow import Follower, RunData
from explorer.panes.training.header import RunChoice, list_runs
from explorer.panes.training.heads import HeadFilm
from explorer.panes.training.moments import Moment, MomentTrack, moments_of, nearest
from explorer.panes.training.options import Options, config_of, run_name
from explorer.panes.training.phases import (
    CODE,
    PHASES,
    PhaseTrack,
    moment_inspection,
    phase_inspection,
    plan_inspection,
)
from explorer.panes.training.planning import Planning, schedule
from explorer.panes.training.setup import SetupView
from explorer.panes.training.steering import Steering
from explorer.panes.training.view import RunView


def create(context: Context) -> TrainingPane:
    return TrainingPane(context)


class TrainingPane(Pane):
    """Setup while no run is looked at, else the run; the transport is live television."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, "training", parent)
        self.setup, self.view = SetupView(), RunView()
        self.choice = RunChoice(self.view.charts.tools, self)
        self.choice.hide()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.setup)
        self.stack.addWidget(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        self.planning = Planning(self.engine, self.setup, self)
        self.steering = Steering(self.engine, context.runs, self)
        self.follower = Follower(self.engine, self)
        self.other = Follower(self.engine, self)
        self.film = HeadFilm(self.engine, self.view.mosaic, self)
        self.track = MomentTrack(
            playing=self._trains, play=self.train_on, pause=self.pause_run, step=self.step_run
        )
        self._sources_read = False
        self._opened = ""  # a run that is new on the screen: the cursor goes to its edge
        self._attempts = 0
        self._connect()
        options = Options().change({"run_in": context.settings.run_in})
        self.planning.set_options(options)
        self.set_headline(words.SETUP)
        self._list_runs()
        if self.workspace.run is not None:
            self._on_run(self.workspace.run)

    def _connect(self) -> None:
        self.setup.changed.connect(self._on_option)
        self.setup.startRequested.connect(self.start_run)
        self.setup.fileRequested.connect(self.ask_for_text)
        self.setup.fileDropped.connect(self._on_dropped)
        self.view.asked.connect(self._on_asked)
        self.view.stepClicked.connect(self._on_step_clicked)
        self.view.phaseClicked.connect(self.enter_phase)
        self.view.headClicked.connect(
            lambda layer, head: self.workspace.select(layer=layer, head=head)
        )
        self.film.shown.connect(self.view.set_heads_step)
        self.choice.runChosen.connect(self.workspace.set_run)
        self.choice.newRequested.connect(self.new_run)
        self.choice.otherChosen.connect(self.overlay)
        self.choice.openRequested.connect(self.ask_for_run)
        self.planning.planned.connect(lambda _: self._inspect())
        self.steering.opened.connect(self._on_began)
        self.steering.refused.connect(self._on_refused)
        self.steering.changed.connect(self._show)
        self.follower.changed.connect(self._on_data)
        self.follower.failed.connect(self._on_lost)
        self.other.changed.connect(lambda _: self._show_lines())
        self.player.positionChanged.connect(lambda _: self._show_moment())
        self.player.stepChanged.connect(lambda _: self._inspect())
        self.player.liveChanged.connect(lambda _: self._show())
        self.context.runs.changed.connect(lambda _: (self._list_runs(), self.follower.look()))
        self.workspace.runChanged.connect(self._on_run)
        self.workspace.textOpened.connect(self.choose_text)
        self.engine.ready.connect(self._read_sources)

    # what the window asks

    def header(self) -> QWidget | None:
        return self.choice

    def pictures(self) -> dict[str, QWidget]:
        lines = self.view.charts
        return {
            "losses": lines.loss,
            **lines.small,
            "heads": self.view.mosaic,
            "schedule": self.setup.plot,
        }

    def state(self) -> dict[str, Any]:
        return {
            "version": 1,
            "options": self.planning.options.to_json(),
            "overlay": str(self.other.folder or ""),
            **self.view.charts.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.planning.set_options(Options.from_json(state.get("options")))
        self.view.charts.restore(state)
        if isinstance(state.get("overlay"), str) and state["overlay"]:
            self.overlay(state["overlay"])

    async def settled(self) -> None:
        if self.engine.alive and not self.engine.is_ready:
            ready = asyncio.get_running_loop().create_future()
            waiting = self.engine.ready.connect(lambda: ready.done() or ready.set_result(None))
            if not self.engine.is_ready:
                await ready
            self.engine.ready.disconnect(waiting)
        await super().settled()

    def shown(self) -> None:
        self._list_runs()
        self._read_sources()
        self.follower.look()
        self._inspect()

    def actions(self) -> list[Action]:
        def looking() -> bool:
            return self.follower.data is not None

        def branchable() -> bool:
            moment = self.moment
            return moment is not None and moment.checkpoint is not None

        return [
            Action("training.start", "Start training", self.start_run, "Ctrl+Return", menu="Run",
                   group=2, enabled=lambda: not self.planning.errors),
            Action("training.new", "New run", self.new_run, menu="Run", group=2),
            Action("training.branch", "Resume from here (a branch)", self.branch_here, menu="Run",
                   group=2, enabled=branchable),
            Action("training.text", "Train on a text file\u2026", self.ask_for_text, menu="Run",
                   group=3),
            Action("training.open", "Open a run folder\u2026", self.ask_for_run, menu="Run", group=3),
            Action("training.csv", "Export the run as CSV\u2026", self.ask_for_csv, menu="Run",
                   group=3, enabled=looking),
            Action("training.png", "Export the run as PNG\u2026", self.ask_for_png, menu="Run",
                   group=3, enabled=looking),
        ]  # fmt: skip

    def views(self) -> dict[str, Callable[[], Any]]:
        from explorer.panes.training.demo import views

        return views(self)

    # where the cursor is

    @property
    def moment(self) -> Moment | None:
        """What the cursor looks at; inside a step, the moment that it belongs to."""
        moments = self.track.moments
        if not moments:
            return None
        track = self.player.track
        if isinstance(track, PhaseTrack):
            return moments[nearest(moments, track.step)]
        return moments[min(round(self.player.position), len(moments) - 1)]

    @property
    def replaying(self) -> bool:
        """The cursor stands on a recorded moment, not at the newest."""
        moment = self.moment
        if moment is None or self.player.at_live_edge:
            return False
        return not moment.edge and moment is not self.track.moments[-1]

    # steering

    def start_run(self) -> None:
        """Trains what the setup says, at once."""
        if self.planning.errors:
            self.statusRequested.emit(next(iter(self.planning.errors.values())))
            return
        options = self.planning.options
        self.steering.backend = options.run_in
        self.context.settings.run_in = options.run_in
        try:
            config = config_of(options, self.workspace.prompt)
        except ValueError as error:
            self._on_refused(str(error))
            return
        self.steering.begin(config, run_name(options))

    def train_on(self) -> None:
        """Play at the live edge."""
        data = self.follower.data
        if data is None or data.finished:
            return
        if data.active:
            self.steering.resume(data.folder)
        else:
            self.steering.start(data.folder)

    def pause_run(self) -> None:
        if self.follower.data is not None:
            self.steering.pause(self.follower.data.folder)

    def step_run(self) -> None:
        """One optimizer step at the live edge."""
        data = self.follower.data
        if data is None or data.finished:
            return
        if data.active:
            self.steering.step(data.folder)
        else:
            self.steering.start(data.folder, steps=1)

    def branch_here(self) -> None:
        """A new run from the checkpoint under the cursor."""
        moment, data = self.moment, self.follower.data
        if moment is None or data is None or moment.checkpoint is None:
            return
        more = max(1, data.config.steps // 2)
        changes = {} if moment.step < data.config.steps else {"steps": moment.step + more}
        self.steering.branch(data.folder, moment.step, changes)

    def _on_asked(self, what: str) -> None:
        data = self.follower.data
        if data is None:
            return
        match what:
            case "pause":
                self.steering.pause(data.folder)
            case "resume" | "continue":
                self.train_on()
            case "stop":
                self.steering.stop(data.folder)
            case "branch":
                self.branch_here()
            case "lower":
                self._lower(data)

    def _lower(self, data: RunData) -> None:
        """After a loss that is no number: go on from the last good checkpoint, more carefully."""
        rate = data.config.learning_rate / 10
        low = min(data.config.min_learning_rate, rate)
        if data.checkpoints:
            changes = {"learning_rate": rate, "min_learning_rate": low}
            self.steering.branch(data.folder, max(data.checkpoints), changes)
        else:
            self.new_run()
            self.planning.set_options(
                self.planning.options.change(
                    {"learning_rate": f"{rate:g}", "min_learning_rate": f"{low:g}"}
                )
            )

    def _trains(self) -> bool:
        return self.steering.state(self.follower.data) in ("running", "new")

    # runs

    def new_run(self) -> None:
        """Back to the setup; the run that trains goes on."""
        self.workspace.set_run(None)

    def open_run(self, folder: str) -> None:
        self.workspace.set_run(folder)

    def overlay(self, folder: str) -> None:
        """Another run over this one; "" for none."""
        self.other.follow(Path(folder) if folder else None)
        self._show_lines()
        self._list_runs()

    def _on_began(self, folder: str) -> None:
        self.workspace.set_run(folder)
        self._list_runs()

    def _on_run(self, folder: str | None) -> None:
        self.steering.wanted = None
        self._opened = folder or ""
        self.film.clear()
        self.follower.follow(Path(folder) if folder else None)
        self.track.set_moments([], False, None)
        self.player.set_track(None)
        self.stack.setCurrentWidget(self.view if folder else self.setup)
        self.inspection.emit(None)
        self._inspect()
        self._list_runs()
        self._show()

    def _on_lost(self, message: str) -> None:
        self.statusRequested.emit(message)
        if self.follower.data is None:
            self.workspace.set_run(None)

    def _on_refused(self, message: str) -> None:
        self.statusRequested.emit(message)
        self.setup.set_why(message)
        self._show()

    def _list_runs(self) -> None:
        extra = [str(self.workspace.run or ""), str(self.other.folder or "")]
        self.spawn(self._fill_runs(extra))

    async def _fill_runs(self, extra: list[str]) -> None:
        runs = await self.engine.io(list_runs, self.context.runs.folder(), extra)
        current, other = self.workspace.run, self.other.folder
        self.choice.set_runs(
            runs,
            str(Path(current).resolve()) if current else "",
            str(other.resolve()) if other else "",
        )

    # setup

    def _on_option(self, name: str, text: str) -> None:
        before = self.planning.options
        after = before.change({name: text})
        self.planning.set_options(after)
        self.setup.set_why("")

    def _on_dropped(self, path: str) -> None:
        if (Path(path) / "run.json").is_file():
            self.open_run(path)
        else:
            self.choose_text(path)

    def choose_text(self, path: str) -> None:
        """Trains on this file from now on; the setup says what is wrong with it."""
        self.new_run()
        self.planning.change("corpus", path)

    def ask_for_text(self) -> None:
        files.ask(self, "Choose a text to learn from", self.choose_text)

    def ask_for_run(self) -> None:
        files.ask_folder(self, str(self.context.runs.folder()), self.open_run)

    def ask_for_csv(self) -> None:
        self._ask_to_save("csv", lambda data, path: files.save_csv(data, path))

    def ask_for_png(self) -> None:
        self._ask_to_save("png", lambda _, path: files.save_png(self.view, path))

    def _ask_to_save(self, kind: str, save: Callable[[RunData, Path], None]) -> None:
        data = self.follower.data
        if data is not None:
            files.ask_target(self, f"{data.name}.{kind}", lambda path: save(data, path))

    # showing

    def _on_data(self, data: RunData) -> None:
        live = not data.finished
        if data.attempts != self._attempts:
            self._attempts = data.attempts
            self.film.clear()
        moments = moments_of(data.step, data.probes, data.checkpoints, live)
        before, inside = self.moment, self.player.depth > 0
        was_live = self.player.at_live_edge
        self.track.set_moments(moments, live, data.numbers)
        if self._opened:
            self._opened = ""
            self.player.set_track(self.track)
            self.player.end()
        elif not inside:
            self._keep_cursor(before, was_live)
        if data.state in ("failed",) and not len(data.steps) and not data.checkpoints:
            self.planning.refuse_corpus(data.message) if data.config.corpus != "stories" else None
        self._show()
        self._inspect()

    def _keep_cursor(self, before: Moment | None, was_live: bool) -> None:
        """Moments were added or thinned: the cursor stays on its moment, or at the edge."""
        last = len(self.track.moments) - 1
        position = self.player.position
        at = nearest(self.track.moments, before.step) if before is not None else last
        if was_live or position > last:
            at = last
        moved = not was_live and round(position) != at
        ended = was_live and not self.track.is_live and position != last
        if moved or ended or position > last:
            playing = self.player.playing and not was_live
            self.player.seek(at)
            if playing:
                self.player.play()
        self.player.refresh()

    def _show(self) -> None:
        data = self.follower.data
        state = self.steering.state(data)
        if data is None:
            text = "preparing" if self.workspace.run else ""
            self.set_headline(words.SETUP if not text else "Opening the run.")
            self.view.heads.show_loading()
            return
        self.view.card.set_text(words.card_text(data, state, self.moment, self.replaying))
        self._show_lines()
        self._show_moment()
        self.player.playingChanged.emit(self.player.playing)

    def _show_lines(self) -> None:
        other = self.other.data if self.other.folder else None
        self.view.charts.set_runs(self.follower.data, other)

    def _show_moment(self) -> None:
        """What depends on the cursor alone."""
        data, moments = self.follower.data, self.track.moments
        if data is None or not moments:
            return
        state = self.steering.state(data)
        if isinstance(self.player.track, PhaseTrack):
            index = min(max(self.player.step, 0), len(PHASES) - 1)
            self.view.phases.set_current(self.player.position)
            self.set_headline(words.phase_headline(index, self.player.track.step))
            return
        self.view.phases.set_current(None)
        moment, position = self.moment, min(self.player.position, len(moments) - 1)
        replaying = self.replaying
        self.view.card.set_text(words.card_text(data, state, moment, replaying))
        self.set_headline(words.headline(data, state, moment, replaying))
        low = moments[int(position)].step
        high = moments[min(int(position) + 1, len(moments) - 1)].step
        step = low + (high - low) * (position - int(position))
        self.view.charts.set_cursor(step if replaying else None)
        shown = [sample for sample in data.samples if sample.step <= step + 0.5]
        self.view.samples.set_samples(shown)
        if self.film.show(moments, position):
            self.view.heads.show_ready()
        else:
            shape = data.config.model
            self.view.mosaic.set_shape(shape.n_layer, shape.n_head)
            self.view.heads.skeleton.set_grid(shape.n_layer, shape.n_head)
            self.view.heads.show_loading("waiting for the first picture of the heads")

    def _on_step_clicked(self, step: float) -> None:
        if not self.track.moments:
            return
        while self.player.leave():
            pass
        self.player.seek(nearest(self.track.moments, step))

    def enter_phase(self, index: int) -> None:
        """Goes into the optimizer step under the cursor, at one of its phases."""
        if not isinstance(self.player.track, PhaseTrack) and not self.player.enter():
            self.statusRequested.emit("No step is recorded here yet")
            return
        self.player.seek(index)

    # the inspector

    def _read_sources(self) -> None:
        if not self._sources_read and self.engine.is_ready:
            self.spawn(self._load_sources())

    async def _load_sources(self) -> None:
        answer = await self.engine.call(_load_sources, key=(id(self), "sources"))
        if answer is not SUPERSEDED:
            self._sources_read = True
            self._inspect()

    def _inspect(self) -> None:
        data, moment = self.follower.data, self.moment
        if self.workspace.run is None:
            config = self.planning.config
            if config is not None:
                self.inspection.emit(plan_inspection(config, *schedule(config)))
            return
        if data is None or moment is None or not self._sources_read:
            return
        track = self.player.track
        if isinstance(track, PhaseTrack):
            name = PHASES[min(max(self.player.step, 0), len(PHASES) - 1)]
            self.inspection.emit(phase_inspection(name, track.numbers, track.step))
        else:
            self.inspection.emit(moment_inspection(data.numbers, moment.step))


def _load_sources() -> None:
    """On the engine's thread: finding the lines of the loop loads torch."""
    from core.trace import source

    for marker in CODE.values():
        source(marker)
