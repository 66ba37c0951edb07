"""The run's lines: losses large, and small ones for learning rate, gradient norm, speed, memory."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.training.follow import RunData
from explorer.panes.training.small_plot import SmallPlot
from explorer.widgets.base import Label
from explorer.widgets.line_plot import LinePlot, Series
from explorer.widgets.toggle import Switch

SMALL: tuple[tuple[str, str, str, int, Callable[[float], str]], ...] = (
    ("rate", "learning_rate", "learning rate", 2, theme.format_number),
    ("norm", "grad_norm", "gradient norm", 3, theme.format_number),
    ("speed", "speed", "tokens/s", 4, lambda value: f"{value:,.0f}"),
    ("memory", "memory", "memory", 5, theme.format_bytes),
)
NOISY = ("norm", "speed")


class Charts(QWidget):
    """`clicked(step)` asks to look at a step. `tools` (smoothing, log axis) stand in the header."""

    clicked = Signal(float)
    looksChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss = LinePlot("Losses")
        self.loss.setObjectName("training.view.loss")
        self.loss.set_axes("step", "loss (nats per token)")
        self.loss.set_empty_text("the first loss comes in a moment")
        self.small = {name: SmallPlot(title, ink, put) for name, _, title, ink, put in SMALL}
        for name, plot in self.small.items():
            plot.setObjectName(f"training.view.{name}")
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName("training.view.smoothing")
        self.smoothing.setRange(0, 99)
        self.smoothing.setValue(60)
        self.smoothing.setFixedWidth(theme.current().px(72))
        self.smoothing.setAccessibleName("Smoothing of the training loss")
        self.smoothing.setToolTip("Smoothing: the faint line is what was measured")
        self.log = Switch("Log axis")
        self.log.setObjectName("training.view.log")
        self.tools = QWidget()
        self._build()
        for plot in (self.loss, *self.small.values()):
            plot.clicked.connect(self.clicked)
        self.smoothing.valueChanged.connect(self._on_looks)
        self.log.toggled.connect(self._on_looks)
        self._on_looks()

    def _build(self) -> None:
        tools = QHBoxLayout(self.tools)
        tools.setContentsMargins(0, 0, 0, 0)
        tools.setSpacing(8)
        tools.addWidget(Label("smoothing", "label", "muted"))
        tools.addWidget(self.smoothing)
        tools.addWidget(self.log)
        small = QHBoxLayout()
        small.setSpacing(12)
        for plot in self.small.values():
            small.addWidget(plot, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.loss, 7)
        column.addLayout(small, 2)

    def set_runs(self, run: RunData | None, other: RunData | None = None) -> None:
        """Shows a run, and another one over it, dashed."""
        if run is None:
            self.loss.set_series([])
            for plot in self.small.values():
                plot.set_line(np.empty(0), np.empty(0))
            return
        series = loss_series(run, "" if other is None else f" {run.name}")
        if other is not None:
            series += loss_series(other, f" {other.name}", dashed=True, first=2)
        high = max(run.config.steps, other.config.steps if other else 0)
        shown = max(run.step, other.step if other else 0, 10)
        # The axis grows by doubling until the whole run fits: early steps are not a dot.
        edge = min(high, 2 ** math.ceil(math.log2(shown)))
        self.loss.set_x_range(0, edge)
        self.loss.set_series(series)
        for name, field, *_ in SMALL:
            plot = self.small[name]
            plot.set_x_range(0, edge)
            plot.set_line(*run.series(field), other.series(field) if other is not None else None)

    def set_cursor(self, step: float | None) -> None:
        for plot in (self.loss, *self.small.values()):
            plot.set_cursor(step)

    def state(self) -> dict[str, object]:
        return {"smoothing": self.smoothing.value(), "log": self.log.isChecked()}

    def restore(self, state: dict[str, object]) -> None:
        smoothing, log = state.get("smoothing"), state.get("log")
        if isinstance(smoothing, int):
            self.smoothing.setValue(smoothing)
        if isinstance(log, bool):
            self.log.setChecked(log)

    def _on_looks(self, _: object = None) -> None:
        strength = 1 - (1 - self.smoothing.value() / 100) ** 2
        self.loss.set_smoothing(strength)
        for name in NOISY:
            self.small[name].set_smoothing(strength)
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
