"""Behind "Resume from here": what a branch changes, checked and previewed before it starts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLineEdit

from core.fields import field
from core.numbers import format_number
from core.training.config import TrainingConfig
from core.training.this_machine import Machine
from explorer.panes.training.phases import schedule
from explorer.panes.training.run.branch_form import BranchForm
from explorer.panes.training.run.draft import ABOUT, number_of, too_many_ranks
from explorer.panes.training.run.view import RunView
from explorer.runs.run_data import RunData
from explorer.state.draft import Draft, named
from explorer.state.workspace import Workspace

BRANCH = "training.branch"  # where the workspace keeps what is typed
NUMBERS = ("learning_rate", "min_learning_rate", "steps", "batch_size", "ranks")
CHOICES = ("precision", "optimizer", "parallel")
LONGEST_NAME = 100  # characters; file systems end at 255 bytes


@dataclass(frozen=True)
class BranchDraft:
    """The fields as typed, and of which checkpoint they speak."""

    run: str = ""  # none: no branch is being set up
    step: int = field(0, least=0)
    learning_rate: str = ""
    min_learning_rate: str = ""
    steps: str = ""
    batch_size: str = ""
    ranks: str = ""
    precision: str = ""
    optimizer: str = ""
    parallel: str = ""
    name: str = ""
    floor: str = ""  # "by hand" once a person has set where the rate ends

    @classmethod
    def of(cls, data: RunData, step: int) -> BranchDraft:
        """The run's own; at its last step, half as many again."""
        config = data.config
        more = 0 if step < config.steps else max(1, config.steps // 2)
        return cls(
            run=str(data.folder),
            step=step,
            learning_rate=_written(config, "learning_rate"),
            min_learning_rate=_written(config, "min_learning_rate"),
            steps=str(step + more) if more else _written(config, "steps"),
            batch_size=_written(config, "batch_size"),
            ranks=_written(config, "ranks"),
            **{name: getattr(config, name) for name in CHOICES},
            name=f"{data.name}-at-{step}",
        )

    def filled(self, config: TrainingConfig) -> BranchDraft:
        """What an older version did not keep is as the run has it."""
        own = {name: _written(config, name) for name in NUMBERS[3:]}
        own |= {name: getattr(config, name) for name in CHOICES}
        return replace(self, **{name: own[name] for name in own if not getattr(self, name)})

    def change(self, name: str, text: str, config: TrainingConfig) -> BranchDraft:
        """With one field changed; where the rate ends goes with the peak until it is set."""
        new = {name: text}
        if name == "min_learning_rate":
            new["floor"] = "by hand"
        elif name == "learning_rate" and not self.floor:
            rate = number_of(name, text)
            if not isinstance(rate, str):
                share = config.min_learning_rate / config.learning_rate
                new["min_learning_rate"] = f"{rate * share:.6g}"
        return replace(self, **new)


def _written(config: TrainingConfig, name: str) -> str:
    """The run's own number as a field shows it, in six digits."""
    value = getattr(config, name)
    return str(value) if isinstance(value, int) else f"{value:g}"


def check(draft: BranchDraft, device: str = "auto", here: Machine | None = None) -> dict[str, str]:
    """Field -> what is wrong with it and the remedy; {} when the branch can start on the machine
    that is `here`, where its run computes on `device`.
    """
    errors: dict[str, str] = {}
    values: dict[str, float] = {}
    for name in NUMBERS:
        value = number_of(name, getattr(draft, name))
        if isinstance(value, str):
            errors[name] = value
        else:
            values[name] = value
    peak, last = values.get("learning_rate", math.inf), values.get("min_learning_rate", 0.0)
    if last > peak:
        errors["min_learning_rate"] = f"It must not be above {peak:g}; use {peak / 10:g}"
    if values.get("steps", math.inf) <= draft.step:
        usual = draft.step + max(1, draft.step // 2)
        errors["steps"] = f"Use more than its {draft.step:,}, such as {usual:,}"
    if values.get("ranks", 0) > values.get("batch_size", math.inf):
        errors["ranks"] = too_many_ranks(int(values["ranks"]), int(values["batch_size"]))
    elif here is not None and (why := here.refusal(device, int(values.get("ranks", 1)))):
        errors["ranks"] = f"{why[0].upper()}{why[1:]}"
    for name in CHOICES:
        allowed = ABOUT[name].choices
        if getattr(draft, name) not in allowed:
            errors[name] = f"Choose {' or '.join(allowed)}"
    if not draft.name.strip():
        errors["name"] = f"A run needs a name; use {Path(draft.run).name}-at-{draft.step}"
    elif len(draft.name) > LONGEST_NAME:
        errors["name"] = f"Use at most {LONGEST_NAME} characters"
    return errors


def changes_of(draft: BranchDraft, config: TrainingConfig) -> dict[str, Any]:
    """What `core.training.runs.branch` is to change in the run's config; `check` has passed.

    A field that reads as it was filled changes nothing: its six digits are not the exact number.
    """
    typed = {name: getattr(draft, name) for name in NUMBERS}
    changed = [name for name in NUMBERS if typed[name] != _written(config, name)]
    chosen = {name: getattr(draft, name) for name in CHOICES}
    return {
        **{name: number_of(name, typed[name]) for name in changed},
        **{name: value for name, value in chosen.items() if value != getattr(config, name)},
    }


class Branching(QObject):
    """Keeps the draft of a branch; `confirmed(folder, step, changes, name)`."""

    confirmed = Signal(object, int, object, str)

    def __init__(self, workspace: Workspace, view: RunView, owner: QObject) -> None:
        super().__init__(owner)
        self._workspace = workspace
        self._view = view
        self._known = False
        self._data: RunData | None = None
        self.here: Machine | None = None  # this machine, once it is known
        self.errors: dict[str, str] = {}
        self.draft = Draft(workspace, BRANCH, BranchDraft, self)
        self.draft.changed.connect(self._on_changed)

    @property
    def _form(self) -> BranchForm:
        form = self._view.branch
        if not self._known:
            self._known = True
            form.changed.connect(self.change)
            form.startRequested.connect(self.start)
            form.closed.connect(self.close)
            for field in form.fields.values():
                if isinstance(field.editor, QLineEdit):
                    field.editor.editingFinished.connect(self._workspace.end_merge)
        return form

    @property
    def is_open(self) -> bool:
        return self._data is not None

    def open(self, data: RunData, step: int) -> None:
        """Asks about a branch of this run's checkpoint."""
        self._data = None
        self.draft.begin(BranchDraft.of(data, step))
        self._open(data)

    def know(self, data: RunData) -> None:
        """What was set up of a branch of this run, by a session say, is shown."""
        one = self.draft.value
        if self._data is None and one.run == str(data.folder) and one.step in data.checkpoints:
            self.draft.begin(one.filled(data.config))
            self._open(data)

    def _open(self, data: RunData) -> None:
        self._data, step = data, self.draft.value.step
        self._form.set_run(data.name, step, data.config.schedule == "cosine")
        self._form.set_why("")
        self._show()
        self._form.open()

    def close(self) -> bool:
        """False when it was not open."""
        if self._data is None:
            return False
        self._data = None
        self.draft.begin(BranchDraft())
        self._workspace.drop_history(BRANCH)  # there is nothing left that an undo could show
        focus = self._view.window().focusWidget()
        typing = focus is not None and self._form.isAncestorOf(focus)
        self._form.hide()
        if typing:
            self._view.card.take_focus("branch")
        return True

    def change(self, name: str, text: str) -> None:
        """A person's change, which can be undone; what is typed into one field is one change."""
        if self._data is None:
            return
        draft = self.draft.value.change(name, text, self._data.config)
        told = named(f"The branch's {self._form.fields[name].title.lower()}", text)
        self.draft.change(draft, told, name)

    def start(self) -> None:
        """The branch as it is typed, unless something is wrong with it."""
        draft, data = self.draft.value, self._data
        if data is not None and not self.errors:
            changes = changes_of(draft, data.config)
            self.confirmed.emit(data.folder, draft.step, changes, draft.name.strip())

    def refuse(self, message: str) -> None:
        """Why it could not begin."""
        if self.is_open:
            self._form.set_why(message)

    def _on_changed(self, draft: BranchDraft) -> None:
        data = self._data
        if data is not None and draft.run == str(data.folder):
            self._form.set_why("")
            self._show()
        elif data is not None:
            self.close()

    def _show(self) -> None:
        draft, data = self.draft.value, self._data
        if data is None:
            return
        self.errors = check(draft, data.config.device, self.here)
        texts = {name: getattr(draft, name) for name in self._form.fields}
        self._form.set_values(texts, self.errors)
        old = schedule(data.config)
        if self.errors:
            self._form.set_schedule(old, (np.empty(0), np.empty(0)), "")
            return
        changes = changes_of(draft, data.config)
        config, scale = data.config.change(changes), self._scale(changes)
        steps, rates = schedule(config, draft.step)
        before = data.config.planned_rate(draft.step) * self._scale({})
        now = config.planned_rate(draft.step) * scale
        same = math.isclose(now, before, rel_tol=1e-6)
        was = "as before" if same else f"the run was at {format_number(before)}"
        told = f"Continues with learning rate {format_number(now)} ({was})."
        self._form.set_schedule(old, (steps, rates * scale), told)

    def _scale(self, changes: Mapping[str, Any]) -> float:
        """A rate that was set by hand stays in a branch which gives none of its own."""
        draft, data = self.draft.value, self._data
        if data is None or "learning_rate" in changes:
            return 1.0
        row = data.numbers.row(draft.step)
        planned = data.config.planned_rate(draft.step - 1) if draft.step else 0.0
        if row is None or planned <= 0 or "learning_rate" not in row.dtype.names:
            return 1.0
        return float(row["learning_rate"]) / planned
