"""The widgets of Precision: inputs, histogram, and below it the loss scale or bits."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtWidgets import QPushButton, QStackedWidget, QWidget

from core.trace import Trace
from explorer.panes.training.precision import text
from explorer.panes.training.precision.pictures import BitsPicture, Histogram
from explorer.panes.training.precision.scene import Scene
from explorer.runs.run_data import RunData, skip_text
from explorer.widgets.base import set_look
from explorer.widgets.boxes import card, name_parts, page, row, wrap
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.drop_down import DropDown
from explorer.widgets.plots.line_plot import LinePlot, Mark, Series
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl


class PrecisionInputs(QWidget):
    """Inputs: the kind of numbers, and the part of the model."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kinds = SegmentedControl(list(text.KINDS.items()), "Numbers")
        self.layers = DropDown("Layers", text.LAYERS_HELP)
        name_parts(self, "training.precision", "kinds", "layers")
        wrap(self.kinds, self.layers, of=self)

    def set_choice(self, kind: str, layer: str, layers: Iterable[str]) -> None:
        self.kinds.set_current(kind)
        self.layers.fill([(text.layer_name(one), one) for one in ("", *layers)], layer)


class PrecisionView(QWidget):
    """Shows the histogram, and below it the loss scale or bits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.precision")
        self.histogram, self.bits = Histogram(), BitsPicture()
        self.scale, self.losses = LinePlot("Loss scale"), LinePlot("Losses")
        self.scale.set_axes("step", "loss scale (power of two)")
        self.losses.set_axes("step", "loss (nats per token)")
        self.losses.set_smoothing(0.8)
        plots = QWidget()
        row((self.scale, 1), (self.losses, 1), of=plots, spacing=12)
        self.body = StatefulPicture(self.histogram, "plot")
        self.curves = StatefulPicture(plots, "plot", ground="surface")
        self.tabs = SegmentedControl(list(text.TABS.items()), "Below")
        self.start = QPushButton(text.START)
        self.start.setToolTip(text.START_HELP)
        set_look(self.start, "primary")
        names = ("histogram", "bits", "scale", "losses", "tabs", "start")
        name_parts(self, "training.precision", *names)
        self.note, self.lesson = CutLabel("label", "muted"), CutLabel("label", "muted")
        self._below = QStackedWidget()
        self._below.addWidget(self.curves)
        self._below.addWidget(self.bits)
        upper = card((self.body, 1), self.note)
        lower = card(row(self.tabs, 1, self.start), (self._below, 1), self.lesson)
        page((upper, 4), (lower, 3), of=self)

    def set_scene(self, scene: Scene) -> None:
        self.histogram.set_scene(scene)
        self.note.set_text(text.note(scene))
        self.body.show_ready()

    def show_none(self, why: str) -> None:
        """Shows why there is no histogram."""
        self.histogram.set_scene(None)
        self.note.set_text("")
        self.body.show_empty(why)

    def set_cursor(self, trace: Trace, step: int, is_marked: bool) -> None:
        """Sets the cursor in the bits and on the histogram's axis, or in the plots."""
        numbers, at = trace.about.get("numbers"), trace.about.get("step")
        self.bits.set_scene(numbers)
        self.bits.position = step
        self.histogram.marked = numbers.known(step)[-1] if is_marked else None
        self.histogram.update()
        for plot in (self.scale, self.losses):
            plot.set_cursor(None if at is None else at + (step + 1 == len(trace)))

    def set_tab(self, tab: str, lesson: str) -> None:
        """Selects the lower picture, and sets the sentence below it."""
        self.tabs.set_current(tab)
        self._below.setCurrentWidget(self.curves if tab == "scale" else self.bits)
        self.lesson.set_text(lesson)

    def set_run(self, data: RunData | None, twin: RunData | None) -> None:
        """Draws the loss scale of an fp16 run, and the losses of the run and its twin."""
        if data is None or data.log or data.config.precision != "fp16":
            self.curves.show_empty(text.NO_SCALE)
            return
        steps, scales = data.series("loss_scale")
        powers = np.log2(np.maximum(scales, 1.0))
        self.scale.set_series([Series("scale", steps, powers, named=False, exact=scales)])
        skips = data.skips.items()
        self.scale.set_marks([Mark(at, skip_text(at, skip), cross=True) for at, skip in skips])
        runs = [run for run in (twin, data) if run is not None]
        self.losses.set_series([_losses(run, is_twin=run is twin) for run in runs])
        for plot in (self.scale, self.losses):
            plot.set_x_range(0, data.config.steps)
        self.curves.show_ready()


def _losses(data: RunData, is_twin: bool) -> Series:
    steps, losses = data.series("loss")
    name, color = data.config.precision, int(is_twin)
    return Series(name, steps, losses, color, smoothed=True, dashed=is_twin)
