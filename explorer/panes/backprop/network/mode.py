"""Network: connects the draft, the training, the drawing, the panel and the player."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from core.fields import fields_of
from explorer import theme
from explorer.engine import tasks
from explorer.panes.backprop.network import inspector, text
from explorer.panes.backprop.network.diagnosis import diagnose
from explorer.panes.backprop.network.draft import OWN, NetworkDraft
from explorer.panes.backprop.network.elements import is_there
from explorer.panes.backprop.network.frame_clock import FrameClock
from explorer.panes.backprop.network.inputs import NetworkInputs
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.optimizer_step import layer_of
from explorer.panes.backprop.network.presets import preset
from explorer.panes.backprop.network.runner import Runner
from explorer.panes.backprop.network.sample import Sample
from explorer.panes.backprop.network.sample_runner import SampleRunner
from explorer.panes.backprop.network.session import (
    LOOKED_AT,
    ReplacedNetworks,
    Saved,
    element_from_json,
    element_to_json,
    followed_from_json,
)
from explorer.panes.backprop.network.track import SampleTrack, StepTrack, TrainingTrack
from explorer.panes.backprop.network.view import NetworkView
from explorer.panes.modes import Desk, Mode
from explorer.state.draft import Draft, named


class NetworkMode(Mode):
    """The player moves over the keyframes of training, with live training at their end; or along
    the path of a followed point.
    """

    id = "network"
    title = "Network"
    teaches = (
        "How a small network learns, and how one point goes through it and its gradients come back"
    )

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = NetworkView()
        self.inputs = NetworkInputs(self.view.tools.adds)
        self.runner = Runner(self.engine, self)
        self.sample_runner = SampleRunner(self.engine, self)
        self._position_kept = 0.0  # on the path of the point that a session followed
        self._saved: Saved | None = None  # until the engine has made the network
        self._looked_at: dict[str, Any] = {}
        self._replaced = ReplacedNetworks()
        self._track: TrainingTrack | None = None
        self.shown_keyframe: Keyframe | None = None
        self._was_empty = False
        self.draft = Draft(self.workspace, "backprop.network", NetworkDraft, self)
        self.frames = FrameClock(
            (self.inspect, self._show_curves, self._show_panel),
            lambda: self.runner.learning,
            self.view.isVisible,
            self,
        )
        self._inspect_timer = QTimer(self, singleShot=True, interval=theme.MOTION["live_number"])
        self._inspect_timer.timeout.connect(self.inspect)
        self._connect()
        self.view.form.set_draft(self.draft.value)
        self.view.states.show_loading()

    def _connect(self) -> None:
        view, drawing = self.view, self.view.network
        view.form.changed.connect(self.change_field)
        view.neuronsRequested.connect(
            lambda layer, more: self.draft.change(
                self.draft.value.with_neurons(layer, more), "Change the neurons"
            )
        )
        view.layersRequested.connect(
            lambda more: self.draft.change(self.draft.value.with_layers(more), "Change the layers")
        )
        view.states.retryRequested.connect(lambda: self.runner.begin(self.draft.value))
        view.panel.stepClicked.connect(self._seek_step)
        view.panel.sideChosen.connect(lambda _: self._show_beside())
        drawing.pointAdded.connect(self.add_point)
        drawing.pointRemoved.connect(self.remove_point)
        drawing.pointChosen.connect(self.follow)
        drawing.elementChosen.connect(self.choose)
        drawing.looked.connect(self._inspect_timer.start)
        self.inputs.presetChosen.connect(self.show_preset)
        self.inputs.resetRequested.connect(self.reset)
        self.inputs.slowerRequested.connect(self.slower)
        self.inputs.learningRequested.connect(self.leave_sample)
        self.inputs.sampleStepped.connect(self.follow_next)
        self.inputs.followRequested.connect(lambda: self.follow_next(1))
        self.inputs.stepRequested.connect(self._on_step_requested)
        self.runner.begun.connect(self._on_begun)
        self.runner.grown.connect(self._on_grown)
        self.runner.stateChanged.connect(self._on_state)
        self.sample_runner.came.connect(self._on_sample)
        self.sample_runner.failed.connect(self._on_sample_failed)
        self.frames.newsDue.connect(self.show_newest)
        self.draft.changed.connect(self._on_changed)

    # called by the pane

    def pictures(self) -> dict[str, QWidget]:
        panel = self.view.panel
        return {
            "network": self.view.network,
            "losses": panel.losses,
            "layers": panel.layers,
            "updates": panel.ratios,
        }

    def state(self) -> dict[str, Any]:
        return {
            "version": 1,
            "learned": self._state_of(self.draft.value),
            "panel": self.view.panel.side,
            "more": self.view.form.more.isChecked(),
            **(self._looked_at or self._looked_at_now()),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restores a session. Without a training that fits the setup, it begins at step 0."""
        if "learned" in state:
            self.leave_sample()
            saved = state["learned"]
            self._saved = saved if isinstance(saved, dict) else None
            self._looked_at = {name: state.get(name) for name in LOOKED_AT}
            if self.runner.asked is not None:
                self.runner.begin(self.draft.value, self._saved)
        if state.get("panel") in ("layers", "updates"):
            self.view.panel.set_side(state["panel"])
        if isinstance(state.get("more"), bool):
            self.view.form.more.setChecked(state["more"])

    async def settled(self) -> None:
        for one in (self.runner, self, self.runner):
            await tasks.wait_for(one)
        self.frames.flush()
        self._show_beside()
        await super().settled()

    def shown(self) -> None:
        if self.runner.state == "idle":
            self.runner.begin(self.draft.value, self._saved)
        self.frames.soon()

    def left(self) -> None:
        self._inspect_timer.stop()
        self.frames.stop()

    def cancel(self) -> bool:
        if self.player.depth:
            return self.player.leave()
        if self.view.network.chosen is not None:
            self.choose(None)
            return True
        return self.leave_sample()

    # draft

    def _on_changed(self, value: NetworkDraft) -> None:
        self.view.form.set_draft(value)
        empty = value.data == OWN and not value.added
        if empty and not self._was_empty:  # adding is all that can be done
            self.view.tools.set_tool("add")
        self._was_empty = empty
        self._saved = None  # it belongs to another setup
        asked = self.runner.asked
        if asked is None:  # no network is made before the mode is shown
            return
        if (value, asked) in self._replaced:  # an undo
            saved = self._replaced.pop((value, asked))
            self._replaced.keep(asked, value, self._state_of(asked))  # for a redo
            self.runner.begin(value, saved)
        elif (value.seed, value.begun) != (asked.seed, asked.begun):
            self.runner.begin(value)
        else:
            self.runner.change(value)

    def change_field(self, name: str, value: Any) -> None:
        """Changes one field of the setup; the form shows the reason if a value is invalid."""
        one = self.draft.value
        try:
            one = one.with_data(value) if name == "data" else replace(one, **{name: value})
        except ValueError as error:
            self.view.form.set_errors({name: str(error)})
            return
        self.view.form.set_errors({name: ""})
        self.draft.change(one, named(fields_of(NetworkDraft)[name].label, value))

    def add_point(self, x: float, y: float) -> None:
        if self.sample is not None:  # the click missed the next point to follow
            self.statusRequested.emit(text.NO_ADDING)
            return
        try:
            one = self.draft.value.with_point(x, y, self.view.tools.target)
        except ValueError as error:
            self.statusRequested.emit(str(error))
            return
        self.draft.change(one, "Add a point")

    def remove_point(self, number: int) -> None:
        training = self.runner.training
        if training is not None and number < len(training.data.origins):
            one = self.draft.value.without(training.data.origins[number])
            self.draft.change(one, "Remove a point")

    def show_preset(self, name: str) -> None:
        """Applies a setup that teaches one thing, at step 0."""
        chosen, now = preset(name), self.draft.value
        self.view.panel.set_side(chosen.panel)
        one = now.begun_again() if chosen.draft.is_like(now) else chosen.draft
        self._begin(one, f"Show “{chosen.title}”")

    def slower(self) -> None:
        self._begin(self.draft.value.slower(), "Lower the learning rate")

    def reset(self, other: bool = False) -> None:
        """Starts over, with the same initial weights or new ones."""
        one = self.draft.value
        if other:
            self._begin(replace(one, seed=one.seed + 1), "New initial weights")
        else:
            self._begin(one.begun_again(), "Start over")

    def _begin(self, one: NetworkDraft, told: str) -> None:
        """Starts a network at step 0; undo restores the trained one."""
        self.leave_sample()
        now = self.draft.value
        self._replaced.keep(now, one, self._state_of(now))
        self.draft.change(one, told)
        self.runner.begin(one)

    # session

    def _state_of(self, one: NetworkDraft) -> Saved | None:
        """Returns the training of that setup, or None."""
        training, beginning = self.runner.training, self.runner.beginning
        if beginning is not None and beginning[0] == one:
            return beginning[1]
        if self._saved is not None or training is None:
            return self._saved
        return training.state() if training.keyframes[-1].draft == one else None

    def _looked_at_now(self) -> dict[str, Any]:
        sample, at = self.sample, self.player.position if self.active else 0.0
        return {
            "chosen": element_to_json(self.view.network.chosen),
            "followed": None if sample is None else [sample.number, at],
        }

    def _look_again(self) -> None:
        """Restores a session's selection and followed point, once the network exists."""
        seen, self._saved, self._looked_at = self._looked_at, None, {}
        keyframe, element = self.shown_keyframe, element_from_json(seen.get("chosen"))
        if keyframe is not None and is_there(element, keyframe.sizes):
            self.view.network.set_choice(element)
        followed = followed_from_json(seen.get("followed"))
        if followed is not None:
            self.follow(*followed)

    # training

    def _play(self) -> None:
        self.runner.set_speed(self.player.speed)
        self.runner.play()

    def bind_player(self, *, keep: bool = False) -> None:
        """Lets the player move over the keyframes of training."""
        training, runner = self.runner.training, self.runner
        if training is None:
            return
        self._track = TrainingTrack(
            training.keyframes,
            playing=lambda: runner.learning,
            play=self._play,
            pause=runner.pause,
            step=runner.step,
            layer=lambda keyframe: layer_of(self.view.network.chosen, keyframe),
        )
        self.set_tracks([self._track], keep_position=keep)
        if self.active and not keep and not self._track.is_live:
            self.player.end()

    def _on_begun(self) -> None:
        training = self.runner.training
        assert training is not None
        self.shown_keyframe = None
        self.bind_player()
        self.show_newest()
        self._show_beside()
        self._look_again()
        self.inspect()

    def _on_grown(self) -> None:
        if self.runner.learning and self.view.isVisible():
            self.frames.news()
        else:
            self.show_newest()

    def show_newest(self) -> None:
        """Shows the newest keyframe, or keeps the cursor at an earlier one."""
        training, track = self.runner.training, self._track
        if training is None or track is None:
            return
        if self.active:
            self.runner.set_speed(self.player.speed)
        self.view.network.set_data(training.data)
        self.view.tools.set_classes(training.data.classes)
        live = not self.active or self.player.at_live_edge
        track.keyframes = training.keyframes
        if self.sample is not None:
            if not self.sample_runner.refresh(training):
                self.leave_sample()
            return
        if self.active and self.player.depth:
            return
        if not live and self.shown_keyframe is not None:
            self._hold_cursor(training.keyframes, self.shown_keyframe)
        self.grown()
        self.show_keyframe()

    def _hold_cursor(self, keyframes: list[Keyframe], shown: Keyframe) -> None:
        """Keeps the cursor at its step if keyframes were dropped."""
        place = next(
            (at for at, one in enumerate(keyframes) if one.step >= shown.step), len(keyframes) - 1
        )
        if place != round(self.player.position):
            self.player.seek(place)

    def _on_state(self, state: str) -> None:
        if state == "failed":
            self.view.states.show_error(self.runner.error)
        self.grown()
        if self.active:
            self.player.playingChanged.emit(self.player.playing)
        self._show_headline()

    def on_position(self, position: float) -> None:
        if self.sample is not None:
            self._show_sample(position)
        else:
            self.show_keyframe()

    def on_step(self, step: int) -> None:
        self._show_headline()
        if not self._inspect_timer.isActive() and not self.frames.waits:
            self._inspect_timer.start()

    @property
    def keyframe(self) -> Keyframe | None:
        """The keyframe at the cursor."""
        training = self.runner.training
        if training is None or not training.keyframes:
            return None
        if self.active and self.player.depth:
            return self.shown_keyframe
        keyframes = training.keyframes
        if not self.active or self.sample is not None or self.player.at_live_edge:
            return keyframes[-1]
        return keyframes[min(len(keyframes) - 1, max(0, math.ceil(self.player.position - 1e-9)))]

    def show_keyframe(self) -> None:
        keyframe = self.keyframe
        if keyframe is None:
            return
        self.shown_keyframe = keyframe
        self.view.network.set_keyframe(keyframe)
        self.view.place_buttons()
        if self.view.states.state != "ready" and not self.runner.error:
            self.view.states.show_ready()
        self._show_headline(keyframe)
        self.frames.soon()

    def _show_beside(self) -> None:
        self._show_curves()
        self._show_panel()

    def _show_curves(self) -> None:
        if self.runner.training is not None:
            self.view.panel.set_curves(self.runner.training.curves, not self.runner.learning)

    def _show_panel(self) -> None:
        if self.shown_keyframe is not None:
            live = not self.active or self.player.at_live_edge
            self.view.panel.set_keyframe(self.shown_keyframe, live)

    def _seek_step(self, step: float) -> None:
        training = self.runner.training
        if training is None or self.sample is not None:
            return
        places = range(len(training.keyframes))
        if places:
            self.player.seek(min(places, key=lambda at: abs(training.keyframes[at].step - step)))

    def _show_headline(self, keyframe: Keyframe | None = None) -> None:
        """Updates all texts from one keyframe, as the engine may append another meanwhile."""
        sample, keyframe = self.sample, keyframe or self.keyframe
        if keyframe is not None:
            self.view.panel.tell(keyframe)
        if sample is not None:
            self.set_headline(text.sample_headline(sample, max(0, self.player.step)))
            return
        state, training = self.runner.state, self.runner.training
        latest = training is not None and keyframe is training.keyframes[-1]
        diagnosis = diagnose(training, self.draft.value)
        self.inputs.set_diverged(diagnosis.too_large or state == "diverged")
        told = text.headline(
            keyframe,
            diagnosis if latest else diagnosis.of_another_time,
            self.runner.error,
            training.keyframes[0] if training is not None else None,
        )
        self.set_headline(told)
        self.inputs.set_buttons(
            point=training is not None and len(training.data.points) > 0,
            step=keyframe is not None and keyframe.update is not None,
            inside=self.active and self.player.depth > 0,
        )

    # followed point

    @property
    def sample(self) -> Sample | None:
        """The followed point."""
        return self.sample_runner.sample

    def follow(self, number: int, position: float = 0.0) -> None:
        """Follows point `number` from a position of its path; training pauses."""
        training = self.runner.training
        if training is not None and 0 <= number < len(training.data.points):
            self.runner.pause()
            self._position_kept = position
            self.sample_runner.follow(training, number)

    def follow_next(self, way: int) -> None:
        """Follows the point after (1) or before (-1) the current one."""
        training = self.runner.training
        if training is not None and len(training.data.points):
            number = self.sample.number + way if self.sample is not None else 0
            self.follow(number % len(training.data.points))

    def leave_sample(self) -> bool:
        """Returns to training; False if no point was followed."""
        if self.sample is None:
            return False
        self.sample_runner.stop()
        self.view.network.set_sample_scene(None)
        self.inputs.set_sample(False)
        self.bind_player()
        self.show_keyframe()
        self.inspect()
        return True

    def _on_sample(self, same: bool) -> None:
        training, sample = self.runner.training, self.sample
        assert training is not None and sample is not None
        self.shown_keyframe = training.keyframes[-1]
        self.view.network.set_keyframe(self.shown_keyframe)
        self.frames.soon()
        self.inputs.set_sample(True)
        self.set_tracks([SampleTrack(sample)], keep_position=same)
        at, self._position_kept = self._position_kept, 0.0
        if at and self.active:
            self.player.seek(min(at, len(sample) - 1))
        self._show_sample(self.player.position if self.active else 0.0)
        self.view.place_buttons()
        self.on_step(0)
        self.inspect()

    def _show_sample(self, position: float) -> None:
        self.view.network.set_sample_scene(self.sample_runner.scene_at(position))

    def _on_sample_failed(self, message: str) -> None:
        self.statusRequested.emit(message)
        self.leave_sample()

    # selection

    def choose(self, element: Any) -> None:
        """Selects a neuron or weight; the same one again deselects it."""
        drawing = self.view.network
        drawing.set_choice(None if element == drawing.chosen else element)
        track = self._inner_track()
        layer = layer_of(drawing.chosen, track.keyframe) if track is not None else None
        if track is not None and layer is not None:
            track.show_layer(layer)
            self.grown()
        self.inspect()

    def _on_step_requested(self) -> None:
        """Opens the optimizer step that led to the keyframe, or closes it."""
        if not self.player.leave():
            self.player.enter()

    def _inner_track(self) -> StepTrack | None:
        """Returns the track of the open optimizer step, or None."""
        track = self.player.track
        return track if self.player.depth and isinstance(track, StepTrack) else None

    def inspect(self) -> None:
        if not self.active:
            return
        drawing, sample = self.view.network, self.sample
        element = drawing.chosen
        if element is None and not self.player.playing:
            element = drawing.hovered
        if sample is not None:
            step = max(0, self.player.step)
            self.inspection.emit(inspector.of_sample(sample, step, drawing.hovered or element))
        elif (keyframe := self.shown_keyframe) is not None:
            track = self._inner_track()
            if track is not None:
                step = track.item(self.player.step)
                self.inspection.emit(inspector.of_inner(track.keyframe, track.layer, step, element))
                return
            element = element if is_there(element, keyframe.sizes) else None
            pinned = element is not None and element == drawing.chosen
            self.inspection.emit(inspector.of_keyframe(keyframe, element, pinned))
