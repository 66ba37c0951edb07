"""The run's lines: losses large, and small ones for learning rate, gradient norm, speed, memory."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.training.follow import RunData
from explorer.widgets.base import Label
from explorer.widgets.line_plot import LinePlot, Series
from explorer.widgets.toggle import Switch

SMALL = (  # id, record's field, axis, factor, series color
    ("rate", "learning_rate", "learning rate", 1.0, 2),
    ("norm", "grad_norm", "gradient norm", 1.0, 3),
    ("speed", "speed", "tokens per second", 1.0, 4),
    ("memory", "memory", "memory (MB)", 1e-6, 5),
)


class Charts(QWidget):
    """`clicked(step)` asks to look at a step. Smoothing 0..1 and the log axis are its own."""

    clicked = Signal(float)
    looksChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss = LinePlot("Losses")
        self.loss.setObjectName("training.view.loss")
        self.loss.set_axes("step", "loss (nats per token)")
        self.loss.set_empty_text("the first loss comes in a moment")
        self.small = {}
        for name, _, label, _, _ in SMALL:
            plot = LinePlot(label.capitalize())
            plot.setObjectName(f"training.view.{name}")
            plot.set_axes("step", label)
            plot.set_empty_text("")
            self.small[name] = plot
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName("training.view.smoothing")
        self.smoothing.setRange(0, 99)
        self.smoothing.setValue(80)
        self.smoothing.setFixedWidth(theme.current().px(96))
        self.smoothing.setAccessibleName("Smoothing of the training loss")
        self.smoothing.setToolTip("Smoothing: the faint line is what was measured")
        self.log = Switch("Log axis")
        self.log.setObjectName("training.view.log")
        self._build()
        for plot in (self.loss, *self.small.values()):
            plot.clicked.connect(self.clicked)
        self.smoothing.valueChanged.connect(self._on_looks)
        self.log.toggled.connect(self._on_looks)
        self._on_looks()

    def _build(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(8)
        tools.addStretch(1)
        tools.addWidget(Label("Smoothing", "label", "muted"))
        tools.addWidget(self.smoothing)
        tools.addSpacing(8)
        tools.addWidget(self.log)
        grid = QGridLayout()
        grid.setSpacing(8)
        for place, plot in enumerate(self.small.values()):
            grid.addWidget(plot, 0, place)
            grid.setColumnStretch(place, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(tools)
        column.addWidget(self.loss, 5)
        column.addLayout(grid, 2)

    def set_runs(self, run: RunData | None, other: RunData | None = None) -> None:
        """Shows a run, and another one over it, dashed."""
        if run is None:
            for plot in (self.loss, *self.small.values()):
                plot.set_series([])
            return
        series = loss_series(run, "" if other is None else f" {run.name}")
        if other is not None:
            series += loss_series(other, f" {other.name}", dashed=True, first=2)
        high = max(run.config.steps, other.config.steps if other else 0)
        shown = max(run.step, other.step if other else 0, 10)
        # The axis grows by doubling until the whole run fits: early steps are not a dot.
        edge = min(high, 2 ** math.ceil(math.log2(shown)) if shown < high else high)
        for plot in (self.loss, *self.small.values()):
            plot.set_x_range(0, edge)
        self.loss.set_series(series)
        for name, field, _, factor, color in SMALL:
            x, y = run.series(field)
            lines = [Series("", x, y * factor, color, smoothed=name in ("norm", "speed"))]
            if other is not None:
                x, y = other.series(field)
                lines.append(Series("", x, y * factor, "muted", smoothed=True, dashed=True))
            self.small[name].set_series(lines)

    def set_cursor(self, step: float | None) -> None:
        for plot in (self.loss, *self.small.values()):
            plot.set_cursor(step)

    def state(self) -> dict[str, object]:
        return {"smoothing": self.smoothing.value(), "log": self.log.isChecked()}

    def restore(self, state: dict[str, object]) -> None:
        if isinstance(state.get("smoothing"), int):
            self.smoothing.setValue(int(state["smoothing"]))  # type: ignore[call-overload]
        if isinstance(state.get("log"), bool):
            self.log.setChecked(bool(state["log"]))

    def _on_looks(self, _: object = None) -> None:
        share = self.smoothing.value() / 100
        strength = 1 - (1 - share) ** 2 if share < 1 else 0.999
        for plot in (self.loss, self.small["norm"], self.small["speed"]):
            plot.set_smoothing(strength)
        self.loss.set_log(self.log.isChecked())
        self.looksChanged.emit()


def loss_series(run: RunData, suffix: str, dashed: bool = False, first: int = 0) -> list[Series]:
    """Training loss of every step, and validation loss where it was measured."""
    x, y = run.series("loss")
    made = [Series(f"train{suffix}", x, y, first, smoothed=True, dashed=dashed)]
    if len(run.evaluations):
        steps = run.evaluations["step"].astype(np.float64)
        name = f"validation{suffix}"
        values = run.evaluations["validation"].astype(np.float64)
        made.append(Series(name, steps, values, first + 1, dashed=dashed, marks=len(steps) < 80))
    return made
