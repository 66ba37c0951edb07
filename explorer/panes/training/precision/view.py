"""The widgets of Precision: what is counted, the histogram, and below it the loss scale or bits."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from explorer.panes.training.precision import text
from explorer.panes.training.precision.pictures import BitsPicture, Histogram
from explorer.panes.training.run_data import RunData
from explorer.widgets.base import set_look
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.plots.line_plot import LinePlot, Mark, Series
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl


class PrecisionHeader(QWidget):
    """`kindChosen(name)`, `layerChosen(name)`, `recordRequested`."""

    kindChosen = Signal(str)
    layerChosen = Signal(str)
    recordRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kinds = SegmentedControl(list(text.KINDS.items()), "Numbers")
        self.kinds.setObjectName("training.precision.kinds")
        self.kinds.chosen.connect(self.kindChosen)
        self.layers = MenuButton("filter", text.ALL, "Which part of the model")
        self.layers.setObjectName("training.precision.layers")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.kinds)
        row.addWidget(self.layers)
        row.addStretch(1)

    def fill_layers(self, layers: list[str], can_record: bool) -> None:
        """The menu: all, each layer of a recorded step, and recording one."""
        menu = self.layers.menu()
        menu.clear()
        menu.setToolTipsVisible(True)
        for layer in ["", *layers]:
            action = menu.addAction(text.layer_name(layer) if layer else text.ALL)
            action.triggered.connect(lambda _=False, layer=layer: self.layerChosen.emit(layer))
        menu.addSeparator()
        record = menu.addAction(text.RECORD)
        record.setToolTip(text.RECORD_HELP if can_record else text.NO_RECORD)
        record.setEnabled(can_record)
        record.triggered.connect(self.recordRequested)

    def set_layer(self, layer: str) -> None:
        self.layers.setText(text.layer_name(layer) if layer else text.ALL)

    def whole_width(self) -> int:
        """px that its choices need side by side."""
        return self.kinds.sizeHint().width() + 8 + self.layers.wide()


class PrecisionView(QWidget):
    """`tabChosen(name)`, `startRequested`."""

    tabChosen = Signal(str)
    startRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.precision")
        self.histogram, self.bits = Histogram(), BitsPicture()
        self.histogram.setObjectName("training.precision.histogram")
        self.bits.setObjectName("training.precision.bits")
        self.scale, self.losses = LinePlot("Loss scale"), LinePlot("Losses")
        self.scale.setObjectName("training.precision.scale")
        self.losses.setObjectName("training.precision.losses")
        self.scale.set_axes("step", "loss scale (power of two)")
        self.losses.set_axes("step", "loss (nats per token)")
        self.losses.set_smoothing(0.8)
        plots = QWidget()
        row = QHBoxLayout(plots)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.scale, 1)
        row.addWidget(self.losses, 1)
        self.body = StatefulPicture(self.histogram, "plot")
        self.curves = StatefulPicture(plots, "plot", ground="surface")
        self.tabs = SegmentedControl(list(text.TABS.items()), "Below")
        self.tabs.setObjectName("training.precision.tabs")
        self.start = QPushButton(text.START)
        self.start.setObjectName("training.precision.start")
        self.start.setToolTip(text.START_HELP)
        set_look(self.start, "primary")
        self.note, self.lesson = CutLabel("label", "muted"), CutLabel("label", "muted")
        self._below = QStackedWidget()
        self.tabs.chosen.connect(self.tabChosen)
        self.start.clicked.connect(self.startRequested)
        self.body.actionRequested.connect(self.startRequested)
        self._build()

    def _build(self) -> None:
        def card(*parts: QWidget | QHBoxLayout) -> QFrame:
            frame = QFrame()
            set_look(frame, "card")
            column = QVBoxLayout(frame)
            column.setContentsMargins(12, 8, 12, 8)
            column.setSpacing(4)
            for part in parts:
                if isinstance(part, QHBoxLayout):
                    column.addLayout(part)
                else:
                    column.addWidget(part, int(part in (self.body, self._below)))
            return frame

        for page in (self.curves, self.bits):
            self._below.addWidget(page)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.tabs)
        head.addStretch(1)
        head.addWidget(self.start)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        column.setSpacing(8)
        column.addWidget(card(self.body, self.note), 4)
        column.addWidget(card(head, self._below, self.lesson), 3)

    def set_tab(self, tab: str, lesson: str) -> None:
        """Which of the lower pictures is seen, and the sentence below it."""
        self.tabs.set_current(tab)
        self._below.setCurrentWidget(self.curves if tab == "scale" else self.bits)
        self.lesson.set_text(lesson)

    def set_run(self, data: RunData | None, twin: RunData | None = None) -> None:
        """The lines of a run that scales its loss, and those of its twin."""
        if data is None or data.log or data.config.precision != "fp16":
            self.curves.show_empty(text.unscaled(data))
            return
        steps, scales = data.series("loss_scale")
        powers = np.log2(np.maximum(scales, 1.0))
        self.scale.set_series([Series("scale", steps, powers, named=False, exact=scales)])
        told = [(step, text.skip_text(step, skip)) for step, skip in data.skips.items()]
        self.scale.set_marks([Mark(step, words, cross=True) for step, words in told])
        lines = [_losses(twin, 1)] if twin is not None else []
        self.losses.set_series([*lines, _losses(data, 0)])
        for plot in (self.scale, self.losses):
            plot.set_x_range(0, data.config.steps)
        self.curves.show_ready()


def _losses(data: RunData, color: int) -> Series:
    line = data.series("loss")
    return Series(data.config.precision, *line, color, smoothed=True, dashed=bool(color))
