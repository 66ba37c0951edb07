"""Precision: wires a run's histograms, loss scale and recorded steps to the picture."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.trace import Trace
from core.training.gradient_trace import trace_scaled_gradient
from core.training.number_formats import FORMATS
from core.training.rounding_trace import trace_rounded_sum
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
from explorer.panes.training.follow import Follower
from explorer.panes.training.precision import compute, text
from explorer.panes.training.precision.commands import commands
from explorer.panes.training.precision.draw_histogram import Marker
from explorer.panes.training.precision.inspector import LIFE, inspection
from explorer.panes.training.precision.scene import (
    LARGEST_SCALE,
    SHOWN,
    BitsScene,
    bit_row,
    bits_scene,
    histogram_scene,
    marker_power,
)
from explorer.panes.training.precision.start import both
from explorer.panes.training.precision.view import PrecisionHeader, PrecisionView
from explorer.panes.training.run_data import RunData
from explorer.state.actions import Action
from explorer.state.tracks import TraceTrack

LESSON = "bf16"  # in which a weight and its update are added up
DIGITS = 4 / 3  # of the gradient whose life is told: no format holds all of them


def create(desk: Desk, parent: QObject) -> Mode:
    return PrecisionMode(desk, parent)


@dataclass(frozen=True)
class Choice:
    """What is looked at, and how.

    layer  a part of the model, as far as a step was recorded; "" for all of it
    scale  gradients are multiplied by two to this power
    tab    what is seen below
    """

    kind: str = "gradients"
    format: str = "fp16"
    layer: str = ""
    scale: int = 0
    tab: str = "scale"


class PrecisionMode(Mode):
    """How large the numbers of the run that is looked at are; a computed example without one."""

    id = "precision"
    title = "Precision"
    teaches = "16 bits hold fewer numbers than 32: which ones are lost, and how a scale saves them"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.inputs, self.view = PrecisionHeader(), PrecisionView()
        self.choice = Choice()
        self.power: int | None = None  # of the gradient whose life is told; None: a small one
        self.follower, self.twin = (Follower(self.context.runs, self) for _ in range(2))
        self.recorded: compute.Recorded | None = None
        self.trace: Trace = Trace()
        self.bits: BitsScene | None = None
        self._lesson = ""
        self._folder: Path | None = None
        self._known: tuple[Path | None, int] = (None, 0)  # a run, and its recorded step
        self._twins, self._records, self._starts = (Latest(self.engine, self) for _ in range(3))
        self._life: tuple[Any, ...] = ()  # whose steps are played
        self._connect()
        self.left()
        self._on_run(self.workspace.run)

    def _connect(self) -> None:
        inputs, view = self.inputs, self.view
        inputs.kindChosen.connect(lambda kind: self.choose(kind=kind))
        inputs.layerChosen.connect(lambda layer: self.choose(layer=layer))
        inputs.recordRequested.connect(self.record)
        inputs.layers.menuOpening.connect(
            lambda: inputs.fill_layers(list(self.layers), self.trains)
        )
        view.tabChosen.connect(lambda tab: self.choose(tab=tab))
        view.startRequested.connect(self.start_both)
        view.body.retryRequested.connect(self.follower.look)
        view.histogram.scaleDragged.connect(lambda scale: self.choose(scale=scale))
        view.histogram.formatChosen.connect(lambda format: self.choose(format=format))
        view.histogram.powerChosen.connect(self.choose_power)
        self.follower.changed.connect(self._on_data)
        self.follower.failed.connect(self._on_failed)
        self.twin.changed.connect(lambda _: self._show_run())
        self._twins.came.connect(self.twin.follow)
        self._records.came.connect(self._on_recorded)
        self._records.failed.connect(self.statusRequested)
        self._starts.came.connect(self._on_started)
        self._starts.failed.connect(self.statusRequested)
        self._starts.ended.connect(self.refresh)
        self.workspace.runChanged.connect(self._on_run)

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def state(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self.choice)}

    def restore(self, state: dict[str, Any]) -> None:
        known = {"kind": text.KINDS, "format": SHOWN, "tab": text.TABS}
        taken = {name: state[name] for name, all in known.items() if state.get(name) in all}
        layer, scale = state.get("layer"), state.get("scale")
        if isinstance(layer, str):
            taken["layer"] = layer
        if type(scale) is int and 0 <= scale <= LARGEST_SCALE:
            taken["scale"] = scale
        self.choose(**taken)

    def actions(self) -> list[Action]:
        return commands(self)

    def pictures(self) -> dict[str, QWidget]:
        view = self.view
        return {
            "histogram": view.histogram,
            "loss scale": view.scale,
            "losses": view.losses,
            "bits": view.bits,
        }

    def shown(self) -> None:
        for follower in (self.follower, self.twin):
            follower.run(True)

    def left(self) -> None:
        for follower in (self.follower, self.twin):
            follower.run(False)

    def on_position(self, position: float) -> None:
        self._mark()

    # choices

    def choose(self, **changes: Any) -> None:
        """Another kind, format, layer, scale or tab."""
        self.choice = replace(self.choice, **changes)
        self.refresh()

    def choose_power(self, power: int) -> None:
        """A gradient of about this power of two: its life is told."""
        self.power = power
        self.choose(tab="gradient")

    @property
    def data(self) -> RunData | None:
        """The run that is looked at, as far as it was read."""
        return self.follower.data

    @property
    def trains(self) -> bool:
        """Whether somebody trains it now."""
        return self.data is not None and self.data.active

    @property
    def run_scale(self) -> int:
        """The exponent of its newest loss scale."""
        scale = self.data.last("loss_scale") if self.data is not None else 1.0
        return min(round(math.log2(scale)), LARGEST_SCALE) if scale >= 1 else 0

    @property
    def layers(self) -> list[str]:
        """Those that a recorded step tells apart."""
        return list(self.recorded.layers) if self.recorded is not None else []

    @property
    def layer(self) -> str:
        """The one that is chosen, as far as it is there; "" for all."""
        return self.choice.layer if self.choice.layer in self.layers else ""

    # the run

    def _on_run(self, folder: str | None) -> None:
        self._folder = Path(folder) if folder else None
        self.recorded, self.power, self._known = None, None, (None, 0)
        self._records.stop()
        self._twins.stop()
        if self._folder is not None:
            self.view.body.show_loading("reading the run")
        self.twin.follow(None)
        self.follower.follow(self._folder)
        self._show_run()

    def _on_data(self, data: RunData) -> None:
        recorded = max(data.recorded, default=0)
        if recorded and (data.folder, recorded) != self._known:
            asked = data.folder, recorded
            self._records.call(compute.recorded, *asked, name="reading a recorded step")
        if self._known[0] != data.folder and not data.log:
            asked = data.folder, data.config
            self._twins.ask(lambda: self.engine.io(compute.twin_of, *asked), "looking for its twin")
        self._known = data.folder, recorded
        if self.power is None and "gradients" in data.exponents:
            self.power = self._power  # later steps do not change whose life is played
        self._show_run()

    def _show_run(self) -> None:
        self.view.set_run(self.data, self.twin.data)
        self.refresh()

    def _on_recorded(self, recorded: compute.Recorded) -> None:
        if len(recorded.weights):  # a step that was skipped has neither gradients nor updates
            self.recorded = recorded
            self.refresh()

    def _on_failed(self, message: str) -> None:
        if self.data is None:
            self.view.body.show_error(message)
            self.set_headline(message)
        self.statusRequested.emit(message)

    def record(self) -> None:
        """Asks the run for a look into its next step."""
        if self._folder is not None:
            self.spawn(self._record(self._folder))

    async def _record(self, folder: Path) -> None:
        try:
            await self.context.runs.steer(folder, "record")
        except (ValueError, OSError) as error:
            self.statusRequested.emit(str(error))

    def start_both(self) -> None:
        """One seed, in fp16 and in fp32."""
        self.view.start.setEnabled(False)
        self._starts.ask(lambda: self.engine.io(both, self.context.runs), "starting two runs")

    def _on_started(self, folders: tuple[Path, Path]) -> None:
        for folder in folders:
            self.context.runs.start(folder, "process")
        self.workspace.set_run(str(folders[0]))
        self.choose(tab="scale")

    # what is seen

    @property
    def numbers(self) -> compute.Numbers | None:
        """What is counted: of the run, of a layer of its recorded step, or computed."""
        if self.recorded is not None and self.layer:
            found = self.recorded.layers[self.layer].get(self.choice.kind)
            return None if found is None else compute.Numbers(found, self.recorded.step)
        return self._counted(self.choice.kind)

    def _counted(self, kind: str) -> compute.Numbers | None:
        if self._folder is None:
            return compute.example(kind)
        event = self.data.exponents.get(kind) if self.data is not None else None
        if event is None:
            return None
        return compute.Numbers(event.histograms()[kind], event.step, event.loss_scale)

    def refresh(self) -> None:
        """Shows everything as it is chosen."""
        self.inputs.kinds.set_current(self.choice.kind)
        self.inputs.set_layer(self.layer)
        self.view.start.setEnabled(not self._starts.running)
        self.view.start.setVisible(not self.trains)
        self._show_histogram()
        self._show_life()

    def _show_histogram(self) -> None:
        numbers, body, kind = self.numbers, self.view.body, self.choice.kind
        layer = self.layer
        if numbers is None:
            self.view.note.set_text("")
            if self.data is not None:
                why = text.no_numbers(kind, layer, self.trains)
                body.show_loading(why) if self.trains and not layer else body.show_empty(why)
                self.set_headline(why)
            return
        is_scaled = kind == "gradients"
        shift = self.choice.scale if is_scaled else 0
        scene = histogram_scene(numbers.histogram, self.choice.format, shift)
        self.view.histogram.set_scene(scene, text.scale_words(shift) if is_scaled else "")
        self.view.note.set_text(text.note(kind, numbers, compute.SPREAD[kind]))
        self.set_headline(text.headline(kind, layer, numbers, scene))
        body.show_ready()

    def _show_life(self) -> None:
        """The steps that are played: those of a gradient, or of a weight. What is played goes on
        while a run brings other numbers.
        """
        is_weight = self.choice.tab == "weight"
        life = (is_weight, self.recorded) if is_weight else (is_weight, self._folder, self._power)
        life += () if is_weight else (self.choice.format, self.choice.scale)
        if life != self._life:
            same, self._life = life[:1] == self._life[:1], life
            self.trace, self.bits, self._lesson = self._weight() if is_weight else self._gradient()
            self.view.bits.set_scene(self.bits)
            self.set_tracks([TraceTrack(self.trace)], keep_position=same)
        lesson = self._lesson
        if self.choice.tab == "scale":
            lesson = text.against(self.data, self.twin.data) if self.data and self.twin.data else ""
        self.view.set_tab(self.choice.tab, lesson)
        if self.active:
            self._mark()
        self.inspect()

    @property
    def _gradients(self) -> compute.Numbers:
        return self._counted("gradients") or compute.example("gradients")

    @property
    def _power(self) -> int:
        """Of the gradient whose life is told."""
        chosen = self.power
        return compute.small_gradient(self._gradients.histogram) if chosen is None else chosen

    def _gradient(self) -> tuple[Trace, BitsScene, str]:
        power = self._power
        loss = self.data.last("loss") if self.data is not None else math.nan
        loss = loss if math.isfinite(loss) else compute.EXAMPLE_LOSS
        format = FORMATS[self.choice.format]
        trace = trace_scaled_gradient(DIGITS * 2.0**power, loss, 2.0**self.choice.scale, format)
        wide, about = FORMATS["fp32"], trace.about
        rows = [
            bit_row("computed", about["gradient"], wide, 0),
            bit_row("scaled", about["scaled"], wide, 1, is_cut=True),
            bit_row(text.format_name(format.name), about["stored"], format, 2),
            bit_row("unscaled", about["unscaled"], wide, 3),
        ]
        scene = bits_scene(rows, about["stored"], format)
        return trace, scene, text.life(self._gradients.step, power)

    def _weight(self) -> tuple[Trace, BitsScene, str]:
        recorded, format = self.recorded, FORMATS[LESSON]
        weight, update, share = compute.EXAMPLE_WEIGHT, compute.EXAMPLE_UPDATE, math.nan
        if recorded is not None:
            weight, update, share = compute.small_update(recorded.weights, recorded.updates, format)
        trace = trace_rounded_sum(weight, update, format)
        about, last = trace.about, len(trace) - 1
        rows = [
            bit_row("weight", about["weight"], format, 0),
            bit_row("update", about["update"], format, 1, is_cut=True),
            bit_row("exact sum", about["total"], FORMATS["fp64"], 2, is_cut=True),
            bit_row("stored", about["result"], format, last),
        ]
        return trace, bits_scene(rows, about["result"], format), text.lesson(share, recorded)

    def _mark(self) -> None:
        """The cursor: in the bits, and of a gradient on the histogram's axis."""
        position = self.player.path[0]
        self.view.bits.set_step(int(position))
        about = self.trace.about
        if self.choice.kind != "gradients" or "gradient" not in about:
            self.view.histogram.set_marker(None)
            return
        keys = [key for key, _ in LIFE]
        power = marker_power([about[key] for key in (*keys, "unscaled")], position)
        at = min(int(position), len(keys))
        words = ("computed", "scaled", "stored", "unscaled", "applied")[at]
        self.view.histogram.set_marker(Marker(power, words))

    def inspect(self) -> None:
        if not self.active or self.bits is None or self._trace_step is None:
            return
        self.inspection.emit(inspection(self._trace_step, self.trace, self.bits, self.numbers))

    @property
    def _trace_step(self) -> Any:
        """The step that is looked at, at whichever level."""
        track, step = self.player.track, self.player.step
        return track.item(step) if track is not None and step < track.length else None
