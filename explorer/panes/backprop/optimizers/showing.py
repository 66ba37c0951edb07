"""Brings what is known into the pictures: surface, ways, cursor, what the chosen one remembers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.rule import Rule
from core.optimization.stationary import Stationary
from core.optimization.surfaces import Surface
from explorer import theme
from explorer.engine.latest import Latest
from explorer.panes.backprop.optimizers import text
from explorer.panes.backprop.optimizers.draft import TYPED, OptimizersDraft
from explorer.panes.backprop.optimizers.draw_arrows import Arrows
from explorer.panes.backprop.optimizers.looks import PLACES, is_dashed
from explorer.panes.backprop.optimizers.plane import LARGEST, SMALLEST, Plane
from explorer.panes.backprop.optimizers.racing import Recording
from explorer.panes.backprop.optimizers.remembering import Quantity, quantities_of, slope_of
from explorer.panes.backprop.optimizers.text import short
from explorer.panes.backprop.optimizers.track import UpdateTrack
from explorer.widgets.formula import set_formulas
from explorer.widgets.plots.line_plot import Mark, Series

if TYPE_CHECKING:
    from explorer.panes.backprop.optimizers.mode import OptimizersMode

HIGHEST = 1e30  # heights that are drawn in the plot; others are gaps
MOST_NAMED = 5  # curves that all have their names: of more they would be a list over the plot
LEAST = 1e-6  # of the bottom's height: who is nearer to the lowest runs along the plot's ground
TO_CHOOSE = "Tick an optimizer and choose it to see what it remembers."
NO_RACE = "There is no race here, so nothing is remembered."
FIRST_MARKS, SECOND_MARKS = ("velocity", "average"), ("total", "square")


class Showing:
    """Belongs to the mode; touches the view alone."""

    def __init__(self, mode: OptimizersMode) -> None:
        self._mode = mode
        self._view = mode.view
        self._quantities: tuple[Quantity, ...] = ()
        self._slope: Quantity | None = None
        self._level = Stationary()
        self._name = ""
        self._is_set = False  # formulas
        self._setting = Latest(mode.engine, mode)

    def set_formulas(self) -> None:
        """Those of all optimizers, the chosen one's first, beside the window: it would wait for
        each as long as for several frames.
        """
        mode = self._mode
        if self._is_set:
            return
        self._is_set = True
        rules = sorted(OPTIMIZERS.values(), key=lambda rule: rule.name != mode.chosen)
        formulas = [one for rule in rules for one in (rule.formula, *lines_of(rule))]
        wanted = tuple(dict.fromkeys(formulas))
        self._setting.ask(lambda: mode.engine.io(set_formulas, wanted, True), "setting formulas")

    # the surface

    def show_formula(self, one: OptimizersDraft) -> None:
        """Also of a surface that cannot be read."""
        self._view.editor.setVisible(one.surface == TYPED)
        self._view.editor.set_text(one.text)

    def show_surface(self, one: OptimizersDraft, surface: Surface, fresh: bool) -> None:
        view = self._view
        if surface.name != self._name:  # the view stays while a formula is typed
            self._name = surface.name
            view.map.set_span(surface.span)
        if fresh:
            self._level = Stationary(minima=surface.minima)
        self.show_start(one)

    def show_start(self, one: OptimizersDraft) -> None:
        """Where a person has put it, also on a surface that cannot be read yet."""
        surface = self._mode.surface
        if one.start is not None or surface is not None:
            start = surface.start if one.start is None else one.start
            self._view.map.set_places(start, self._level.minima, self._level.saddles)

    def show_level_places(self, found: Stationary) -> None:
        """What is known of the surface stays, and what was found besides is shown."""
        surface = self._mode.surface
        known = surface.minima if surface is not None else ()
        more = [p for p in found.minima if all(np.hypot(*np.subtract(p, q)) > 1e-3 for q in known)]
        self._level = Stationary((*known, *more), found.saddles, found.maxima)
        view = self._view
        view.map.set_places(view.map.start, self._level.minima, self._level.saddles)

    def restore_plane(self, saved: Any) -> None:
        if not isinstance(saved, list | tuple) or len(saved) != 3:
            return
        if all(type(one) in (int, float) and abs(one) < LARGEST for one in saved):
            x, y, scale = (float(one) for one in saved)
            if scale >= SMALLEST:
                self._view.map.set_by_hand(Plane(x, y, scale))

    # the race

    def show_recording(self, recording: Recording) -> None:
        self._view.map.set_recording(recording)
        self._view.loss.set_x_range(0, recording.course.steps)
        lost = [lane for lane in recording.lanes if lane.lost_at is not None]
        self._view.loss.set_marks([Mark(lane.lost_at, f"{lane.title} is lost") for lane in lost])
        self.show_chosen()

    def _show_heights(self, recording: Recording) -> None:
        """The curves; of many only the chosen one's has its name at its end."""
        view = self._view
        steps = np.arange(recording.length, dtype=np.float64)
        series = []
        ground = LEAST * (recording.low - recording.lowest)
        endless = recording.endless  # then lines above the lowest would all dive at its last step
        view.set_height(above_lowest=not endless)
        empty = "none comes below the start" if recording.lanes else "no optimizer races"
        empty = "no optimizer moves" if recording.stands_still else empty
        empty = "there is no race here" if recording.trouble else empty
        view.loss.set_empty_text(empty)
        cut = False
        for lane in recording.lanes:
            named = len(recording.lanes) <= MOST_NAMED or lane.name == self._mode.chosen
            with np.errstate(all="ignore"):
                exact = np.array(lane.heights - (0.0 if endless else recording.lowest))
            exact[~(np.abs(exact) < HIGHEST)] = np.nan
            if lane.lost_at is not None:
                exact[lane.lost_at :] = np.nan
            above = exact
            if not endless:
                above = np.maximum(exact, ground) if ground > 0 else np.full(exact.shape, np.nan)
                cut = cut or bool((exact < ground).any())
            color = PLACES[lane.name]
            series.append(
                Series(
                    lane.title, steps, above, color,
                    named=named, dashed=is_dashed(lane.name), exact=exact,
                )
            )  # fmt: skip
        view.loss.set_note(f"flat below {short(ground)}" if cut else "")
        view.loss.set_series(series)

    def show_chosen(self) -> None:
        recording, name = self._mode.recording, self._mode.chosen
        view = self._view
        if recording is not None:
            self._show_heights(recording)
        view.map.set_chosen(name)
        lane = recording.lane(name) if recording is not None else None
        self._quantities = quantities_of(lane) if lane is not None else ()
        self._slope = slope_of(lane) if lane is not None else None
        title = lane.title if lane is not None else ""
        view.moments_title.set_text(f"{title} remembers" if title else "Moments")
        raced = recording is None or not recording.trouble
        view.moments.set_empty_text(TO_CHOOSE if raced else NO_RACE)
        view.moments.set_lane(name, title, self._quantities)

    # the cursor

    def show_position(self, place: float) -> None:
        view = self._view
        if not theme.current().travels:
            place = float(math.ceil(place - 1e-9))
        view.map.set_position(place)
        places = self._places()
        view.map.set_arrows(self._arrows(place, places))
        view.moments.set_position(place, places)

    def show_numbers(self, place: float) -> None:
        """What is read, not watched: eight times a second is enough."""
        view, recording = self._view, self._mode.recording
        view.loss.set_cursor(place)
        view.common.set_cursor(place)
        if recording is None:
            return
        step = min(math.ceil(place - 1e-9), recording.length - 1)
        for name, row in view.lanes.rows.items():
            lane = recording.lane(name)
            races = name in self._mode.draft.value.racers
            sentence = short(lane.heights[step]) if lane is not None and races else ""
            if sentence and lane is not None and lane.lost_at is not None and step >= lane.lost_at:
                sentence = "lost"
            row.set_height(sentence)
        self._show_lost(recording, step)
        view.map.setAccessibleDescription(text.described(recording, step))
        view.moments.describe()

    def _show_lost(self, recording: Recording, step: int) -> None:
        """Who has run away is told with the remedy, once the cursor is there."""
        gone = recording.lost(step)
        if not gone:
            self._view.set_notice("")
            return
        told = text.lost(recording, gone)
        own = self._mode.draft.value.settings
        slower = not all(recording.fell_away(lane) for lane in gone)
        actions = ["A tenth of the rate"] if slower else []
        if slower and any("learning_rate" in own.get(lane.name, {}) for lane in gone):
            actions.insert(0, "The usual rate")
        self._view.set_notice(told, actions)

    def place_inside(self, track: UpdateTrack, position: float) -> float:
        """Inside a step the head moves with the line that moves it."""
        return track.step - 1 + _share(track, ("move",), position)

    def _places(self) -> dict[str, float]:
        """Inside of a step, how far each quantity is: what its line has made, and g from the first
        line on.
        """
        inner = self._mode.update_track
        if inner is None:
            return {}
        before, position = inner.step - 1, self._mode.player.position
        return {
            "gradient": float(inner.step),
            "first": before + _share(inner, FIRST_MARKS, position),
            "second": before + _share(inner, SECOND_MARKS, position),
            "step": before + _share(inner, ("move",), position),
        }

    def _arrows(self, place: float, places: dict[str, float]) -> Arrows | None:
        """Inside of a step the slope is its g; elsewhere it is told where the head stands, which
        leads to the next step.
        """
        if self._slope is None:
            return None
        by_kind = {one.kind: one for one in self._quantities}
        gradient, first, second = (by_kind.get(kind) for kind in ("gradient", "first", "second"))
        assert gradient is not None
        slope = gradient.at(places["gradient"]) if places else self._slope.at(place)
        letter = "" if first is None else f"\u2212{first.letter}"
        return Arrows(
            downhill=-slope,
            first=None if first is None else -first.at(places.get("first", place)),
            second=None if second is None else second.at(places.get("second", place)),
            letters=("\u2212g" if places else "downhill", letter, second.letter if second else ""),
            largest=max(one.largest for one in self._quantities if one.kind != "step") * 1.41,
        )


def lines_of(rule: Rule) -> list[str]:
    """The formulas of its lines, also those that they have without weight decay."""
    other = [line.undecayed[1] for line in rule.lines if line.undecayed]
    return [*(line.formula for line in rule.lines), *other]


def _share(track: UpdateTrack, marks: tuple[str, ...], position: float) -> float:
    """0..1: how much of a line of the rule has been played."""
    lines = [line for mark in marks if (line := track.line(mark)) is not None]
    if not lines:
        return 0.0
    return min(max(0.0, track.lines(position) - lines[0] + 1), 1.0)
