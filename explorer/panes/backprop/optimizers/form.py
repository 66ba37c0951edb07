"""The fields next to the map: optimizers, settings of the selected one, steps and schedule."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QCheckBox, QWidget

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.schedules import SCHEDULES, learning_rate_at
from explorer import theme
from explorer.panes.backprop.optimizers.draft import CHOICES, STEPS, hint_of, keys_of
from explorer.panes.backprop.optimizers.draw_legend import SAMPLE, draw_sample
from explorer.widgets.base import Label, Picture
from explorer.widgets.boxes import column, grid, name_parts, row
from explorer.widgets.fields import ErrorLine, MenuField
from explorer.widgets.number_field import LARGEST, NumberField
from explorer.widgets.plots.line_plot import LinePlot, Series
from explorer.widgets.push_button import push_button

ROW = 30  # px: height of an optimizer's row
CURVE = 110  # px: height of the schedule's curve
SHARES = ("momentum", "beta", "beta1", "beta2")
USUAL = "Use the usual settings, with a learning rate that suits this surface"
IS_USUAL = "These are the usual settings"


class Sample(Picture):
    """Shows a piece of an optimizer's trail."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._name = name
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def draw(self, painter: QPainter) -> None:
        if self.isEnabled():
            draw_sample(painter, QPointF(self.rect().center()), self._name)


class RacerRow(QWidget):
    """An optimizer's row; emits `chosen`, `raced(on)`, `rateChanged(value)`, `rateRefused(why)`."""

    chosen = Signal()
    raced = Signal(bool)
    rateChanged = Signal(float)
    rateRefused = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = OPTIMIZERS[name].title
        self.setObjectName(f"backprop.optimizers.{name}")
        self._is_chosen = False
        self.box = QCheckBox(title)
        self.box.setAccessibleName(f"{title} races")
        self.box.setToolTip(f"{title} ({OPTIMIZERS[name].source})")
        self.sample = Sample(name)
        self.height_label = Label("", "label", "muted", mono=True)
        self.height_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.rate = NumberField(f"Learning rate of {title}")
        self.rate.set_limits(0, LARGEST)
        self.rate.setToolTip("Learning rate: type it, turn the wheel, or press Up or Down")
        self._row = row(self.box, 1, self.height_label, self.sample, self.rate, of=self, spacing=5)
        self.box.clicked.connect(self.raced)
        self.box.clicked.connect(lambda on: self.chosen.emit() if on else None)
        self.rate.entered.connect(self.chosen)
        self.rate.changed.connect(self.rateChanged)
        self.rate.refused.connect(self.rateRefused)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_chosen(self, chosen: bool) -> None:
        """Marks the optimizer as selected: its steps are explained."""
        if chosen != self._is_chosen:
            self._is_chosen = chosen
            self.setAccessibleDescription("chosen" if chosen else "")
            self.update()

    def set_races(self, races: bool) -> None:
        """Ticks or unticks the optimizer."""
        self.box.setChecked(races)
        self.sample.setEnabled(races)
        self.rate.setEnabled(races)
        if not races:
            self.height_label.setText("")

    def set_height(self, text: str) -> None:
        """Shows the optimizer's height at the cursor."""
        if text != self.height_label.text():
            self.height_label.setText(text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit()

    def paintEvent(self, event) -> None:
        if self._is_chosen:
            now = theme.current()
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(now.pen("accent") if now.contrast else Qt.PenStyle.NoPen)
            painter.setBrush(now.color("selected"))
            painter.drawRoundedRect(self.rect(), 6, 6)
            painter.end()

    def _restyle(self) -> None:
        now = theme.current()
        self.setFixedHeight(now.px(ROW))
        self._row.setContentsMargins(now.px(6), 0, now.px(2), 0)
        self.sample.setFixedSize(now.px(SAMPLE), now.px(14))
        self.rate.setFixedWidth(now.px(72))
        self.height_label.setFixedWidth(now.px(54))


class RacerList(QWidget):
    """The rows of all optimizers; emits `chosen(name)`, `raced(name, on)`,
    `rateChanged(name, value)`, `rateRefused(why)`.
    """

    chosen = Signal(str)
    raced = Signal(str, bool)
    rateChanged = Signal(str, float)
    rateRefused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.optimizers.racers")
        self.rows = {name: RacerRow(name) for name in OPTIMIZERS}
        for name, racer in self.rows.items():
            racer.chosen.connect(partial(self.chosen.emit, name))
            racer.raced.connect(partial(self.raced.emit, name))
            racer.rateChanged.connect(partial(self.rateChanged.emit, name))
            racer.rateRefused.connect(self.rateRefused)
        column(*self.rows.values(), of=self, spacing=0)

    def finish_typing(self, but: str) -> None:
        """Commits the rates that are being typed, except that of `but`."""
        for name, racer in self.rows.items():
            if name != but:
                racer.rate.finish()

    def set_chosen(self, name: str) -> None:
        """Selects the optimizer whose steps are explained."""
        for one, racer in self.rows.items():
            racer.set_chosen(one == name)


class SettingsForm(QWidget):
    """The selected optimizer's settings except its rate; emits `changed(optimizer, key, value)`,
    `refused(why)`, `left` when a field is left, `usualRequested`.
    """

    changed = Signal(str, str, float)
    refused = Signal(str)
    left = Signal()
    usualRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.optimizers.settings")
        self._name = ""
        self.fields: dict[str, NumberField] = {}
        self.title = Label("", "body", weight=600)
        self.usual = push_button("Usual settings", look="quiet")
        self.error = ErrorLine()
        self._grid = grid([], spacing=(8, 2))
        self._grid.setColumnStretch(1, 1)
        head = row((self.title, 1), self.usual)
        column(head, self._grid, self.error, of=self, spacing=2).setContentsMargins(6, 0, 2, 0)
        self.usual.clicked.connect(self.usualRequested)

    def set_optimizer(self, name: str) -> None:
        """Builds the fields of another optimizer."""
        if name == self._name:
            return
        self._name, self.fields = name, {}
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.setVisible(bool(name))
        if not name:
            return
        self.title.setText(OPTIMIZERS[name].title)
        for place, key in enumerate(key for key in keys_of(name) if key != "learning_rate"):
            title, hint = CHOICES[key][0], hint_of(name, key)
            field = NumberField(title, share=key in SHARES, whole=key == "iterations")
            field.setObjectName(f"backprop.optimizers.settings.{key}")
            field.setMinimumWidth(48)
            field.set_limits(0, LARGEST)
            label = Label(title, "label", "muted")
            label.setBuddy(field)
            for widget, below in ((label, 0), (field, 1)):
                widget.setToolTip(hint)
                self._grid.addWidget(widget, 2 * (place // 2) + below, place % 2)
            field.changed.connect(lambda value, key=key: self.changed.emit(name, key, value))
            field.refused.connect(self.refused)
            field.left.connect(self.left)
            self.fields[key] = field

    def finish_typing(self) -> None:
        """Commits the fields that are being typed into."""
        for field in list(self.fields.values()):
            field.finish()

    def set_values(self, values: Mapping[str, float], is_usual: bool) -> None:
        """Shows the optimizer's settings, by name."""
        for key, field in self.fields.items():
            field.set_value(float(values[key]))
        self.usual.setEnabled(not is_usual)
        self.usual.setToolTip(IS_USUAL if is_usual else USUAL)


class CommonForm(QWidget):
    """The settings shared by all optimizers; emits `scheduleChosen(name)`, `stepsChanged(value)`,
    `warmupChanged(value)`, `noiseRequested`.
    """

    scheduleChosen = Signal(str)
    stepsChanged = Signal(float)
    warmupChanged = Signal(float)
    noiseRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.optimizers.common")
        self.schedule = MenuField(
            "backprop.optimizers.schedule",
            "Schedule for all learning rates",
            [(one.name, one.title) for one in SCHEDULES.values()],
        )
        self.steps = NumberField("Steps", whole=True)
        self.steps.set_limits(*STEPS)
        self.warmup = NumberField("Warm-up steps", whole=True)
        self.warmup.setToolTip("Steps until the learning rate reaches its peak")
        help = "Run the race again with other random errors in the gradients"
        self.noise = push_button("New noise", help)
        name_parts(self, "backprop.optimizers", "steps", "warmup", "noise")
        self.error = ErrorLine()
        self._drawn: tuple[str, int, int] | None = None
        self.curve = LinePlot("Schedule")
        self.curve.setObjectName("backprop.optimizers.schedule-curve")
        self.curve.set_axes("step", "share of the peak rate")
        labels = [Label(title, "label", "muted") for title in ("Steps", "Warm-up steps")]
        numbers = grid([labels, [self.steps, self.warmup]], spacing=(8, 2))
        parts = column(
            self.schedule, numbers, self.error, self.noise, self.curve, of=self, spacing=6
        )
        parts.setContentsMargins(6, 0, 2, 0)
        self.schedule.changed.connect(self.scheduleChosen)
        self.steps.changed.connect(self.stepsChanged)
        self.noise.clicked.connect(self.noiseRequested)
        self.warmup.changed.connect(self.warmupChanged)
        for field in (self.steps, self.warmup):
            field.refused.connect(self.error.set_text)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_values(self, schedule: str, steps: int, warmup: int) -> None:
        """Shows the values in the fields, and the schedule's curve."""
        self.schedule.set_value(schedule)
        self.steps.set_value(steps)
        self.warmup.set_limits(0, steps)
        self.warmup.set_value(warmup)
        self.error.set_text("")
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
        self.curve.set_x_range(0, max(1, steps))
        ground = Series("0", taken[[0, -1]], np.zeros(2), "outline", named=False, aid=True)
        title = SCHEDULES[schedule].title
        curve = Series(title, taken, np.array(shares), "accent", named=False)
        self.curve.set_series([ground, curve])

    def _restyle(self) -> None:
        self.curve.setFixedHeight(theme.current().px(CURVE))
