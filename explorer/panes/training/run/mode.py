"""Run: connects the setup, the open run, the cursor over its moments, and the inspector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.training.this_machine import Machine
from explorer.engine import errors
from explorer.engine.latest import Latest
from explorer.panes.attention_link import show_head
from explorer.panes.base import Inspection
from explorer.panes.modes import Desk
from explorer.panes.run_watcher import RunWatcher
from explorer.panes.training.phases import load_sources, phase_inspection
from explorer.panes.training.run import compute, head_scores, text
from explorer.panes.training.run.ancestry import read_past
from explorer.panes.training.run.batches import Batch, BatchReader
from explorer.panes.training.run.branch import Branch
from explorer.panes.training.run.card_text import card_text, ended, opening, why_no_branch
from explorer.panes.training.run.controls import Controls
from explorer.panes.training.run.cursor import Cursor
from explorer.panes.training.run.draft import draft_of
from explorer.panes.training.run.form import SetupForm
from explorer.panes.training.run.generalization_gap import gap
from explorer.panes.training.run.head_snapshots import HeadSnapshots, source_at
from explorer.panes.training.run.inputs import RunInputs
from explorer.panes.training.run.inspector import (
    data_inspection,
    moment_inspection,
    plan_inspection,
)
from explorer.panes.training.run.known_runs import KnownRuns
from explorer.panes.training.run.setup import Setup
from explorer.panes.training.run.track import Moment, MomentTrack, PhaseTrack
from explorer.panes.training.run.view import RunView
from explorer.runs.folders import holds_run
from explorer.runs.follower import Follower
from explorer.runs.run_data import RunData
from explorer.runs.steering import Steering
from explorer.widgets import dialogs
from explorer.widgets.encoding import write_png
from explorer.widgets.pages import Pages
from explorer.widgets.rendering import SCALE, drawn


class RunMode(RunWatcher):
    """Shows the setup while no run is open, else the run, live or as a replay.

    Does not touch the player while another mode is shown.
    """

    id = "run"
    title = "Run"
    teaches = "Set up a run, watch the model learn, replay the run and branch off from it"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        context, engine, workspace = self.context, self.engine, self.workspace
        self.form, self.view = SetupForm(), RunView()
        self.stack = Pages(self.form, self.view)
        self.inputs = RunInputs(self.view.charts.tools)
        self.known_runs = KnownRuns(context, self)
        self.setup = Setup(engine, workspace, self.form, self, context.settings.run_in)
        self.steering = Steering(engine, context.runs, context.settings, self)
        self.controls = Controls(self.steering, lambda: self.data, self.refusal, self)
        self.branch = Branch(workspace, self.view, self)
        self.other = Follower(context.runs, self)
        self.followers.append(self.other)
        track = MomentTrack(
            playing=lambda: self.controls.trains,
            play=self.controls.play,
            pause=self.controls.pause,
            step=self.controls.step,
        )
        self.cursor = Cursor(self.player, track, self.set_tracks)
        self.snapshots = HeadSnapshots(engine, self.view.mosaic, self)
        self.batches = BatchReader(engine, self)
        self._past: RunData | None = None  # of a branch: its ancestors up to the branch step
        self._pasts = Latest(engine, self)
        self._unread = True  # no data of the run has arrived yet
        self._attempts = 0
        self._likeness = ""  # compares a branch with its parent
        self._inspected: Moment | None = None
        self._phase: tuple[PhaseTrack, str, Batch | None, Inspection] | None = None
        self._last: str | None = None  # the last run that could be read; None after New run
        self._sources_read = False
        self._sources = Latest(engine, self)
        self._connect()
        self.setup.plan()
        self.set_headline(text.SETUP)
        self._list_runs()
        self.watch()

    def _connect(self) -> None:
        form, view, workspace = self.form, self.view, self.workspace
        form.changed.connect(lambda *_: form.set_why(""))
        form.startRequested.connect(self.start_run)
        form.fileRequested.connect(self.ask_for_text)
        form.fileDropped.connect(lambda path: self.spawn(self._take_file(path)))
        view.card.asked.connect(self.controls.press)
        view.charts.clicked.connect(self.cursor.seek_step)
        view.charts.headClicked.connect(self.open_head)
        view.charts.looksChanged.connect(self._show)
        view.phases.picked.connect(self.show_phase)
        view.insideRequested.connect(self.show_inside)
        view.mosaic.headClicked.connect(self.open_head)
        self.inputs.runChosen.connect(self.open_run)
        self.inputs.newRequested.connect(self.new_run)
        self.inputs.otherChosen.connect(self.overlay)
        self.inputs.openRequested.connect(self.ask_for_run)
        self.known_runs.listed.connect(self.inputs.set_runs)
        self.setup.planned.connect(lambda _: self.inspect())
        self.setup.measured.connect(self._on_measured)
        self.setup.confirmed.connect(self.steering.begin)
        self.setup.refused.connect(self._on_refused)
        self.branch.confirmed.connect(self.steering.branch)
        self.controls.branchRequested.connect(self.branch_here)
        self.controls.settingsTaken.connect(self._set_up_anew)
        self.controls.told.connect(self.statusRequested)
        self.steering.opened.connect(self._on_began)
        self.steering.refused.connect(self._on_refused)
        self.steering.changed.connect(self._show)
        self.snapshots.shown.connect(self._on_heads)
        self.batches.read.connect(self.inspect)
        self._pasts.came.connect(self._on_past)
        self.other.changed.connect(lambda _: self._show_lines())
        self.context.runs.changed.connect(lambda _: (self._list_runs(), self.follower.look()))
        workspace.textOpened.connect(self.choose_text)
        workspace.tokenizerOpened.connect(lambda *_: self.show_here())
        workspace.runOpened.connect(lambda _: self.show_here())
        self._sources.came.connect(self._on_sources)
        self._sources.call(load_sources, name="the lines of code")

    # the pane's interface

    def widget(self) -> QWidget:
        return self.stack

    def pictures(self) -> dict[str, QWidget]:
        charts = self.view.charts
        return {
            "losses": charts.loss,
            **charts.small,
            "head-scores": charts.heads,
            "heads": self.view.mosaic,
            "schedule": self.form.plot,
        }

    @property
    def file_stem(self) -> str:
        return self.data.name if self.data is not None else super().file_stem

    def state(self) -> dict[str, Any]:
        overlay = str(self.other.folder or "")
        return {"version": 1, "overlay": overlay, **self.view.charts.state()}

    def restore(self, state: dict[str, Any]) -> None:
        self.view.charts.restore(state)
        if isinstance(state.get("overlay"), str) and state["overlay"]:
            self.overlay(state["overlay"])

    def shown(self) -> None:
        self._list_runs()
        super().shown()
        if self.data is not None:  # it may have trained on while another mode was shown
            self.cursor.renew(self.data)
            self._show()

    def cancel(self) -> bool:
        """Handles Esc: closes the branch's form first, before the pane leaves a step."""
        return self.branch.close()

    def on_playing(self, playing: bool) -> None:
        """Does nothing: the run is also followed during a replay."""

    def on_position(self, position: float) -> None:
        self._show_moment()

    def on_live(self, live: bool) -> None:
        self._show()

    # the cursor

    @property
    def track(self) -> MomentTrack:
        return self.cursor.track

    @property
    def moment(self) -> Moment | None:
        return self.cursor.moment

    @property
    def replaying(self) -> bool:
        return self.cursor.replaying

    def show_phase(self, index: int) -> None:
        """Shows a phase of the offered recorded step in Step. Inside a step, or without a recorded
        one, shows the phase's numbers here.
        """
        step, data = self.view.recorded, self.data
        if step and data is not None and self.cursor.inside is None:
            self.modeRequested.emit("step", {"step": step, "phase": data.numbers.phases[index]})
        else:
            self.enter_phase(index)

    def enter_phase(self, index: int) -> None:
        """Enters the optimizer step under the cursor, at one of its phases."""
        if not self.cursor.enter(index):
            self.statusRequested.emit("No step has been recorded here yet")

    def show_inside(self, step: int) -> None:
        """Shows a recorded step in Step, at the phase under the cursor."""
        inside = self.cursor.inside
        phase = inside.names[self.cursor.phase] if inside is not None else ""
        self.modeRequested.emit("step", {"step": step, "phase": phase})

    def open_head(self, layer: int, head: int, step: float | None = None) -> None:
        """Shows a head in Attention, on the probe text: at a step, by default the cursor's; at the
        newest moment, in the current model.
        """
        data, moment = self.data, self.moment
        if data is None or moment is None:
            return
        if step is None and (self.replaying or self.cursor.inside is not None):
            step = self.cursor.step if self.snapshots.step is None else self.snapshots.step
        if step is None:
            source: Any = self.context.runs.source(data.folder)
            where = f"step {data.step:,}"
        elif data.checkpoints:
            source, where = source_at(self.engine, data, step)
        else:
            self.statusRequested.emit(why_no_branch(data, moment))
            return
        said = f"Layer {layer}, head {head} at {where}"
        self.spawn(self._open_head(source, data.probe_text, layer, head, said))

    async def _open_head(self, source: Any, read: str, layer: int, head: int, said: str) -> None:
        if await show_head(self.workspace, source, read, layer, head):
            self.statusRequested.emit(said)

    # runs

    def show_here(self) -> None:
        """Requests this mode, because something was opened for it."""
        self.modeRequested.emit(self.id, {})

    def start_run(self) -> None:
        """Starts the run from the setup."""
        draft = self.setup.draft.value
        if not self.setup.errors and draft.is_by_hand("run_in") and draft.where == draft.run_in:
            self.context.settings.run_in = draft.run_in
        self.setup.start(self.workspace.prompt)

    def branch_here(self) -> None:
        """Opens the form for a branch from the checkpoint under the cursor."""
        moment, data = self.moment, self.data
        if moment is not None and data is not None and moment.checkpoint is not None:
            self.branch.open(data, moment.step)

    def new_run(self) -> None:
        """Returns to the setup; a training run continues."""
        self.workspace.set_run(None)

    def _set_up_anew(self, data: RunData, changes: dict[str, Any]) -> None:
        """Returns to the setup, filled with the settings of a run plus these changes."""
        draft = draft_of(data.config.change(changes), self.setup.draft.value)
        self.new_run()
        self.setup.draft.change(draft, f"Take the settings of {data.name}")

    def open_run(self, folder: str) -> None:
        self.workspace.set_run(folder)

    def overlay(self, folder: str) -> None:
        """Overlays another run; "" for none."""
        self.other.follow(Path(folder) if folder else None)
        self._show_lines()
        self._list_runs()

    def refusal(self, data: RunData) -> str:
        """Returns why this machine cannot train a run; "" if it can or is not measured yet."""
        here, config = self.setup.here, data.config
        return here.refusal(config.device, config.ranks) if here is not None else ""

    def _on_began(self, folder: str, parent: str) -> None:
        """Opens the new run; a branch gets its parent as the overlay."""
        self.workspace.set_run(folder)
        self.overlay(parent)

    def on_run(self) -> None:
        folder = self.workspace.run
        name = Path(folder).name if folder else ""
        if self._last is not None:
            self.overlay("")  # it belonged to the previous run
        if folder is None:
            self._last = None
        self.branch.close()
        self.cursor.clear(fresh=folder is not None)
        self.cursor.track.ended = ""
        self.snapshots.clear()
        self._pasts.stop()
        self._unread = True
        self._likeness, self._past, self._phase = "", None, None
        self.view.clear(opening(name))
        self.set_headline(f"Opening {name}." if name else text.SETUP)
        self._turn_to(self.view if folder else self.form)
        self.inspection.emit(None)
        self.inspect()
        self._list_runs()

    def _turn_to(self, page: QWidget) -> None:
        """Shows the run or the setup. If the focused button disappears with the old page, the new
        page gets the focus: Qt would give it to a button that had it before, and Space could then
        stop the run that it has just started.
        """
        focus, before = self.stack.window().focusWidget(), self.stack.currentWidget()
        goes = focus is not None and (focus is self.inputs.new or before.isAncestorOf(focus))
        self.stack.setCurrentWidget(page)
        if goes and page is not before:
            (self.view.card if page is self.view else self.form).setFocus()

    def on_failed(self, message: str) -> None:
        """Shows why a run cannot be opened, and returns to the previous one."""
        self.statusRequested.emit(message)
        if self.data is None:
            before, self._last = self._last, None
            self.workspace.set_run(before if before != self.workspace.run else None)

    def _on_refused(self, message: str) -> None:
        self.statusRequested.emit(message)
        self.form.set_why(message)
        self.branch.refuse(message)
        self._show()

    def _list_runs(self) -> None:
        shown = self.workspace.run, self.other.folder
        self.inputs.set_shown(*shown)
        self.known_runs.look(*shown)

    # files

    async def _take_file(self, path: str) -> None:
        """Opens a dropped run, or selects a dropped text for the setup."""
        if await self.engine.io(holds_run, Path(path)):
            self.open_run(path)
        else:
            self.choose_text(path)

    def choose_text(self, path: str) -> None:
        """Selects this file as the text in the setup; the form shows its errors."""
        self.show_here()
        self.new_run()
        self.setup.change("corpus", path)

    def ask_for_text(self) -> None:
        dialogs.ask_file(self.stack, "Choose a text to learn from", self.choose_text, text.FILES)

    def ask_for_run(self) -> None:
        start = str(self.context.runs.folder())
        dialogs.ask_folder(self.stack, "Open a run folder", self.open_run, start)

    def ask_for_csv(self) -> None:
        if (data := self.data) is not None:
            self._ask_target(f"{data.name}.csv", lambda path: compute.save_csv(data, path))

    def ask_for_png(self) -> None:
        """Exports the picture of the run, at twice its size on the screen."""
        if self.data is not None:
            image = drawn(self.view, SCALE)
            self._ask_target(f"{self.data.name}.png", lambda path: write_png(path, image))

    def _ask_target(self, name: str, write: Callable[[Path], None]) -> None:
        dialogs.ask_target(
            self.stack, "Export", name, lambda path: self.spawn(self._save(Path(path), write))
        )

    async def _save(self, path: Path, write: Callable[[Path], None]) -> None:
        """Writes in the engine's pool; an error becomes a card, and an old file survives it."""
        try:
            await self.engine.io(write, path)
        except OSError as error:
            errors.report(error, "exporting the run")
        else:
            self.statusRequested.emit(f"Saved {path}")

    # the picture

    def _on_measured(self, here: Machine) -> None:
        self.branch.here = here
        self._show()  # the card depends on the machine's speed and limits
        self.inspect()

    def on_data(self, data: RunData) -> None:
        first, self._unread = self._unread, False
        if first and (parent := data.parent) is not None:
            self._pasts.ask(lambda: self.engine.io(read_past, parent), "a run's past")
        self._last = self.workspace.run
        if self.active:
            self.cursor.renew(data)
        self.branch.know(data)
        self.known_runs.note(data.folder)
        began = len(data.steps) or data.checkpoints
        if data.state == "failed" and not began and data.config.corpus != "stories":
            self.setup.refuse_corpus(data.message)
        self._show_lines()
        self._show()
        self.inspect()

    def _show(self) -> None:
        self._show_moment()
        if self.active and self.data is not None:
            self.player.playingChanged.emit(self.player.playing)

    def _show_lines(self) -> None:
        data, other = self.data, self.other.data if self.other.folder else None
        self._likeness = text.likeness(data, other) if data is not None else ""
        self.view.charts.set_runs(data, other, self._past)

    def _on_past(self, past: RunData | None) -> None:
        self._past = past
        self._show_lines()

    def _show_moment(self) -> None:
        """Shows the moment under the cursor; halfway between two, the next one."""
        data, view, cursor = self.data, self.view, self.cursor
        if not self.active or data is None:
            return
        if data.attempts != self._attempts:  # a new attempt may overwrite later snapshots
            self._attempts = data.attempts
            self.snapshots.clear()
        if cursor.moments:
            state = self.steering.state(data)
            cursor.track.ended = ended(data, state)
            self._show_texts(data, state)
            view.set_step(data, cursor.step, cursor.replaying or cursor.inside is not None)
            view.phases.set_current(cursor.phase_position if cursor.inside is not None else None)
            config, sampled = data.config, [one.step for one in data.samples]
            view.set_empty_texts(
                loss=text.why_none(data, state, "losses", 1),
                scores=text.why_none(data, state, "scores of the heads", config.probe_every),
                samples=text.why_none(data, state, "samples", config.sample_every, sampled),
            )
            self._show_heads(data, state)
        if self.moment != self._inspected:
            self.inspect()

    def _show_texts(self, data: RunData, state: str) -> None:
        """Updates the card and the headline."""
        inside, moment, replaying = self.cursor.inside, self.moment, self.replaying
        looked_at = inside.step if inside is not None else None
        also = self._likeness, self.refusal(data)
        self.view.card.set_text(card_text(data, state, moment, replaying, looked_at, *also))
        charts = self.view.charts
        scores = head_scores.scores_at(data, charts.score, self.cursor.step)
        if inside is not None:
            place = inside.names, self.cursor.phase, inside.step, inside.skipped
            lesson = data.in_first_lesson(inside.step)
            self.set_headline(text.phase_headline(*place, lesson))
        elif replaying and moment and scores is not None and moment.step not in data.skips:
            self.set_headline(head_scores.sentence(charts.score, scores, moment.step))
        else:
            told = text.headline(data, state, moment, replaying, charts.smoothed_loss)
            self.set_headline(told)

    def _show_heads(self, data: RunData, state: str) -> None:
        if not self.snapshots.show(self.cursor.moments, self.cursor.position):
            self.view.set_heads(text.heads_title(data.probe_text, None))
            every, steps = data.config.probe_every, data.probes
            self.view.heads.show_empty(
                text.why_none(data, state, "snapshots of the heads", every, steps)
            )
        elif self.snapshots.step is not None:
            self._on_heads(self.snapshots.step)

    def _on_heads(self, step: int) -> None:
        """Shows the step and the scores of the visible snapshot."""
        if (data := self.data) is None:
            return
        score = self.view.charts.score
        self.view.set_heads(text.heads_title(data.probe_text, step))
        scores = head_scores.scores_at(data, score, self.cursor.step)
        self.view.mosaic.set_scores(scores, head_scores.score_title(score))
        self.view.heads.show_ready()

    # the inspector

    def _on_sources(self, _: object) -> None:
        self._sources_read = True
        self.inspect()

    def inspect(self) -> None:
        if not self.active:
            return
        self._inspected = self.moment
        if self.workspace.run is None:
            if self.setup.config is not None:  # else the last plan stays until the fields are valid
                self.inspection.emit(plan_inspection(self.setup.config))
        elif self.data is not None and self._sources_read:
            self.inspection.emit(self._inspection_of(self.data))

    def _inspection_of(self, data: RunData) -> Inspection | None:
        """Returns the inspection of the phase or moment under the cursor."""
        inside, moment = self.cursor.inside, self.moment
        if inside is not None:
            return self._phase_inspection(inside, inside.names[self.cursor.phase], data)
        if moment is None:
            return None
        return moment_inspection(data.numbers, moment.step, gap(data, moment.step), self.setup.here)

    def _phase_inspection(self, inside: PhaseTrack, phase: str, data: RunData) -> Inspection:
        """Returns the cached object while nothing changes, so that a table keeps its position."""
        batch = self.batches.batch(data.folder, inside.step) if phase == "data" else None
        if self._phase is None or self._phase[:3] != (inside, phase, batch):
            if phase == "data":
                made = data_inspection(inside.numbers, inside.step, batch)
            else:
                made = phase_inspection(phase, inside.numbers, inside.step)
            self._phase = (inside, phase, batch, made)
        return self._phase[3]
