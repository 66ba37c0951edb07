"""What a person sets: from fields to the draft and back, with what a field refuses."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from core.numbers import format_number
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.surfaces import Surface
from explorer.panes.backprop.optimizers.draft import (
    CHOICES,
    FAR,
    OptimizersDraft,
    settings_of,
    values_of,
)
from explorer.state.draft import named

if TYPE_CHECKING:
    from explorer.panes.backprop.optimizers.mode import OptimizersMode


class Inputs:
    """Belongs to the mode; every change goes through its draft."""

    def __init__(self, mode: OptimizersMode) -> None:
        self._mode = mode
        view, header = mode.view, mode.inputs
        header.surfaceChosen.connect(self.set_surface)
        header.resetRequested.connect(self.reset)
        view.editor.edited.connect(self.set_text)
        view.editor.rested.connect(mode.draft.end_merge)
        view.map.startMoved.connect(self.set_start)
        view.map.startReleased.connect(mode.draft.end_merge)
        view.map.racerClicked.connect(mode.choose)
        view.map.pointed.connect(self._point)
        view.lanes.chosen.connect(mode.choose)
        view.lanes.raced.connect(self.set_races)
        view.lanes.rateChanged.connect(self.set_rate)
        view.lanes.rateRefused.connect(lambda name, why: self._refuse(why))
        view.settings.changed.connect(self.set_value)
        view.settings.refused.connect(lambda key, why: self._refuse(why))
        view.settings.left.connect(mode.draft.end_merge)
        rates = [row.rate for row in view.lanes.rows.values()]
        for field in (*rates, view.common.steps, view.common.warmup):
            field.left.connect(mode.draft.end_merge)
        view.settings.usualRequested.connect(lambda: self.set_usual(mode.chosen))
        view.common.scheduleChosen.connect(self.set_schedule)
        view.common.stepsChanged.connect(self.set_steps)
        view.common.warmupChanged.connect(self.set_warmup)
        view.common.noiseRequested.connect(self.set_other_noise)
        view.loss.clicked.connect(self._seek)
        view.common.curve.clicked.connect(self._seek)
        view.notice.actionTriggered.connect(self._on_remedy)
        view.body.retryRequested.connect(mode.refresh)

    def show(self, one: OptimizersDraft, surface: Surface | None) -> None:
        """The draft's values in all fields."""
        view, chosen = self._mode.view, self._mode.chosen
        self._mode.inputs.set_surface(one.surface)
        view.lanes.set_chosen(chosen)
        view.settings.set_optimizer(chosen)
        view.common.set_values(one.schedule, one.steps, one.warmup_steps)
        view.common.error.set_text("")
        view.common.noise.setVisible(surface is not None and surface.noise > 0)
        if surface is None:
            return
        for name, row in view.lanes.rows.items():
            row.set_races(name in one.racers)
            row.rate.set_value(values_of(one, surface, name)["learning_rate"])
        view.settings.set_values(values_of(one, surface, chosen), chosen not in one.settings)
        wrong = [told for name in one.racers if (told := _wrong(one, surface, name))]
        view.settings.error.set_text(wrong[0] if wrong else "")

    def finish_typing(self, next_one: str) -> None:
        """Before another one is chosen: what is typed belongs to the one before."""
        self._mode.view.settings.finish_typing()
        self._mode.view.lanes.finish_typing(next_one)

    # what is set

    def set_surface(self, name: str) -> None:
        mode = self._mode
        mode.draft.change(mode.draft.value.with_surface(name), "Change the surface")

    def set_text(self, text: str) -> None:
        mode = self._mode
        mode.draft.change(mode.draft.value.with_text(text), "Change the surface's formula", "text")

    def set_start(self, x: float, y: float) -> None:
        mode = self._mode
        if math.isfinite(x) and math.isfinite(y) and max(abs(x), abs(y)) < FAR:
            mode.draft.change({"start": (x, y)}, "Move the start", "start")

    def set_races(self, name: str, races: bool) -> None:
        mode, title = self._mode, OPTIMIZERS[name].title
        text = f"Let {title} race" if races else f"Leave {title} out"
        mode.draft.change(mode.draft.value.with_racer(name, races), text)

    def set_rate(self, name: str, value: float) -> None:
        self.set_value(name, "learning_rate", value)
        self._mode.choose(name)  # after it: to choose shows all fields' numbers

    def set_value(self, name: str, key: str, value: float) -> None:
        """A setting of an optimizer; what it refuses is said, and the last race stays."""
        mode = self._mode
        text = f"{OPTIMIZERS[name].title}: {named(CHOICES[key][0].lower(), value)}"
        one = mode.draft.value.without_setting(name, key)
        if mode.surface is None or values_of(one, mode.surface, name)[key] != value:
            one = one.with_setting(name, key, value)
        mode.draft.change(one, text, f"{name} {key}")
        self.show(mode.draft.value, mode.surface)  # what was refused is no longer said

    def set_usual(self, name: str) -> None:
        mode = self._mode
        mode.draft.change(mode.draft.value.with_usual(name), f"{OPTIMIZERS[name].title} as usual")

    def set_schedule(self, name: str) -> None:
        mode = self._mode
        mode.draft.change(mode.draft.value.with_schedule(name), "Change the schedule")

    def set_steps(self, value: float) -> None:
        mode = self._mode
        mode.draft.change({"steps": int(value)}, named("Steps", int(value)), "steps")
        self.show(mode.draft.value, mode.surface)

    def set_warmup(self, value: float) -> None:
        mode = self._mode
        mode.draft.change({"warmup": int(value)}, named("Warm-up", int(value)), "warmup")
        self.show(mode.draft.value, mode.surface)

    def set_other_noise(self) -> None:
        one = self._mode.draft.value
        self._mode.draft.change(replace(one, seed=one.seed + 1), "Other noise")

    def reset(self) -> None:
        """Everything but the surface and who races as at first."""
        mode = self._mode
        one = mode.draft.value
        fresh = OptimizersDraft(one.surface, one.text, None, one.racers)
        mode.draft.change(fresh, "Everything as at first")
        mode.view.map.fit()

    # others

    def _on_remedy(self, text: str) -> None:
        """Of those that have run away."""
        mode = self._mode
        recording, one = mode.recording, mode.draft.value
        if recording is None:
            return
        for lane in recording.lanes:
            if lane.lost_at is None or recording.fell_away(lane):
                continue
            if "usual" in text:
                one = one.without_setting(lane.name, "learning_rate")
            else:
                rate = float(f"{lane.settings.learning_rate / 10:.6g}")
                one = one.with_setting(lane.name, "learning_rate", rate)
        mode.draft.change(one, "Lower the learning rate")

    def _refuse(self, why: str) -> None:
        """What a field refuses; "" where it does not any more."""
        if why:
            self._mode.view.settings.error.set_text(why)
        else:
            self.show(self._mode.draft.value, self._mode.surface)

    def _seek(self, step: float) -> None:
        if math.isfinite(step):
            while self._mode.player.leave():
                pass
            self._mode.player.seek(round(step))

    def _point(self, x: float, y: float) -> None:
        mode = self._mode
        if mode.surface is None or not math.isfinite(x):
            mode.view.map.setToolTip("")
            return
        height = format_number(float(mode.surface.value(x, y)))
        told = f"height {height} at ({format_number(x)}, {format_number(y)})"
        if mode.view.map.hit(mode.view.map.seen_point(x, y)) == "start":
            told += "\nDrag the start, move it by arrow keys, or double-click elsewhere"
        mode.view.map.setToolTip(told)


def _wrong(one: OptimizersDraft, surface: Surface, name: str) -> str:
    """What the optimizer refuses of its settings."""
    try:
        settings_of(one, surface, name)
    except (ValueError, OverflowError) as error:
        return f"{OPTIMIZERS[name].title}: {error}"
    return ""
