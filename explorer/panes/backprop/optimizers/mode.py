"""Optimizers: connects the draft to the race and map on the engine, and these to the view."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from core.autograd import ExpressionError
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.stationary import Stationary
from core.optimization.surfaces import Surface
from explorer import theme
from explorer.engine import tasks
from explorer.engine.latest import Latest
from explorer.panes.backprop.optimizers import inspector, text
from explorer.panes.backprop.optimizers.compute import Course, Recording
from explorer.panes.backprop.optimizers.contour import Contours
from explorer.panes.backprop.optimizers.draft import (
    CHOICES,
    FAR,
    TYPED,
    OptimizersDraft,
    settings_of,
    surface_of,
    values_of,
)
from explorer.panes.backprop.optimizers.inputs import OptimizersInputs
from explorer.panes.backprop.optimizers.line_style import inks
from explorer.panes.backprop.optimizers.runner import MapRequest, MapRunner, RaceRunner
from explorer.panes.backprop.optimizers.scene import Memory, memory_of
from explorer.panes.backprop.optimizers.track import RaceTrack, UpdateTrack
from explorer.panes.backprop.optimizers.view import OptimizersView
from explorer.panes.backprop.optimizers.viewport import LARGEST, SMALLEST, Viewport
from explorer.panes.base import Inspection
from explorer.panes.modes import Desk, Mode
from explorer.state.draft import Draft, named
from explorer.widgets.formula import set_formulas


class OptimizersMode(Mode):
    """Runs a race of optimizers down a surface from one start, and explains one of them."""

    id = "optimizers"
    title = "Optimizers"
    teaches = "How nine optimizers go downhill from the same start, and what each one remembers"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = OptimizersView()
        self.inputs = OptimizersInputs()
        self.surface: Surface | None = None
        self.recording: Recording | None = None
        self.memory: Memory | None = None  # of the selected optimizer
        self.chosen = "adam"
        self._seen = False
        self._has_formulas = False
        self._typed: tuple[str, Surface] | None = None
        self._wanted: float | None = None  # position to restore from a session
        self._left_at = 0.0
        self._unreadable = False
        self.draft = Draft(self.workspace, "backprop.optimizers", OptimizersDraft, self)
        self.runner = RaceRunner(self.engine, self)
        self.maps = MapRunner(self.engine, self)
        self._formulas = Latest(self.engine, self)
        self._inspecting = QTimer(self)
        self._inspecting.setSingleShot(True)
        self._inspecting.setInterval(theme.MOTION["live_number"])
        self._connect()

    def _connect(self) -> None:
        view, draft, form = self.view, self.draft, self.view.settings
        draft.changed.connect(lambda _: self.refresh())
        self._inspecting.timeout.connect(self.tell)
        self.runner.came.connect(self.take_recording)
        self.runner.failed.connect(self.fail)
        self.runner.waiting.connect(self._on_waiting)
        self.show_one_answer(view.body, stop=self._give_up)
        self.maps.came.connect(self._on_map)
        self.maps.failed.connect(view.body.show_error)
        self.maps.ended.connect(self._ask_for_map)
        self.inputs.surfaceChosen.connect(self.set_surface)
        self.inputs.resetRequested.connect(self.reset)
        view.into.clicked.connect(self.go_in_or_out)
        view.editor.edited.connect(self.set_text)
        view.map.viewChanged.connect(self._ask_for_map)
        view.map.startMoved.connect(self.set_start)
        view.map.racerClicked.connect(self.choose)
        view.racers.chosen.connect(self.choose)
        view.racers.raced.connect(self.set_races)
        view.racers.rateChanged.connect(self.set_rate)
        form.changed.connect(self.set_value)
        form.usualRequested.connect(lambda: self.set_usual(self.chosen))
        view.common.scheduleChosen.connect(self.set_schedule)
        view.common.stepsChanged.connect(self.set_steps)
        view.common.warmupChanged.connect(self.set_warmup)
        view.common.noiseRequested.connect(self.set_other_noise)
        view.notice.actionTriggered.connect(self._on_remedy)
        view.body.retryRequested.connect(self.refresh)
        rates = [row.rate for row in view.racers.rows.values()]
        fields = (*rates, view.common.steps, view.common.warmup)
        for over in (*(field.left for field in fields), form.left, view.editor.rested):
            over.connect(draft.end_merge)
        view.map.startReleased.connect(draft.end_merge)
        for refused in (view.racers.rateRefused, form.refused):
            refused.connect(self._on_refused)
        for plot in (view.loss, view.common.curve):
            plot.clicked.connect(self._on_plot_clicked)

    # the pane's interface

    def pictures(self) -> dict[str, QWidget]:
        return {
            "optimizers-map": self.view.map,
            "optimizers-loss": self.view.loss,
            "optimizers-moments": self.view.moments,
            "optimizers-schedule": self.view.common.curve,
        }

    def state(self) -> dict[str, Any]:
        seen = self.view.map.viewport
        return {
            "version": 1,
            "step": self.place if self.active and self._wanted is None else self._left_at,
            "chosen": self.chosen,
            "plane": None if self.view.map.fits else [seen.x, seen.y, seen.scale],
        }

    def restore(self, state: dict[str, Any]) -> None:
        step = state.get("step")
        self._wanted = float(step) if type(step) in (int, float) and step >= 0 else None
        self._left_at = self._wanted or 0.0
        if isinstance(state.get("chosen"), str):
            self.choose(state["chosen"])
        self.refresh()
        match state.get("plane"):
            case [int() | float() as x, int() | float() as y, int() | float() as scale]:
                if max(abs(x), abs(y), scale) < LARGEST and scale >= SMALLEST:
                    self.view.map.set_by_hand(Viewport(float(x), float(y), float(scale)))

    @contextmanager
    def filming(self, picture: QWidget) -> Iterator[QWidget]:
        self.view.map.thorough = True
        try:
            yield picture
        finally:
            self.view.map.thorough = False

    def shown(self) -> None:
        self._seen = True
        self._prepare_formulas()
        self.refresh()

    def left(self) -> None:
        self._inspecting.stop()
        if self.active and self._wanted is None:
            self._left_at = self.place

    def cancel(self) -> bool:
        return self.player.leave()

    def _prepare_formulas(self) -> None:
        """Typesets the formulas of all optimizers on another thread, the selected one's first,
        because each would block the window for several frames.
        """
        if self._has_formulas:
            return
        self._has_formulas = True
        rules = sorted(OPTIMIZERS.values(), key=lambda rule: rule.name != self.chosen)
        wanted = tuple(dict.fromkeys(one for rule in rules for one in inspector.formulas(rule)))
        self._formulas.ask(lambda: self.engine.io(set_formulas, wanted, True), "setting formulas")

    # the race and the map

    def refresh(self) -> None:
        """Shows the draft, and runs its race if it has changed."""
        one = self.draft.value
        self.view.set_formula(one)
        try:
            surface = self._surface_of(one)
        except ExpressionError as error:
            self.view.editor.set_error(str(error), error.start, error.length)
            self.view.set_stale(True)
            self._set_unreadable(True)
            self._show_places()
            self._show_draft()
            return
        self.view.editor.set_error("")
        self._set_unreadable(False)
        self.surface = surface
        self._show_draft()
        self.view.map.set_surface(surface)
        self._show_places()
        if not self._seen:
            return
        try:
            entries = [(name, settings_of(one, surface, name)) for name in one.racers]
        except (ValueError, OverflowError) as error:
            if self.recording is None:  # else the last race stays, and the form shows the error
                self.fail(str(error), None)
            return
        start = surface.start if one.start is None else one.start
        typed = one.text if one.surface == TYPED else ""
        course = Course(surface, typed, start, one.steps, one.schedule, one.warmup_steps, one.seed)
        self._ask_for_map()
        if not self.runner.ask(course, entries):
            self.view.set_stale(False)

    def _surface_of(self, one: OptimizersDraft) -> Surface:
        """Returns the surface, which is the same object for the same formula."""
        if one.surface != TYPED:
            return surface_of(one)
        if self._typed is None or self._typed[0] != one.text:
            self._typed = (one.text, surface_of(one))
        return self._typed[1]

    def _set_unreadable(self, unreadable: bool) -> None:
        if unreadable or self._unreadable:
            self._unreadable = unreadable
            self.view.set_unreadable(unreadable)
            self.tell()

    def take_recording(self, recording: Recording) -> None:
        """Shows a finished race; the cursor keeps its position."""
        before, self.recording = self.recording, recording
        self.view.set_stale(False)
        self.view.set_trouble("")
        self._show_places()
        self.view.set_recording(recording)
        if self.chosen not in self.draft.value.racers and recording.lanes:
            self.choose(recording.lanes[-1].name)
        self._show_chosen()
        if before is not None and before.length == recording.length and self.tracks:
            self._leave_steps()
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
        self.tell()

    def fail(self, message: str, course: Course | None) -> None:
        """Shows why the race failed, and removes the last race if it was on another surface."""
        before = self.recording
        if course is not None and (before is None or before.course.surface is not course.surface):
            self.take_recording(Recording(course, (), message))
        self.view.set_trouble(message[:1].upper() + message[1:])
        self.view.set_stale(True)

    def _on_waiting(self, reason: str) -> None:
        if reason:
            self.view.body.show_loading(reason)
        else:
            self.view.body.show_ready()

    def _give_up(self) -> None:
        self.runner.stop()
        self.recording = None
        self.set_tracks([])
        self.inspection.emit(None)

    def _on_freshness(self) -> None:
        super()._on_freshness()
        self.view.fade_plots(self.is_stale or self.view.map.stale)

    def _ask_for_map(self) -> None:
        """Has the engine draw the map of the current view."""
        picture = self.view.map
        if self.surface is None or not tasks.in_loop() or not picture.isVisible():
            return
        ratio, zoom = picture.devicePixelRatioF(), theme.current().zoom
        self.maps.ask(MapRequest(self.surface, picture.span, *picture.size_px, ratio, inks(), zoom))

    def _on_map(self, contours: Contours, coarse: bool, surface: Surface) -> None:
        if surface is not self.surface:
            return
        if coarse:
            self.view.map.background.set_coarse(contours)
            self.view.map.update()
        else:
            self.view.map.set_contours(contours)

    # the picture

    @property
    def update_track(self) -> UpdateTrack | None:
        """The track inside a step; None in the race."""
        track = self.player.track if self.active else None
        return track if isinstance(track, UpdateTrack) else None

    @property
    def places(self) -> dict[str, float]:
        """The position of each kind of quantity inside a step; empty in the race."""
        inner = self.update_track
        return {} if inner is None else inner.places(self.player.position)

    @property
    def place(self) -> float:
        """The position in the race; inside a step it moves with the line that moves the head."""
        return self.places.get("step", self.player.position)

    def choose(self, name: str) -> None:
        """Selects the optimizer whose steps are explained."""
        if name == self.chosen or name not in self.view.racers.rows:
            return
        self.view.settings.finish_typing()  # typed values belong to the previous optimizer
        self.view.racers.finish_typing(but=name)
        if self.update_track is not None:
            self._leave_steps()
        self.chosen = name
        self._show_draft()
        self._show_chosen()
        self.on_position(self.player.position if self.active else 0.0)
        self.tell()

    def go_into(self) -> None:
        """Enters the step at the cursor, to show it line by line."""
        if self.player.depth == 0:
            if self.player.step < 1 and self.player.length > 1:
                self.player.seek(1)
            self.player.enter()

    def go_in_or_out(self) -> None:
        """Enters the step at the cursor, or returns to the race."""
        if self.update_track is None:
            self.go_into()
        else:
            self.cancel()
        self.tell()

    def _leave_steps(self) -> None:
        while self.active and self.player.leave():
            pass

    def _show_draft(self) -> None:
        self.inputs.set_surface(self.draft.value.surface)
        self.view.set_draft(self.draft.value, self.surface, self.chosen)

    def _show_places(self) -> None:
        """Shows minima, saddles and the start, which may be known before its surface is."""
        start, surface, recording = self.draft.value.start, self.surface, self.recording
        if start is None and surface is None:
            return
        places = Stationary(() if surface is None else surface.minima)
        if recording is not None and recording.course.surface is surface and not recording.trouble:
            places = recording.places
        self.view.map.set_places(start or surface.start, places)  # type: ignore[union-attr]

    def _show_chosen(self) -> None:
        lane = self.recording.lane(self.chosen) if self.recording is not None else None
        self.memory = memory_of(lane) if lane is not None else None
        self.view.set_chosen(self.chosen, self.recording, self.memory)

    def on_position(self, position: float) -> None:
        if self.recording is None:
            return
        place, places = self.place, self.places
        if not theme.current().travels:
            place = float(math.ceil(place - 1e-9))
        self.view.set_position(place, places)
        self.view.map.set_arrows(self.memory.arrows(place, places) if self.memory else None)
        if not self._inspecting.isActive():
            self._inspecting.start()

    def on_step(self, step: int) -> None:
        if not self.player.playing:
            self.tell()

    def on_playing(self, playing: bool) -> None:
        """Moves a paused cursor to a whole step, because there are no numbers between steps."""
        if not playing:
            if self.player.position != self.player.step >= 0:
                self.player.seek(self.player.step)
            self.tell()

    def tell(self) -> None:
        """Updates headline, numbers and inspector; called no more often than one can read them."""
        recording, inner = self.recording, self.update_track
        if recording is not None:
            self.view.set_numbers(recording, self.draft.value, self.place if self.active else 0.0)
        self.view.set_inside(inner is not None, self.memory is not None)
        if self._unreadable:
            self.set_headline(text.unreadable(recording))
        elif inner is not None:
            line = inner.step_at(self.player.position)
            self.set_headline(text.line_headline(inner.lane, inner.step, line.title))
        else:
            step = math.ceil(self.player.position - 1e-9) if self.active else 0
            self.set_headline(text.headline(recording, step))
        self.inspect()

    def inspect(self) -> None:
        if self._unreadable and self.recording is not None and not self.recording.lanes:
            self.inspection.emit(Inspection())
        elif self.active and self.recording is not None:
            self.inspection.emit(self._inspection(self.recording))

    def _inspection(self, recording: Recording) -> Inspection:
        inner = self.update_track
        if inner is not None:
            return inspector.of_line(inner.trace, inner.step_at(self.player.position))
        lane = recording.lane(self.chosen)
        step = min(max(0, self.player.step), recording.length - 1)
        if lane is None or step < 1:
            return inspector.of_start(recording, lane)
        return inspector.of_update(recording, lane, step)

    # changes by the user

    def set_surface(self, name: str) -> None:
        self.draft.change(self.draft.value.with_surface(name), "Change the surface")

    def set_text(self, text: str) -> None:
        self.draft.change(self.draft.value.with_text(text), "Change the surface's formula", "text")

    def set_start(self, x: float, y: float) -> None:
        if math.isfinite(x) and math.isfinite(y) and max(abs(x), abs(y)) < FAR:
            self.draft.change({"start": (x, y)}, "Move the start", "start")

    def set_races(self, name: str, races: bool) -> None:
        title = OPTIMIZERS[name].title
        told = f"Add {title} to the race" if races else f"Remove {title} from the race"
        self.draft.change(self.draft.value.with_racer(name, races), told)

    def set_rate(self, name: str, value: float) -> None:
        self.set_value(name, "learning_rate", value)
        self.choose(name)  # afterwards, because this shows the values of all fields

    def set_value(self, name: str, key: str, value: float) -> None:
        """Changes a setting of an optimizer."""
        told = f"{OPTIMIZERS[name].title}: {named(CHOICES[key][0].lower(), value)}"
        one = self.draft.value.without_setting(name, key)
        if self.surface is None or values_of(one, self.surface, name)[key] != value:
            one = one.with_setting(name, key, value)
        self.draft.change(one, told, f"{name} {key}")
        self._show_draft()  # even without a change, to clear the message of a refused value

    def set_usual(self, name: str) -> None:
        told = f"Usual settings of {OPTIMIZERS[name].title}"
        self.draft.change(self.draft.value.with_usual(name), told)

    def set_schedule(self, name: str) -> None:
        self.draft.change(self.draft.value.with_schedule(name), "Change the schedule")

    def set_steps(self, value: float) -> None:
        self.draft.change({"steps": int(value)}, named("Steps", int(value)), "steps")
        self._show_draft()

    def set_warmup(self, value: float) -> None:
        self.draft.change({"warmup": int(value)}, named("Warm-up", int(value)), "warmup")
        self._show_draft()

    def set_other_noise(self) -> None:
        one = self.draft.value
        self.draft.change(replace(one, seed=one.seed + 1), "New noise")

    def reset(self) -> None:
        """Resets start, steps, schedule and settings."""
        one = self.draft.value
        fresh = OptimizersDraft(one.surface, one.text, None, one.racers)
        self.draft.change(fresh, "Reset the start and the settings")
        self.view.map.fit()

    def _on_remedy(self, action: str) -> None:
        """Runs the action of a button in the notice about diverged optimizers."""
        one = self.draft.value
        for lane in self.recording.lanes if self.recording is not None else ():
            if lane.lost_at is None:
                continue
            if action == text.USUAL_RATE:
                one = one.without_setting(lane.name, "learning_rate")
            else:
                rate = float(f"{lane.settings.learning_rate / 10:.6g}")
                one = one.with_setting(lane.name, "learning_rate", rate)
        self.draft.change(one, "Lower the learning rate")

    def _on_refused(self, why: str) -> None:
        """Shows why a field refuses its text; "" clears the message."""
        if why:
            self.view.settings.error.set_text(why)
        else:
            self._show_draft()

    def _on_plot_clicked(self, step: float) -> None:
        if math.isfinite(step):
            self._leave_steps()
            self.player.seek(round(step))
