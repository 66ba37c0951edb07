"""Sets up a branch ("Resume from here"): checks and previews it before it starts."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.training.this_machine import Machine
from explorer.panes.training.phases import schedule
from explorer.panes.training.run import text
from explorer.panes.training.run.branch_draft import BranchDraft, changes_of, check, has_last_rate
from explorer.panes.training.run.branch_form import BranchForm
from explorer.panes.training.run.view import RunView
from explorer.runs.run_data import RunData
from explorer.state.draft import Draft, named
from explorer.state.workspace import Workspace

BRANCH = "training.branch"  # the draft's key in the workspace


class Branch(QObject):
    """Holds the draft of a branch. Emits `confirmed(folder, step, changes, name)`."""

    confirmed = Signal(object, int, object, str)

    def __init__(self, workspace: Workspace, view: RunView, owner: QObject) -> None:
        super().__init__(owner)
        self._workspace, self._view = workspace, view
        self._data: RunData | None = None
        self.here: Machine | None = None  # this machine, once measured
        self.errors: dict[str, str] = {}
        self.draft = Draft(workspace, BRANCH, BranchDraft, self)
        self.draft.changed.connect(self._on_changed)

    @cached_property
    def form(self) -> BranchForm:
        form = self._view.branch
        form.changed.connect(self.change)
        form.typed.connect(self._workspace.end_merge)
        form.startRequested.connect(self.start)
        form.closed.connect(self.close)
        return form

    @property
    def is_open(self) -> bool:
        return self._data is not None

    def open(self, data: RunData, step: int) -> None:
        """Opens the form for a branch from a checkpoint of this run."""
        self._data = None
        self.draft.begin(BranchDraft.of(data, step))
        self._open(data)

    def know(self, data: RunData) -> None:
        """Reopens an unfinished branch draft of this run, such as one from a restored session."""
        one = self.draft.value
        if self._data is None and one.run == str(data.folder) and one.step in data.checkpoints:
            self.draft.begin(one.filled(data.config))
            self._open(data)

    def _open(self, data: RunData) -> None:
        self._data, step = data, self.draft.value.step
        self.form.set_run(data.name, step, has_last_rate(data.config))
        self.form.set_why("")
        self._show()
        self.form.open()

    def close(self) -> bool:
        """Closes the form; False when it was not open."""
        if self._data is None:
            return False
        self._data = None
        self.draft.begin(BranchDraft())
        self._workspace.drop_history(BRANCH)  # undo would have nothing to show
        focus = self._view.window().focusWidget()
        typing = focus is not None and self.form.isAncestorOf(focus)
        self.form.hide()
        if typing:
            self._view.card.take_focus("branch")
        return True

    def change(self, name: str, text: str) -> None:
        """Changes a field, undoably; consecutive edits of one typed field merge into one change."""
        if self._data is None:
            return
        draft = self.draft.value.change(name, text, self._data.config)
        told = named(f"The branch's {self.form.fields[name].title.lower()}", text)
        self.draft.change(draft, told, name)

    def start(self) -> None:
        """Emits `confirmed` with the typed settings if they have no errors."""
        draft, data = self.draft.value, self._data
        if data is not None and not self.errors:
            changes = changes_of(draft, data.config)
            self.confirmed.emit(data.folder, draft.step, changes, draft.name.strip())

    def refuse(self, message: str) -> None:
        """Shows in the form why the branch could not start."""
        if self.is_open:
            self.form.set_why(message)

    def _on_changed(self, draft: BranchDraft) -> None:
        data = self._data
        if data is not None and draft.run == str(data.folder):
            self.form.set_why("")
            self._show()
        elif data is not None:
            self.close()

    def _show(self) -> None:
        draft, data = self.draft.value, self._data
        if data is None:
            return
        self.errors = check(draft, data.config.device, self.here)
        self.form.set_draft(draft, self.errors)
        old = schedule(data.config)
        if self.errors:
            self.form.set_schedule(old, (np.empty(0), np.empty(0)), "")
            return
        changes, own = changes_of(draft, data.config), factor_by_hand(data, draft.step)
        factor = 1.0 if "learning_rate" in changes else own
        config = data.config.change(changes)
        steps, rates = schedule(config, draft.step)
        before = data.config.planned_rate(draft.step) * own
        told = text.branch_rate(config.planned_rate(draft.step) * factor, before)
        self.form.set_schedule(old, (steps, rates * factor), told)


def factor_by_hand(data: RunData, step: int) -> float:
    """Returns the ratio of the learning rate at a step to the planned one: 1 unless the user set it
    by hand. A branch without a learning rate of its own inherits this factor.
    """
    row = data.numbers.row(step)
    planned = data.config.planned_rate(step - 1) if step else 0.0
    if row is None or planned <= 0 or "learning_rate" not in row.dtype.names:
        return 1.0
    return float(row["learning_rate"]) / planned
