"""Step: connects the recorded steps of a run to the picture of each phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.training.recorded_step import RecordedStep
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk
from explorer.panes.run_watcher import READING, RunWatcher
from explorer.panes.training.phases import load_sources
from explorer.panes.training.step import text
from explorer.panes.training.step.compute import Opened, Opener
from explorer.panes.training.step.inspector import inspection
from explorer.panes.training.step.scene import Place, place_of
from explorer.panes.training.step.view import StepInputs, StepView
from explorer.runs.run_data import RunData
from explorer.state.tracks import TraceTrack


class StepMode(RunWatcher):
    """Shows a recorded step of the open run: the newest, or a selected one."""

    id = "step"
    title = "Step"
    teaches = "What happens in one optimizer step, from reading a batch to moving the weights"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        opener = Opener()
        super().__init__(desk, parent, opener)
        self.opener = opener
        self.inputs, self.view = StepInputs(), StepView()
        self.opened: Opened | None = None
        self.token, self.weight = (0, 0), 0
        self._newest = 0  # recorded step of the run
        self._wish = ""  # the phase to show once its step is open
        self._sources_read = False
        self._sources = Latest(self.engine, self)
        self._connect()
        self._sources.call(load_sources, name="the lines of code")
        self.watch()

    def _connect(self) -> None:
        view, inputs = self.view, self.inputs
        inputs.steps.picked.connect(lambda step: self.choose(step=step))
        inputs.ranks.picked.connect(lambda rank: self.choose(rank=rank))
        inputs.record.clicked.connect(self.record)
        view.parameters.picked.connect(lambda name: self.choose(parameter=name))
        view.strip.picked.connect(self.go_to)
        view.text.chosen.connect(self.choose_token)
        view.picture.chosen.connect(self.choose_inside)
        view.body.actionRequested.connect(self.record)
        self._sources.came.connect(self._on_sources)

    # the pane's interface

    def state(self) -> dict[str, Any]:
        chosen = {"version": 1, "weight": self.weight, "token": list(self.token)}
        return chosen | vars(self.opener.choice)

    def restore(self, state: dict[str, Any]) -> None:
        match state:
            case {"step": int(step), "rank": int(rank), "parameter": str(parameter)}:
                self.choose(step=step, rank=rank, parameter=parameter)
        match state:
            case {"weight": int(weight), "token": [int(sequence), int(place)]}:
                self.choose_weight(weight)
                self.choose_token(max(sequence, 0), max(place, 0))

    def pictures(self) -> dict[str, QWidget]:
        return self.view.pictures()

    def take(self, wish: dict[str, Any]) -> None:
        """Opens a recorded step at one of its phases: {"step": 813, "phase": "backward"}."""
        self._wish = str(wish.get("phase", ""))
        self.choose(step=int(wish.get("step", 0)))
        self._fulfil()

    def on_position(self, position: float) -> None:
        place = self.place
        if self.step is not None and place is not None:
            self.view.set_place(place)
            self.set_headline(text.headline(self.step, place))

    def beside(self) -> Sequence[QWidget]:
        return self.view.strip, self.view.memory

    # choices

    def choose(self, **changes: Any) -> None:
        """Changes the `step` (0: the newest), `rank` or `parameter`."""
        choice = replace(self.opener.choice, **changes)
        if choice != self.opener.choice:
            self.opener.choice = choice
            if self.folder is not None:
                self.look_again()

    def choose_token(self, sequence: int, place: int) -> None:
        """Selects the token whose likeliest alternatives are shown."""
        self.token = sequence, place
        if self.step is not None:
            self.view.set_token(self.step, sequence, place)

    def choose_weight(self, weight: int) -> None:
        """Selects one of the recorded weights of the parameter."""
        last = len(self.step.kept) - 1 if self.step is not None else weight
        self.weight = max(0, min(weight, last))
        self.view.picture.set_weight(self.weight)
        self.inspect()

    def go_to(self, phase: int, inner: int | None = None) -> None:
        """Moves to a phase, or to a step inside it."""
        while self.player.leave():
            pass
        self.player.seek(phase)
        if inner is not None:
            self.go_inside(inner)

    def go_inside(self, inner: int) -> None:
        """Moves to a step inside the phase under the cursor."""
        if self.player.depth or self.player.enter():
            self.player.seek(inner)

    def choose_inside(self, index: int) -> None:
        """Selects a part of the model, or, in the optimizer, a recorded weight."""
        if self.view.picture.phase == "optimizer":
            self.choose_weight(index)
        else:
            self.go_inside(index)

    def record(self) -> None:
        """Records and shows the run's next step; opens Run if the run is not training."""
        if self.trains:
            self.choose(step=0)
            self.steer("record", said=text.ASKED)
        else:
            self.modeRequested.emit("run", {})

    # the run

    @property
    def step(self) -> RecordedStep | None:
        """The visible step, or None."""
        return self.opened.step if self.opened is not None else None

    def on_run(self) -> None:
        self.opened, self._newest = None, 0
        self.opener.choice = replace(self.opener.choice, step=0, rank=0)
        self.inputs.set_live(False)
        if self.folder is None:
            self._show_nothing()
        else:
            self.view.body.show_loading(READING)

    def on_failed(self, message: str) -> None:
        self.opened = None
        self._clear(message)
        self.view.body.show_error(message)

    def on_data(self, data: RunData) -> None:
        before, self.opened = self.opened, self.follower.extra
        newest = max(data.recorded, default=0)
        if 0 < self._newest < newest:
            self.statusRequested.emit(text.RECORDED.format(newest))
        self._newest = newest
        self.inputs.set_live(data.active)
        opened = self.opened
        if opened is None:
            self._show_nothing()
            return
        self.inputs.set_choices(data.recorded, opened.choice.step, opened.ranks, opened.rank)
        if opened.step is None:
            self._clear(text.UNREADABLE.format(opened.number))
            self.view.body.show_error(opened.error)
        elif opened is not before:
            self._show_step(opened.step)
        elif opened.choice == self.opener.choice:
            self.view.body.show_ready()

    # the picture

    def _show_step(self, step: RecordedStep) -> None:
        """Shows a step at the position that the cursor had in the previous one."""
        path = self.player.path if self.active and self.player.length else []
        self.view.set_scene(step)
        self.set_tracks([TraceTrack(step.trace)])
        if path:
            self.go_to(round(path[0]), *map(round, path[1:2]))
        self.choose_token(*self.token)
        self.choose_weight(self.weight)
        self._fulfil()

    def _show_nothing(self) -> None:
        self.inputs.set_choices((), 0, (), 0)
        known = (self.trains, bool(self.data.log)) if self.data is not None else (False, False)
        sentence, button = text.empty(self.folder is not None, *known)
        self._clear(sentence)
        self.view.body.show_empty(sentence, button)

    def _clear(self, headline: str) -> None:
        self.view.clear()
        if self.tracks:
            self.set_tracks([])
        self.set_headline(headline)
        self.inspect()

    def _fulfil(self) -> None:
        """Moves to the requested phase once its step is open."""
        opened, step = self.opened, self.step
        if opened is not None and step is not None and opened.choice == self.opener.choice:
            if self._wish in step.phases:
                self.go_to(step.phases.index(self._wish))
            self._wish = ""

    @property
    def place(self) -> Place | None:
        """The place of the cursor; None without a step."""
        if self.step is None or not self.active or not self.player.length:
            return None
        return place_of(self.step, self.player.path)

    def _on_sources(self, _: object) -> None:
        self._sources_read = True
        self.inspect()

    def inspect(self) -> None:
        if not self.active or not self._sources_read:
            return
        place = self.place
        if self.step is None or self.data is None or place is None:
            self.inspection.emit(None)
        else:
            self.inspection.emit(inspection(self.step, place, self.data.numbers, self.weight))
