"""What holds for all racers: how many steps, and by which schedule their learning rates go."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from core.optimization.schedules import SCHEDULES, learning_rate_at
from explorer import theme
from explorer.panes.backprop.optimizers.experiment import STEPS
from explorer.widgets.base import Label
from explorer.widgets.fields import ErrorLine, MenuField
from explorer.widgets.number_field import NumberField
from explorer.widgets.plots.line_plot import LinePlot, Series

CURVE = 110  # pixels high


class CommonForm(QWidget):
    """`scheduleChosen(name)`, `stepsChanged(value)`, `warmupChanged(value)`, `noiseRequested`."""

    scheduleChosen = Signal(str)
    stepsChanged = Signal(float)
    warmupChanged = Signal(float)
    noiseRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.optimizers.common")
        self.schedule = MenuField(
            "backprop.optimizers.schedule",
            "Schedule of all learning rates",
            [(one.name, one.title) for one in SCHEDULES.values()],
        )
        self.steps = NumberField("Steps", whole=True)
        self.steps.setObjectName("backprop.optimizers.steps")
        self.steps.set_limits(*STEPS)
        self.warmup = NumberField("Warm-up steps", whole=True)
        self.warmup.setObjectName("backprop.optimizers.warmup")
        self.warmup.setToolTip("Steps until the learning rate is at its peak")
        self.noise = QPushButton("Other noise")
        self.noise.setObjectName("backprop.optimizers.noise")
        self.noise.setToolTip("The same race with other errors of the slope")
        self.error = ErrorLine()
        self._drawn: tuple[str, int, int] | None = None
        self.curve = LinePlot("Schedule")
        self.curve.setObjectName("backprop.optimizers.schedule-curve")
        self.curve.set_axes("step", "share of the peak rate")
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for place, (title, field) in enumerate(
            (("Steps", self.steps), ("Warm-up steps", self.warmup))
        ):
            grid.addWidget(Label(title, "label", "muted"), 0, place)
            grid.addWidget(field, 1, place)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 2, 0)
        column.setSpacing(6)
        column.addWidget(self.schedule)
        column.addLayout(grid)
        column.addWidget(self.error)
        column.addWidget(self.noise)
        column.addWidget(self.curve)
        self.schedule.changed.connect(self.scheduleChosen)
        self.steps.changed.connect(self.stepsChanged)
        self.noise.clicked.connect(self.noiseRequested)
        self.warmup.changed.connect(self.warmupChanged)
        for field in (self.steps, self.warmup):
            field.refused.connect(self.error.set_text)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_values(self, schedule: str, steps: int, warmup: int) -> None:
        self.schedule.set_value(schedule)
        self.steps.set_value(steps)
        self.warmup.set_limits(0, steps)
        self.warmup.set_value(warmup)
        if (schedule, steps, warmup) == self._drawn:
            return
        self._drawn = (schedule, steps, warmup)
        taken = np.arange(steps, dtype=np.float64)
        shares = [
            learning_rate_at(
                step,
                schedule=schedule,
                learning_rate=1.0,
                min_learning_rate=0.0,
                warmup_steps=warmup,
                steps=steps,
            )
            for step in range(steps)
        ]
        title = SCHEDULES[schedule].title
        self.curve.set_x_range(0, max(1, steps))
        ground = Series("0", taken[[0, -1]], np.zeros(2), "outline", named=False, aid=True)
        curve = Series(title, taken, np.array(shares), "accent", named=False)
        self.curve.set_series([ground, curve])

    def set_cursor(self, step: float) -> None:
        self.curve.set_cursor(step)

    def _restyle(self) -> None:
        self.curve.setFixedHeight(theme.current().px(CURVE))
