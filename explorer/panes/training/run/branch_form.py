"""The branch's form: a popover below the run's card; Enter starts it, Esc closes it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from core.optimization.optimizers import OPTIMIZERS
from explorer import theme
from explorer.panes.training.run.draft import ABOUT
from explorer.panes.training.run.setup import STRATEGIES
from explorer.widgets.base import IconButton, Label, set_look
from explorer.widgets.fields import Deepest, ErrorLine, Field, MenuField, TextField
from explorer.widgets.plots.line_plot import LinePlot, Series

LEAST = 96  # px: below it the preview says nothing
ROWS = (
    ("learning_rate", "min_learning_rate", "steps"),
    ("batch_size", "ranks", "parallel"),
    ("precision", "optimizer", "name"),
)
Curve = tuple[np.ndarray, np.ndarray]  # steps, learning rates


class BranchForm(QFrame):
    """Emits `changed(field, text)`, `startRequested`, `closed`."""

    changed = Signal(str, str)
    startRequested = Signal()
    closed = Signal()

    def __init__(self, below: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self._below = below
        self.setObjectName("training.branch")
        set_look(self, "popover")
        self._title = Label("", "body", weight=600)
        self._close = IconButton("close", "Close", "Esc")
        self._what = Label("", "label", "muted", wrap=True)
        self.fields: dict[str, Field] = {}
        for name, title, hint in (
            ("learning_rate", "Learning rate", "How far the weights move, at the schedule's peak"),
            ("min_learning_rate", "Down to", "Where the cosine ends"),
            ("steps", "Steps", "How many it has at the end, counting those before the branch"),
            ("batch_size", "Batch", "Sequences read in one step, on all ranks together"),
            ("ranks", "Ranks", "Processes that share each batch"),
            ("name", "Name", "The name of the new run"),
        ):
            self.fields[name] = TextField(name, title, hint)
        for name, titles in (
            ("precision", [(one, one) for one in ABOUT["precision"].choices]),
            ("optimizer", [(name, rule.title) for name, rule in OPTIMIZERS.items()]),
            ("parallel", STRATEGIES),
        ):
            self.fields[name] = MenuField(name, ABOUT[name].label, titles, ABOUT[name].help)
        for name, field in self.fields.items():
            field.setObjectName(f"training.branch.{name}")
            field.changed.connect(lambda text, name=name: self.changed.emit(name, text))
        self._told = Label("", "label", "muted", wrap=True)
        self.plot = LinePlot("Learning rate from here on")
        self.plot.setObjectName("training.branch.schedule")
        self.plot.set_axes("step", "learning rate")
        self._why = ErrorLine()
        self.start = QPushButton("Start the branch")
        self.start.setObjectName("training.branch.start")
        set_look(self.start, "primary")
        self._enter = Deepest(self)
        self._build()
        self._enter.entered.connect(self._on_start)
        self.start.clicked.connect(self._on_start)
        self._close.clicked.connect(self.closed)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._close)
        rows = []
        for names in ROWS:
            row = QHBoxLayout()
            row.setSpacing(8)
            for name in names:
                row.addWidget(self.fields[name], 1, Qt.AlignmentFlag.AlignTop)
            rows.append(row)
        for field in self.fields.values():
            field.editor.installEventFilter(self._enter)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.start)
        buttons.addWidget(self._told, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 12, 16)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._what)
        for row in rows:
            column.addLayout(row)
        column.addWidget(self.plot)
        column.addLayout(buttons)
        column.addWidget(self._why)

    def open(self) -> None:
        """Shows itself over its parent, the learning rate ready to be typed over."""
        self.show()
        self.raise_()
        self.place()
        editor = self.fields["learning_rate"].editor
        editor.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if isinstance(editor, QLineEdit):
            editor.selectAll()

    def place(self) -> None:
        """Below the widget whose button opened it, at the right-hand edge of its parent."""
        now, parent = theme.current(), self.parentWidget()
        top = self._below.geometry().bottom() + now.px(8)
        width = min(now.px(416), parent.width() - 2 * now.px(16))
        self.plot.hide()
        room = parent.height() - top - self.layout().totalHeightForWidth(width) - now.px(8)
        if room >= now.px(LEAST):
            self.plot.setFixedHeight(round(min(now.px(132), room)))
            self.plot.show()
        height = self.layout().totalHeightForWidth(width)
        self.setGeometry(parent.width() - now.px(16) - width, top, width, height)

    # What is shown -------------------------------------------------------------------------------

    def set_run(self, name: str, step: int, has_floor: bool) -> None:
        """Which checkpoint it is about; a constant schedule has no rate to come down to."""
        self._title.setText(f"Resume from step {step:,}")
        self._what.setText(f"A new run continues from this checkpoint; {name} stays as it is.")
        self.setAccessibleName(f"A branch of {name} at step {step:,}")
        self.fields["min_learning_rate"].setVisible(has_floor)
        self.plot.set_cursor(float(step))

    def set_values(self, values: Mapping[str, str], errors: Mapping[str, str]) -> None:
        """Shows the fields and, below each, what is wrong with it."""
        for name, field in self.fields.items():
            field.set_value(values[name])
            field.set_error(errors.get(name, ""))
        self.start.setEnabled(not errors)
        self.start.setToolTip(next(iter(errors.values()), "Trains at once (Enter)"))
        self._fit()

    def set_schedule(self, old: Curve, new: Curve, told: str) -> None:
        """The run's learning rate, dashed, and the branch's from its step on."""
        shown = [Series("run", *old, "muted", dashed=True)]
        if len(new[0]):
            shown.append(Series("branch", *new, 2))
        self.plot.set_series(shown)
        self.plot.set_x_range(0, float(max(curve[0][-1] for curve in (old, new) if len(curve[0]))))
        self._told.setText(told)

    def set_why(self, text: str) -> None:
        """Why the branch was refused."""
        self._why.set_text(text)
        self._fit()

    def _fit(self) -> None:
        if self.isVisible():
            self.layout().activate()
            self.place()

    # Intents -------------------------------------------------------------------------------------

    def _on_start(self) -> None:
        if self.start.isEnabled():
            self.startRequested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _restyle(self) -> None:
        self._fit()
