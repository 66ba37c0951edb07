"""Optimizers: wires the draft, the race on the engine, and the pictures of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from core.autograd import ExpressionError
from core.optimization.surfaces import Surface
from explorer import theme
from explorer.panes.backprop.optimizers import explaining, text
from explorer.panes.backprop.optimizers.commands import commands
from explorer.panes.backprop.optimizers.demo import views
from explorer.panes.backprop.optimizers.draft import (
    TYPED,
    OptimizersDraft,
    settings_of,
    surface_of,
)
from explorer.panes.backprop.optimizers.header import OptimizersHeader
from explorer.panes.backprop.optimizers.inputs import Inputs
from explorer.panes.backprop.optimizers.racing import Course, Recording
from explorer.panes.backprop.optimizers.runner import Runner
from explorer.panes.backprop.optimizers.showing import Showing
from explorer.panes.backprop.optimizers.surveyor import Surveyor
from explorer.panes.backprop.optimizers.track import RaceTrack, UpdateTrack
from explorer.panes.backprop.optimizers.view import OptimizersView
from explorer.panes.base import Inspection
from explorer.panes.modes import Desk, Mode
from explorer.state.actions import Action
from explorer.state.draft import Draft


class OptimizersMode(Mode):
    """The draft lies in the workspace, so that each change of it can be undone."""

    id = "optimizers"
    title = "Optimizers"
    teaches = "How nine optimizers go downhill from one start, and what each remembers on its way"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = OptimizersView()
        self.inputs = OptimizersHeader()
        self.surface: Surface | None = None
        self.recording: Recording | None = None
        self.chosen = "adam"
        self._seen = False
        self._typed: tuple[str, Surface] | None = None
        self._wanted: float | None = None  # where a session was left
        self._left_at = 0.0
        self._unreadable = False
        self.draft = Draft(self.workspace, "backprop.optimizers", OptimizersDraft, self)
        self.runner = Runner(self)
        self.showing = Showing(self)
        self.surveyor = Surveyor(self)
        self.changing = Inputs(self)
        self._inspecting = QTimer(self)
        self._inspecting.setSingleShot(True)
        self._inspecting.setInterval(theme.MOTION["live_number"])
        self._inspecting.timeout.connect(self._tell)
        self.view.into.clicked.connect(self.go_in_or_out)
        self.draft.changed.connect(lambda _: self.refresh())
        self._headline = self.teaches

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def pictures(self) -> dict[str, QWidget]:
        return {
            "optimizers-map": self.view.map,
            "optimizers-loss": self.view.loss,
            "optimizers-moments": self.view.moments,
            "optimizers-schedule": self.view.common.curve,
        }

    def views(self) -> dict[str, Callable[[], Any]]:
        return views(self)

    def actions(self) -> list[Action]:
        return commands(self)

    def state(self) -> dict[str, Any]:
        plane = self.view.map.plane
        return {
            "version": 1,
            "step": self.place if self.active and self._wanted is None else self._left_at,
            "chosen": self.chosen,
            "plane": None if self.view.map.fits else [plane.x, plane.y, plane.scale],
        }

    @contextmanager
    def filming(self, picture: QWidget) -> Iterator[QWidget]:
        self.view.map.thorough = True
        try:
            yield picture
        finally:
            self.view.map.thorough = False

    def restore(self, state: dict[str, Any]) -> None:
        step = state.get("step")
        self._wanted = float(step) if type(step) in (int, float) and step >= 0 else None
        self._left_at = self._wanted or 0.0
        if isinstance(state.get("chosen"), str):
            self.choose(state["chosen"])
        self.refresh()
        self.showing.restore_plane(state.get("plane"))

    def shown(self) -> None:
        self._seen = True
        self.showing.set_formulas()
        self.refresh()

    def left(self) -> None:
        self._inspecting.stop()
        if self.active and self._wanted is None:
            self._left_at = self.place

    def cancel(self) -> bool:
        return self.player.leave()

    # running it

    def refresh(self) -> None:
        """Shows the draft's settings and runs the race again where it is another one."""
        one = self.draft.value
        self.showing.show_formula(one)
        try:
            surface = self._surface_of(one)
        except ExpressionError as error:
            self.view.editor.set_error(str(error), error.start, error.length)
            self.view.set_stale(True)
            self._unreadable = True
            self.view.set_unreadable(True)
            self.showing.show_start(one)
            self.changing.show(one, self.surface)
            self._tell()
            return
        self.view.editor.set_error("")
        if self._unreadable:
            self._unreadable = False
            self.view.set_unreadable(False)
            self._tell()
        fresh = surface is not self.surface
        self.surface = surface
        self.changing.show(one, surface)
        self.showing.show_surface(one, surface, fresh)
        if not self._seen:
            return
        try:
            entries = [(name, settings_of(one, surface, name)) for name in one.racers]
        except (ValueError, OverflowError) as error:
            if self.recording is None:  # else the last race stays, and the field says what is wrong
                self.fail(str(error), None)
            return
        start = surface.start if one.start is None else one.start
        text = one.text if one.surface == TYPED else ""
        course = Course(surface, text, start, one.steps, one.schedule, one.warmup_steps, one.seed)
        self.surveyor.look()
        self.surveyor.find_level_places()
        self.runner.want(course, entries)

    def _surface_of(self, one: OptimizersDraft) -> Surface:
        if one.surface != TYPED:
            return surface_of(one)
        if self._typed is None or self._typed[0] != one.text:
            self._typed = (one.text, surface_of(one))
        return self._typed[1]

    def take_recording(self, recording: Recording) -> None:
        """A race has been run: the cursor stays where it is."""
        before, self.recording = self.recording, recording
        self.view.set_stale(False)
        self.view.set_trouble("")
        self.showing.show_recording(recording)
        if self.chosen not in self.draft.value.racers and recording.lanes:
            self.choose(recording.lanes[-1].name)
        same = before is not None and before.length == recording.length and self.tracks
        if same:
            if self.active:
                while self.player.leave():
                    pass
            self.tracks[0].recording = recording  # type: ignore[attr-defined]
            self.grown()
        else:
            playing = self.active and self.player.playing
            self.set_tracks([RaceTrack(recording, lambda: self.chosen)], keep_position=True)
            if playing:
                self.player.play()
        if self._wanted is not None and self.active:
            self.player.seek(self._wanted)
            self._wanted = None
        self.on_position(self.player.position if self.active else 0.0)
        self._tell()

    def fail(self, message: str, course: Course | None) -> None:
        """The race could not be run; of one on another surface nothing may stay."""
        before = self.recording
        if course is not None and (before is None or before.course.surface is not course.surface):
            self.take_recording(Recording(course, (), message))
        self.view.set_trouble(message[:1].upper() + message[1:])
        self.view.set_stale(True)

    # looking

    @property
    def update_track(self) -> UpdateTrack | None:
        """The step that has been gone into."""
        track = self.player.track if self.active else None
        return track if isinstance(track, UpdateTrack) else None

    @property
    def place(self) -> float:
        """Where the race is: inside a step on the way from the one before to it."""
        inner = self.update_track
        if inner is None:
            return self.player.position
        return self.showing.place_inside(inner, self.player.position)

    def choose(self, name: str) -> None:
        """The optimizer whose steps are explained."""
        if name == self.chosen or name not in self.view.lanes.rows:
            return
        self.changing.finish_typing(name)
        if self.update_track is not None:
            while self.player.leave():
                pass
        self.chosen = name
        self.changing.show(self.draft.value, self.surface)
        self.showing.show_chosen()
        self.on_position(self.player.position if self.active else 0.0)
        self._tell()

    def go_into(self) -> None:
        """The step at the cursor, line by line."""
        if self.player.depth == 0:
            if self.player.step < 1 and self.player.length > 1:
                self.player.seek(1)
            self.player.enter()

    def go_in_or_out(self) -> None:
        if self.update_track is None:
            self.go_into()
        else:
            self.cancel()
        self._tell()

    def on_position(self, position: float) -> None:
        if self.recording is None:
            return
        self.showing.show_position(self.place)
        if not self._inspecting.isActive():
            self._inspecting.start()

    def on_step(self, step: int) -> None:
        if not self.player.playing:
            self._tell()

    def on_playing(self, playing: bool) -> None:
        """Between two steps there are no numbers to read: it rests at the one that is told."""
        if not playing:
            if self.player.position != self.player.step >= 0:
                self.player.seek(self.player.step)
            self._tell()

    def _tell(self) -> None:
        """The sentence, the numbers and the inspector: as often as a person can read them."""
        self.showing.show_numbers(self.place if self.active else 0.0)
        inner = self.update_track
        races = self.recording is not None and self.recording.lane(self.chosen) is not None
        self.view.set_inside(inner is not None, races)
        if self._unreadable:
            self.set_headline(text.unreadable(self.recording))
        elif inner is not None:
            line = inner.step_at(self.player.position)
            self.set_headline(text.line_headline(inner.lane, inner.step, line.title))
        else:
            step = math.ceil(self.player.position - 1e-9) if self.active else 0
            self.set_headline(text.headline(self.recording, step))
        self.inspect()

    def inspect(self) -> None:
        if self._unreadable and self.recording is not None and not self.recording.lanes:
            self.inspection.emit(Inspection())
        elif self.active and self.recording is not None:
            self.inspection.emit(self._inspection(self.recording))

    def _inspection(self, recording: Recording) -> Any:
        inner = self.update_track
        if inner is not None:
            return explaining.of_line(inner.trace, inner.step_at(self.player.position))
        lane = recording.lane(self.chosen)
        step = min(max(0, self.player.step), recording.length - 1)
        if lane is None or step < 1:
            return explaining.of_start(recording, lane)
        return explaining.of_update(recording, lane, step)
