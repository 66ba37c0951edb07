"""The branch's form: a popover below the run's card; Enter starts it, Esc closes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QWidget

from core.optimization.optimizers import OPTIMIZERS
from explorer import theme
from explorer.panes.training.run.branch_draft import BRANCH_ABOUT, BranchDraft
from explorer.panes.training.run.form import PRECISIONS, STRATEGIES, titles
from explorer.widgets.base import IconButton, Label, set_look
from explorer.widgets.boxes import column, grid, name_parts, row
from explorer.widgets.fields import Deepest, ErrorLine, TextField
from explorer.widgets.plots.line_plot import LinePlot, Series
from explorer.widgets.push_button import push_button
from explorer.widgets.setting_fields import TYPED, SettingFields, Values

NAME = "training.branch"
LEAST = 80  # px: a smaller preview is unreadable
VALUES: dict[str, Values] = {
    "learning_rate": TYPED,
    "min_learning_rate": TYPED,
    "steps": TYPED,
    "batch_size": TYPED,
    "ranks": TYPED,
    "parallel": STRATEGIES,
    "precision": PRECISIONS,
    "optimizer": titles(OPTIMIZERS),
    "name": TYPED,
}
Curve = tuple[np.ndarray, np.ndarray]  # steps, learning rates


class BranchForm(QFrame):
    """Emits `changed(field, value)`, `typed` when a field is left, `startRequested`, `closed`."""

    changed = Signal(str, object)
    typed = Signal()
    startRequested = Signal()
    closed = Signal()

    def __init__(self, below: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self._below = below
        self.setObjectName(NAME)
        set_look(self, "popover")
        self._title, close = Label("", "body", weight=600), IconButton("close", "Close", "Esc")
        self._what = Label("", "label", "muted", wrap=True)
        self.settings = SettingFields(NAME, BRANCH_ABOUT, VALUES, {}, self)
        self.fields: Mapping[str, Any] = self.settings.widgets
        self._told = Label("", "label", "muted", wrap=True)
        self.plot = LinePlot("Learning rate from here on")
        self.plot.setObjectName(f"{NAME}.schedule")
        self.plot.set_axes("step", "learning rate")
        self.why = ErrorLine()
        self.start = push_button("Start the branch", look="primary")
        name_parts(self, NAME, "start")
        fields = list(self.fields.values())
        box = column(
            row((self._title, 1), close),
            self._what,
            grid([fields[at : at + 3] for at in range(0, len(fields), 3)]),
            self.plot,
            row(self.start, (self._told, 1)),
            self.why,
            of=self,
        )
        box.setContentsMargins(16, 8, 12, 16)
        enter = Deepest(self)
        for field in fields:
            if isinstance(field, TextField):
                field.editor.installEventFilter(enter)
        enter.entered.connect(self._on_start)
        self.settings.changed.connect(self.changed)
        self.settings.released.connect(self.typed)
        self.start.clicked.connect(self._on_start)
        close.clicked.connect(self.closed)
        theme.changed.connect(self._fit)
        self.hide()

    def open(self) -> None:
        """Opens above its parent widget, with the learning rate selected."""
        self.show()
        self.raise_()
        self.place()
        editor = self.fields["learning_rate"].editor
        editor.setFocus(Qt.FocusReason.ShortcutFocusReason)
        editor.selectAll()

    def place(self) -> None:
        """Moves below the widget whose button opened it, aligned to the parent's right edge."""
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

    # Content -------------------------------------------------------------------------------------

    def set_run(self, name: str, step: int, has_last_rate: bool) -> None:
        """Shows the checkpoint, and the last learning rate only if the schedule has one."""
        self._title.setText(f"Resume from step {step:,}")
        self._what.setText(f"A new run continues from this checkpoint; “{name}” stays as it is.")
        self.setAccessibleName(f"A branch of {name} at step {step:,}")
        self.fields["min_learning_rate"].setVisible(has_last_rate)
        self.plot.set_cursor(float(step))

    def set_draft(self, draft: BranchDraft, errors: dict[str, str]) -> None:
        """Shows the fields, each with its error below it."""
        self.settings.show(draft)
        self.settings.set_errors(errors)
        self.start.setEnabled(not errors)
        self.start.setToolTip(next(iter(errors.values()), "Starts training right away (Enter)"))
        self._fit()

    def set_schedule(self, old: Curve, new: Curve, told: str) -> None:
        """Draws the run's learning rate, dashed, and the branch's from its step on."""
        shown = [Series("run", *old, "muted", dashed=True)]
        if len(new[0]):
            shown.append(Series("branch", *new, 2))
        self.plot.set_series(shown)
        self.plot.set_x_range(0, float(max(curve[0][-1] for curve in (old, new) if len(curve[0]))))
        self._told.setText(told)

    def set_why(self, text: str) -> None:
        """Shows why the branch was refused."""
        self.why.set_text(text)
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
