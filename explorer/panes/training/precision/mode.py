"""Precision: connects a run's histograms, loss scale and recorded steps to the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.fields import field, lenient
from core.trace import Trace
from core.training.counted_numbers import Counts, example_counts
from core.training.recorded_numbers import RecordedNumbers
from explorer.panes.modes import Desk
from explorer.panes.run_watcher import READING, RunWatcher
from explorer.panes.training.precision import compute, text
from explorer.panes.training.precision.inspector import inspection
from explorer.panes.training.precision.scene import LARGEST_SCALE, SHOWN, scene_of
from explorer.panes.training.precision.view import PrecisionInputs, PrecisionView
from explorer.panes.training.presets import fp16
from explorer.runs.follower import Follower
from explorer.runs.run_data import RunData
from explorer.state.tracks import TraceTrack


@dataclass(frozen=True)
class Choice:
    """The selection. `layer` "" means all; `scale` is an exponent; `tab` is the lower picture."""

    kind: str = field("gradients", choices=text.KINDS)
    format: str = field("fp16", choices=SHOWN)
    layer: str = ""
    scale: int = field(0, least=0, most=LARGEST_SCALE)
    tab: str = field("gradient", choices=text.TABS)


class PrecisionMode(RunWatcher):
    """Shows the sizes of the numbers in the open run, or a computed example."""

    id = "precision"
    title = "Precision"
    teaches = (
        "16 bits can represent fewer different numbers than 32. Which numbers are lost, and how "
        "does loss scaling save them?"
    )

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent, compute.more)
        self.inputs, self.view = PrecisionInputs(), PrecisionView()
        self.choice = Choice()
        self.counts: Counts = {}
        self.recorded = RecordedNumbers()
        self.change = Trace().finish()  # the last change of the loss scale
        self.gradient: int | None = None  # power of two of the traced one
        self.twin = Follower(self.context.runs, self)
        self.followers.append(self.twin)
        self.trace = Trace().finish()
        self._connect()
        self.watch()

    def _connect(self) -> None:
        inputs, view = self.inputs, self.view
        for name, signal in (
            ("kind", inputs.kinds.chosen),
            ("layer", inputs.layers.picked),
            ("tab", view.tabs.chosen),
            ("format", view.histogram.formatChosen),
            ("scale", view.histogram.scaleDragged),
        ):
            signal.connect(lambda value, name=name: self.choose(**{name: value}))
        view.start.clicked.connect(self.start)
        view.histogram.powerChosen.connect(self.choose_power)
        self.twin.changed.connect(lambda _: self._show_run())
        self._starts.ended.connect(self.refresh)

    # the pane's interface

    def state(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self.choice)}

    def restore(self, state: dict[str, Any]) -> None:
        self.choice = lenient(Choice, state)
        self.refresh()

    def pictures(self) -> dict[str, QWidget]:
        return {
            "histogram": self.view.histogram,
            "loss scale": self.view.scale,
            "losses": self.view.losses,
            "bits": self.view.bits,
        }

    def beside(self) -> Sequence[QWidget]:
        return self.view.scale, self.view.losses, self.view.bits

    def on_position(self, position: float) -> None:
        self._mark()

    def on_step(self, step: int) -> None:
        self.inspect() if step else self._show_life()  # a newer change of the scale may be pending

    # choices

    def choose(self, **changes: Any) -> None:
        """Changes the kind, format, layer, scale or tab."""
        self.choice = replace(self.choice, **changes)
        self.refresh()

    def choose_power(self, power: int) -> None:
        """Traces a gradient of about this power of two."""
        self.gradient = power
        self.choose(tab="gradient")

    def start(self) -> None:
        """Starts two runs with one seed, in fp16 and in fp32."""
        config = fp16()
        self.train_here({"fp16": config, "fp32": config.change({"precision": "fp32"})})
        self.choose(tab="scale")

    # the run

    def on_run(self) -> None:
        self.counts = {} if self.folder is not None else example_counts()
        self.recorded, self.gradient, self.change = RecordedNumbers(), None, Trace().finish()
        if self.folder is not None:
            self.view.body.show_loading(READING)
        self.twin.follow(None)
        self._show_run()

    def on_data(self, data: RunData) -> None:
        known = self.recorded
        self.counts, self.recorded, error, self.change, twin = self.follower.extra
        if error and self.recorded is not known:
            self.statusRequested.emit(error)
        if twin != self.twin.folder:
            self.twin.follow(twin)
        if self.gradient is None:  # later steps do not change which one is traced
            self.gradient = compute.small_gradient(self.counts)
        self._show_run()

    def on_failed(self, message: str) -> None:
        super().on_failed(message)
        if self.data is None:
            self.view.body.show_error(message)
            self.set_headline(message)

    # the picture

    def _show_run(self) -> None:
        self.view.set_run(self.data, self.twin.data)
        self.refresh()

    def refresh(self) -> None:
        """Updates everything to the selection."""
        layers = self.recorded.parts
        layer = self.choice.layer if self.choice.layer in layers else ""
        self.inputs.set_choice(self.choice.kind, layer, layers)
        self.view.start.setVisible(not self.trains)
        self.view.start.setEnabled(not self.starts)
        self._show_histogram(layer)
        self._show_life()

    def _show_histogram(self, layer: str) -> None:
        counted = self.counts.get((layer, self.choice.kind))
        if counted is not None:
            scene = scene_of(counted, self.choice.format, self.choice.scale)
            self.view.set_scene(scene)
            self.set_headline(text.headline(scene))
        elif self.data is not None:
            waits = self.trains and not layer and self.data.config.probe_every > 0
            why = text.NOT_KEPT if layer else text.WAITING if waits else text.NO_HISTOGRAMS
            self.view.show_none(why)
            self.set_headline(why.partition(": ")[0])

    def _show_life(self) -> None:
        """Sets the steps to play: those of a gradient, of the loss scale, or of a weight."""
        choice = self.choice
        if choice.tab == "weight":
            trace, share = compute.weight_update(self.recorded)
            lesson = text.lesson(share, self.recorded.step)
        elif choice.tab == "gradient":
            power = compute.EXAMPLE_GRADIENT if self.gradient is None else self.gradient
            asked = self.counts, self.data, power, choice.format, choice.scale
            trace = compute.gradient_life(*asked)
            lesson = text.life(power, ("", "gradients") in self.counts)
        else:
            trace, lesson = self.change, text.SCALE_LESSON
        self.view.set_tab(choice.tab, lesson)
        same = trace.about.keys() == self.trace.about.keys()
        stays = same and choice.tab == "scale" and self.player.step  # until back at the start
        if trace.about != self.trace.about and not stays:
            self.trace = trace
            self.set_tracks([TraceTrack(trace)] if len(trace) else [], keep_position=same)
        if self.active:
            self._mark()
        self.inspect()

    def _mark(self) -> None:
        """Updates the cursor in the bits, on the histogram's axis, or in the plots."""
        is_seen = "gradient" in self.trace.about and self.choice.kind == "gradients"
        self.view.set_cursor(self.trace, int(self.player.path[0]), is_seen)

    def inspect(self) -> None:
        track, step = self.player.track, self.player.step
        if self.active and track is not None and step < track.length:
            numbers, scene = self.trace.about.get("numbers"), self.view.histogram.scene
            self.inspection.emit(inspection(track.item(step), numbers, scene))
        elif self.active:
            self.inspection.emit(None)
