"""Network: wires the draft, the lab, the drawing, the panel and the player."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.engine import tasks
from explorer.panes.backprop.network import inspecting, text
from explorer.panes.backprop.network.diagnosing import diagnose
from explorer.panes.backprop.network.draft import OWN, NetworkDraft
from explorer.panes.backprop.network.editing import Editing
from explorer.panes.backprop.network.following import Following
from explorer.panes.backprop.network.frames import Frames
from explorer.panes.backprop.network.header import NetworkHeader
from explorer.panes.backprop.network.keeping import Keeping
from explorer.panes.backprop.network.moment import Moment
from explorer.panes.backprop.network.runner import Runner
from explorer.panes.backprop.network.spots import is_there
from explorer.panes.backprop.network.track import LearnTrack, StepTrack
from explorer.panes.backprop.network.updates import layer_of
from explorer.panes.backprop.network.view import NetworkView
from explorer.panes.modes import Desk, Mode
from explorer.state.actions import Action
from explorer.state.draft import Draft


class NetworkMode(Mode):
    """Live at the right-hand edge; a chosen point's own way takes the player over until it is left.

    The draft lies in the workspace, so that each change of it can be undone.
    """

    id = "network"
    title = "Network"
    teaches = "How a small network learns, and how one point goes through it, forward and back"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = NetworkView()
        self.inputs = NetworkHeader(self.view.tools.adds)
        self.runner = Runner(self.engine, self)
        self.editing, self.following = Editing(self), Following(self)
        self.keeping = Keeping(self)
        self._track: LearnTrack | None = None
        self.shown_moment: Moment | None = None
        self._was_empty = False
        self.draft = Draft(self.workspace, "backprop.network", NetworkDraft, self)
        self.frames = Frames(self)
        self._later = QTimer(self, singleShot=True, interval=theme.MOTION["live_number"])
        self._later.timeout.connect(self.inspect)
        self._connect()
        self.view.controls.set_draft(self.draft.value)
        self.view.states.show_loading()

    def _connect(self) -> None:
        view, drawing = self.view, self.view.network
        view.controls.changed.connect(self.editing.change_field)
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
        view.panel.sideChosen.connect(lambda _: self.frames.show_all())
        drawing.pointAdded.connect(self.editing.add_point)
        drawing.pointRemoved.connect(self.editing.remove_point)
        drawing.pointChosen.connect(self.following.follow)
        drawing.spotChosen.connect(self.choose)
        drawing.looked.connect(self._later.start)
        self.inputs.presetChosen.connect(self.editing.show_preset)
        self.inputs.resetRequested.connect(self.editing.reset)
        self.inputs.calmRequested.connect(self.editing.calm)
        self.inputs.learningRequested.connect(self.following.leave)
        self.inputs.sampleStepped.connect(self.following.next_point)
        self.inputs.followRequested.connect(lambda: self.following.next_point(1))
        self.inputs.stepRequested.connect(self._on_step_requested)
        self.runner.begun.connect(self._on_begun)
        self.runner.grown.connect(self._on_grown)
        self.runner.stateChanged.connect(self._on_state)
        self.draft.changed.connect(self._on_changed)

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def pictures(self) -> dict[str, QWidget]:
        panel = self.view.panel
        return {
            "network": self.view.network,
            "losses": panel.losses,
            "layers": panel.layers,
            "updates": panel.ratios,
        }

    def state(self) -> dict[str, Any]:
        return self.keeping.state()

    def restore(self, state: dict[str, Any]) -> None:
        self.keeping.restore(state)

    def actions(self) -> list[Action]:
        from explorer.panes.backprop.network.commands import commands

        return commands(self)

    async def settled(self) -> None:
        for one in (self.runner, self, self.runner):
            await tasks.wait_for(one)
        self.frames.flush()
        await super().settled()

    def shown(self) -> None:
        if self.runner.state == "idle":
            self.keeping.begin()
        self.frames.soon()

    def left(self) -> None:
        self._later.stop()
        self.frames.stop()

    def cancel(self) -> bool:
        if self.player.depth:
            return self.player.leave()
        if self.view.network.chosen is not None:
            self.choose(None)
            return True
        return self.following.leave()

    # the draft

    def _on_changed(self, value: NetworkDraft) -> None:
        self.view.controls.set_draft(value)
        empty = value.data == OWN and not value.added
        if empty and not self._was_empty:  # only points can be added
            self.view.tools.set_tool("add")
        self._was_empty = empty
        self.keeping.learned = None  # it was learned by another setup
        asked = self.runner.asked
        if asked is None:  # nothing is made before it is looked at
            return
        back, learned = self.keeping.comes_back(value, asked)
        if back or (value.seed, value.begun) != (asked.seed, asked.begun):
            self.runner.begin(value, learned)
        else:
            self.runner.change(value)

    # learning

    def _play(self) -> None:
        self.runner.set_speed(self.player.speed)
        self.runner.play()

    def bind(self, *, keep: bool = False) -> None:
        """The player moves over the moments of learning."""
        lab, runner = self.runner.lab, self.runner
        if lab is None:
            return
        self._track = LearnTrack(
            lab.moments,
            playing=lambda: runner.learning,
            play=self._play,
            pause=runner.pause,
            step=runner.step,
            layer=lambda moment: layer_of(self.view.network.chosen, moment),
        )
        self.set_tracks([self._track], keep_position=keep)
        if self.active and not keep and not self._track.is_live:
            self.player.end()

    def _on_begun(self) -> None:
        lab = self.runner.lab
        assert lab is not None
        self.shown_moment = None
        self.bind()
        self.take_news()
        self.frames.show_all()
        self.keeping.show()
        self.inspect()

    def _on_grown(self) -> None:
        if self.runner.learning and self.view.isVisible():
            self.frames.news()
        else:
            self.take_news()

    def take_news(self) -> None:
        """The newest moments are looked at."""
        lab, track = self.runner.lab, self._track
        if lab is None or track is None:
            return
        if self.active:
            self.runner.set_speed(self.player.speed)
        self.view.network.set_data(lab.data)
        self.view.tools.set_classes(lab.data.classes)
        live = not self.active or self.player.at_live_edge
        track.moments = lab.moments
        if self.following.sample is not None:
            self.following.refresh()
            return
        if self.active and self.player.depth:
            return
        if not live and self.shown_moment is not None:
            self._stay(lab.moments, self.shown_moment)
        self.grown()
        self.show_moment()

    def _stay(self, moments: list[Moment], shown: Moment) -> None:
        """Where moments were forgotten, the cursor stays at the step that it shows."""
        place = next(
            (at for at, one in enumerate(moments) if one.step >= shown.step), len(moments) - 1
        )
        if place != round(self.player.position):
            self.player.seek(place)

    def _on_state(self, state: str) -> None:
        if state == "failed":
            self.view.states.show_error(self.runner.error)
        self.grown()
        if self.active:
            self.player.playingChanged.emit(self.player.playing)
        self._tell()

    def on_position(self, position: float) -> None:
        if self.following.sample is not None:
            self.following.show(position)
        else:
            self.show_moment()

    def on_step(self, step: int) -> None:
        self._tell()
        if not self._later.isActive() and not self.frames.waits:
            self._later.start()

    @property
    def moment(self) -> Moment | None:
        """What stands under the cursor, while learning is looked at."""
        lab = self.runner.lab
        if lab is None or not lab.moments:
            return None
        if self.active and self.player.depth:
            return self.shown_moment
        moments = lab.moments
        if not self.active or self.following.sample is not None or self.player.at_live_edge:
            return moments[-1]
        return moments[min(len(moments) - 1, max(0, math.ceil(self.player.position - 1e-9)))]

    def show_moment(self) -> None:
        moment = self.moment
        if moment is None:
            return
        self.shown_moment = moment
        self.view.network.set_moment(moment)
        self.view.place_buttons()
        if self.view.states.state != "ready" and not self.runner.error:
            self.view.states.show_ready()
        self._tell(moment)
        self.frames.soon()

    def _seek_step(self, step: float) -> None:
        lab = self.runner.lab
        if lab is None or self.following.sample is not None:
            return
        places = range(len(lab.moments))
        if places:
            self.player.seek(min(places, key=lambda at: abs(lab.moments[at].step - step)))

    def _tell(self, moment: Moment | None = None) -> None:
        """All that is said comes from one moment: meanwhile the engine may append another."""
        sample, moment = self.following.sample, moment or self.moment
        if moment is not None:
            self.view.panel.tell(moment)
        if sample is not None:
            self.set_headline(text.sample_headline(sample, max(0, self.player.step)))
            return
        state, lab = self.runner.state, self.runner.lab
        latest = lab is not None and moment is lab.moments[-1]
        found = diagnose(lab, self.draft.value)
        self.inputs.set_diverged(found.too_large or state == "diverged")
        told = text.headline(
            moment,
            state,
            self.runner.error,
            found.preset,
            found.first,
            begun=lab.moments[0] if lab is not None else None,
            **(found.troubles if latest else {}),
        )
        self.set_headline(told)
        self.inputs.set_buttons(
            point=lab is not None and len(lab.data.points) > 0,
            step=moment is not None and moment.update is not None,
            inside=self.active and self.player.depth > 0,
        )

    # looking

    def choose(self, spot: Any) -> None:
        """A neuron or weight to look at; the same one again lets it go."""
        drawing = self.view.network
        drawing.set_choice(None if spot == drawing.chosen else spot)
        track = self._inner_track()
        layer = layer_of(drawing.chosen, track.moment) if track is not None else None
        if track is not None and layer is not None:
            track.show_layer(layer)
            self.grown()
        self.inspect()

    def _on_step_requested(self) -> None:
        """Into the optimizer step that led here; out of it where it is open."""
        if not self.player.leave():
            self.player.enter()

    def _inner_track(self) -> StepTrack | None:
        """What is played, where the player is inside an optimizer step."""
        track = self.player.track
        return track if self.player.depth and isinstance(track, StepTrack) else None

    def inspect(self) -> None:
        if not self.active:
            return
        drawing, sample = self.view.network, self.following.sample
        spot = drawing.chosen
        if spot is None and not self.player.playing:
            spot = drawing.hovered
        if sample is not None:
            step = max(0, self.player.step)
            self.inspection.emit(inspecting.of_sample(sample, step, drawing.hovered or spot))
        elif (moment := self.shown_moment) is not None:
            track = self._inner_track()
            if track is not None:
                step = track.item(self.player.step)
                self.inspection.emit(inspecting.of_inner(track.moment, track.layer, step, spot))
                return
            spot = spot if is_there(spot, moment.sizes) else None
            pinned = spot is not None and spot == drawing.chosen
            self.inspection.emit(inspecting.of_moment(moment, spot, pinned))
