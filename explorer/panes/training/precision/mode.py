"""Precision: wires a run's histograms, loss scale and recorded steps to the picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from core.trace import Trace
from core.training.gradient_trace import trace_scaled_gradient
from core.training.number_formats import FORMATS
from core.training.rounding_trace import trace_rounded_sum
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
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
from explorer.state.actions import Action
from explorer.state.tracks import TraceTrack

if TYPE_CHECKING:
    from core.training.reader import RunReader
    from explorer.runs.tail import Tail

LOOK = 400  # ms between two looks at a run that trains
LESSON = "bf16"  # in which a weight and its update are added up
DIGITS = 1.3710327  # of the gradient whose life is told: enough of them to lose some


def create(desk: Desk, parent: QObject) -> Mode:
    return PrecisionMode(desk, parent)


class PrecisionMode(Mode):
    """How large the numbers of the run that is looked at are; a computed example without one."""

    id = "precision"
    title = "Precision"
    teaches = "16 bits hold fewer numbers than 32: which ones are lost, and how a scale saves them"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.inputs, self.view = PrecisionHeader(), PrecisionView()
        self.kind, self.format, self.layer, self.tab = "gradients", "fp16", "", "scale"
        self.scale, self.power = 0, None  # type: int, int | None  # exponents of 2
        self.measured: compute.Measured | None = None
        self.recorded: compute.Recorded | None = None
        self.trace: Trace = Trace()
        self.bits: BitsScene | None = None
        self._folder: Path | None = None
        self._tail: Tail | None = None
        self._reading: compute.Reading | None = None
        self._looks, self._records, self._starts = (Latest(self.engine, self) for _ in range(3))
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._connect()
        self.inputs.kinds.set_current(self.kind)
        self._on_run(self.workspace.run)

    def _connect(self) -> None:
        inputs, view = self.inputs, self.view
        inputs.kindChosen.connect(self.choose_kind)
        inputs.layerChosen.connect(self.choose_layer)
        inputs.recordRequested.connect(self.record)
        inputs.layers.menuOpening.connect(
            lambda: inputs.fill_layers(list(self.layers), self.trains)
        )
        view.tabChosen.connect(self.choose_tab)
        view.startRequested.connect(self.start_both)
        view.body.retryRequested.connect(self.look)
        view.histogram.scaleDragged.connect(self.choose_scale)
        view.histogram.formatChosen.connect(self.choose_format)
        view.histogram.powerChosen.connect(self.choose_power)
        self._timer.timeout.connect(self.look)
        self._looks.came.connect(self._on_measured)
        self._looks.failed.connect(self._on_failed)
        self._records.came.connect(self._on_recorded)
        self._records.failed.connect(self.statusRequested)
        self._starts.came.connect(self._on_started)
        self._starts.failed.connect(self.statusRequested)
        self.workspace.runChanged.connect(self._on_run)

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def state(self) -> dict[str, Any]:
        return {
            "version": 1,
            "kind": self.kind,
            "format": self.format,
            "layer": self.layer,
            "scale": self.scale,
            "tab": self.tab,
        }

    def restore(self, state: dict[str, Any]) -> None:
        kind, format, tab = (state.get(name) for name in ("kind", "format", "tab"))
        layer, scale = state.get("layer"), state.get("scale")
        self.kind = kind if kind in text.KINDS else self.kind
        self.format = format if format in SHOWN else self.format
        self.tab = tab if tab in text.TABS else self.tab
        self.layer = layer if isinstance(layer, str) else self.layer
        if type(scale) is int and 0 <= scale <= LARGEST_SCALE:
            self.scale = scale
        self.refresh()

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

    def views(self) -> dict[str, Callable[[], Any]]:
        from explorer.panes.training.precision.demo import views

        return views(self)

    def shown(self) -> None:
        self._timer.start()
        self.look()

    def left(self) -> None:
        self._timer.stop()

    def on_position(self, position: float) -> None:
        self._mark()

    # choices

    def choose_kind(self, kind: str) -> None:
        self.kind = kind
        self.refresh()

    def choose_layer(self, layer: str) -> None:
        """A part of the model, as far as a step was recorded; "" for all of it."""
        self.layer = layer
        self.refresh()

    def choose_format(self, format: str) -> None:
        self.format = format
        self.refresh()

    def choose_scale(self, exponent: int) -> None:
        """The gradients are multiplied by 2^exponent."""
        self.scale = exponent
        self.refresh()

    def choose_power(self, power: int) -> None:
        """A gradient of about this power of two: its life is told."""
        self.power = power
        self.choose_tab("gradient")

    def choose_tab(self, tab: str) -> None:
        """The loss scale over time, a gradient's life, or a weight in bf16."""
        self.tab = tab
        self.refresh()

    @property
    def trains(self) -> bool:
        """Whether the run that is looked at trains now."""
        return self.measured is not None and self.measured.active

    @property
    def run_scale(self) -> int:
        """The exponent of its newest loss scale."""
        scales = self.measured.scales if self.measured is not None else ()
        return min(round(math.log2(max(scales[-1], 1.0))), LARGEST_SCALE) if len(scales) else 0

    @property
    def layers(self) -> list[str]:
        """Those that a recorded step tells apart."""
        return list(self.recorded.layers) if self.recorded is not None else []

    # the run

    def _on_run(self, folder: str | None) -> None:
        self._folder = Path(folder) if folder else None
        self._tail = self.context.runs.tail(folder) if folder else None
        self._reading = compute.Reading(self._folder) if self._folder else None
        self.measured, self.recorded, self.power = None, None, None
        self._records.stop()
        self._looks.stop()
        if self._folder is not None:
            self.view.body.show_loading("reading the run")
        self.view.set_run(None)
        self.refresh()
        self.look()

    def look(self) -> None:
        """Reads what is new, where somebody sees it."""
        tail, reading = self._tail, self._reading
        if tail is None or reading is None or not self.active or self._looks.running:
            return

        def see(reader: RunReader, news: int) -> compute.Measured:
            return reading.read(reader)

        self._looks.ask(lambda: tail.look(see), "reading a run's numbers", is_told=False)

    def _on_measured(self, measured: compute.Measured) -> None:
        before, self.measured = self.measured, measured
        if measured.recorded and (before is None or measured.recorded != before.recorded):
            asked = self._folder, measured.recorded
            self._records.call(compute.recorded, *asked, name="reading a recorded step")
        same = before is not None and (before.step, before.active) == (
            measured.step,
            measured.active,
        )
        if not same:
            self.view.set_run(measured)
            self.refresh()

    def _on_recorded(self, recorded: compute.Recorded) -> None:
        if len(recorded.weights):  # a step that was skipped has neither gradients nor updates
            self.recorded = recorded
            self.refresh()

    def _on_failed(self, message: str) -> None:
        if self.measured is None:
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
        self.choose_tab("scale")

    # what is seen

    @property
    def numbers(self) -> compute.Numbers | None:
        """What is counted: of the run, of a layer of its recorded step, or computed."""
        if self._folder is None:
            return compute.example(self.kind)
        if self.layer and self.recorded is not None:
            found = self.recorded.layers.get(self.layer, {}).get(self.kind)
            return None if found is None else compute.Numbers(found, self.recorded.step)
        return self.measured.numbers.get(self.kind) if self.measured is not None else None

    def refresh(self) -> None:
        """Shows everything as it is chosen."""
        self.inputs.kinds.set_current(self.kind)
        self.inputs.set_layer(self.layer if self.layer in self.layers else "")
        self.view.start.setEnabled(not self._starts.running)
        self.view.start.setVisible(not self.trains)
        self._show_histogram()
        self._show_life()

    def _show_histogram(self) -> None:
        numbers, body = self.numbers, self.view.body
        if numbers is None:
            self.view.note.set_text("")
            if self.measured is None:
                return
            if self.trains:
                body.show_loading(text.WAITING)
                self.set_headline(text.WAITING.capitalize())
            else:
                body.show_empty(text.NO_HISTOGRAMS)
                self.set_headline(text.NO_HISTOGRAMS)
            return
        is_scaled = self.kind == "gradients"
        shift = self.scale if is_scaled else 0
        scene = histogram_scene(numbers.histogram, self.format, shift)
        self.view.histogram.set_scene(scene, text.scale_words(shift) if is_scaled else "")
        self.view.note.set_text(text.note(self.kind, numbers, compute.SPREAD[self.kind]))
        self.set_headline(
            text.headline(self.kind, self.layer if self.layers else "", numbers, scene)
        )
        body.show_ready()

    def _show_life(self) -> None:
        """The steps that are played: those of a gradient, or of a weight."""
        self.trace, self.bits, lesson = self._weight() if self.tab == "weight" else self._gradient()
        if self.tab == "scale":
            twin = self.measured.twin if self.measured is not None else None
            lesson = text.against(self.measured.losses, twin) if twin is not None else ""
        self.view.set_tab(self.tab, lesson)
        self.view.bits.set_scene(self.bits)
        before = self.tracks[0] if self.tracks else None
        same = isinstance(before, TraceTrack) and len(before.trace) == len(self.trace)
        self.set_tracks([TraceTrack(self.trace)], keep_position=same)
        if self.active:
            self._mark()
        self.inspect()

    def _gradient(self) -> tuple[Trace, BitsScene, str]:
        measured = self.measured
        numbers = measured.numbers.get("gradients") if measured is not None else None
        counted = numbers or compute.example("gradients")
        power = self.power
        if power is None:
            power = compute.small_gradient(counted.histogram)
        losses = measured.losses.values if measured is not None else ()
        loss = float(losses[-1]) if len(losses) else compute.EXAMPLE_LOSS
        format = FORMATS[self.format]
        trace = trace_scaled_gradient(DIGITS * 2.0**power, loss, 2.0**self.scale, format)
        wide, about = FORMATS["fp32"], trace.about
        rows = [
            bit_row(name, about[key], format if key == "stored" else wide, event)
            for event, (name, key) in enumerate(
                (
                    ("computed", "gradient"),
                    ("scaled", "scaled"),
                    (text.format_name(format.name), "stored"),
                    ("unscaled", "unscaled"),
                )
            )
        ]
        scene = bits_scene(rows, about["stored"], format)
        return trace, scene, text.life(numbers is None, counted.step, power)

    def _weight(self) -> tuple[Trace, BitsScene, str]:
        recorded, format = self.recorded, FORMATS[LESSON]
        weight, update, share = compute.EXAMPLE_WEIGHT, compute.EXAMPLE_UPDATE, math.nan
        if recorded is not None:
            weight, update, share = compute.small_update(recorded.weights, recorded.updates, format)
        trace = trace_rounded_sum(weight, update, format)
        rows = [
            bit_row(name, trace.about[key], FORMATS["fp64"] if key == "total" else format, event)
            for name, key, event in (
                ("weight", "weight", 0),
                ("update", "update", 1),
                ("exact sum", "total", 2),
                ("stored", "result", len(trace) - 1),
            )
        ]
        return trace, bits_scene(rows, trace.about["result"], format), text.lesson(share, recorded)

    def _mark(self) -> None:
        """The cursor: in the bits, and of a gradient on the histogram's axis."""
        position = self.player.path[0]
        self.view.bits.set_step(int(position))
        about = self.trace.about
        if self.kind != "gradients" or "gradient" not in about:
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
