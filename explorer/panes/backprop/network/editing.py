"""What a person changes: fields, layers, points, presets, another beginning. All can be undone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.fields import fields_of
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.presets import preset
from explorer.state.draft import named

if TYPE_CHECKING:
    from explorer.panes.backprop.network.mode import NetworkMode


class Editing:
    """Changes the draft; the mode hears of it there."""

    def __init__(self, mode: NetworkMode) -> None:
        self.mode = mode

    def change_field(self, name: str, value: Any) -> None:
        """One field of the setup; what does not fit is told beside it."""
        one = self.mode.draft.value
        try:
            one = one.with_data(value) if name == "data" else replace(one, **{name: value})
        except ValueError as error:
            self.mode.view.controls.set_errors({name: str(error)})
            return
        self.mode.view.controls.set_errors({name: ""})
        self.mode.draft.change(one, named(fields_of(NetworkDraft)[name].label, value))

    def add_point(self, x: float, y: float) -> None:
        if self.mode.following.sample is not None:  # a click that missed the next one to follow
            self.mode.statusRequested.emit("To add points, go back to learning first (Esc)")
            return
        try:
            one = self.mode.draft.value.with_point(x, y, self.mode.view.tools.target)
        except ValueError as error:
            self.mode.statusRequested.emit(str(error))
            return
        self.mode.draft.change(one, "Add a point")

    def remove_point(self, number: int) -> None:
        lab = self.mode.runner.lab
        if lab is not None and number < len(lab.data.origins):
            one = self.mode.draft.value.without(lab.data.origins[number])
            self.mode.draft.change(one, "Remove a point")

    def show_preset(self, name: str) -> None:
        """A setup that teaches something, at step 0."""
        chosen = preset(name)
        self.mode.view.panel.set_side(chosen.panel)
        one, now = chosen.draft, self.mode.draft.value
        if one.is_like(now):
            one = replace(one, begun=now.begun + 1)
        self._begin(one, f"Show “{chosen.title}”")

    def calm(self) -> None:
        """Begins anew with a tenth of the learning rate."""
        one = self.mode.draft.value
        rate = float(f"{one.learning_rate / 10:.3g}")
        self._begin(replace(one, learning_rate=rate), "Learn slower")

    def reset(self, other: bool = False) -> None:
        """Begins anew, with the same first weights or others."""
        one = self.mode.draft.value
        if other:
            self._begin(replace(one, seed=one.seed + 1), "Take other first weights")
        else:
            self._begin(replace(one, begun=one.begun + 1), "Begin anew")

    def _begin(self, one: NetworkDraft, text: str) -> None:
        """A network at step 0; where that is undone, what was learned comes back."""
        self.mode.following.leave()
        self.mode.keeping.leave_for(one)
        self.mode.draft.change(one, text)
        self.mode.runner.begin(one)
