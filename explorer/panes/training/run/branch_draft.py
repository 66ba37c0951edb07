"""The typed settings of a branch and their changes to its run. Imports neither Qt nor torch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.fields import Field, field
from core.training.config import TrainingConfig
from core.training.phases import schedule_plan
from core.training.this_machine import Machine
from explorer.panes.training.run.draft import ABOUT, read_numbers
from explorer.runs.run_data import RunData
from explorer.state.typed_numbers import number_in

NUMBERS = ("learning_rate", "min_learning_rate", "steps", "batch_size", "ranks")
CHOICES = ("precision", "optimizer", "parallel")
LONGEST_NAME = 100  # characters; file systems end at 255 bytes
NAME = Field("name", str, label="Name", help="The name of the new run", longest=LONGEST_NAME)
BRANCH_ABOUT = {
    **{name: ABOUT[name] for name in (*NUMBERS, *CHOICES)},
    "name": NAME,
    "steps": replace(ABOUT["steps"], help="All steps, including those before the branch"),
}


def _choice(name: str) -> Any:
    """A field for one of a run's choices; "", as in older sessions, means the run's own."""
    known: Collection[str] = ABOUT[name].choices
    return field("", choices=("", *known))


@dataclass(frozen=True)
class BranchDraft:
    """The fields as typed, and the checkpoint from which the branch starts."""

    run: str = ""  # "" while no branch is being set up
    step: int = field(0, least=0)
    learning_rate: str = ""
    min_learning_rate: str = ""
    steps: str = ""
    batch_size: str = ""
    ranks: str = ""
    precision: str = _choice("precision")
    optimizer: str = _choice("optimizer")
    parallel: str = _choice("parallel")
    name: str = ""
    floor: str = ""  # "by hand" once the user has set `min_learning_rate`

    @classmethod
    def of(cls, data: RunData, step: int) -> BranchDraft:
        """Returns the run's own settings; a branch at the last step gets 50 % more steps."""
        name = f"{data.name}-at-{step}"
        draft = cls(run=str(data.folder), step=step, name=name).filled(data.config)
        if step < data.config.steps:
            return draft
        return replace(draft, steps=str(step + max(1, data.config.steps // 2)))

    def filled(self, config: TrainingConfig) -> BranchDraft:
        """Fills empty fields, as left by an older session, with the run's settings."""
        own = {name: _written(config, name) for name in NUMBERS}
        own |= {name: getattr(config, name) for name in CHOICES}
        return replace(self, **{name: own[name] for name in own if not getattr(self, name)})

    def change(self, name: str, value: str, config: TrainingConfig) -> BranchDraft:
        """Changes one field; the last learning rate follows the peak until the user sets it."""
        new = {name: value}
        if name == "min_learning_rate":
            new["floor"] = "by hand"
        elif name == "learning_rate" and not self.floor:
            rate = number_in(value)
            if rate is not None and rate > 0:
                share = config.min_learning_rate / config.learning_rate
                new["min_learning_rate"] = f"{rate * share:.6g}"
        return replace(self, **new)


def _written(config: TrainingConfig, name: str) -> str:
    """Returns a number of the run as its field shows it, with six significant digits."""
    value = getattr(config, name)
    return str(value) if isinstance(value, int) else f"{value:g}"


def has_last_rate(config: TrainingConfig) -> bool:
    """Returns True if the schedule decays to `min_learning_rate`, judging by its formula."""
    return r"\eta_{min}" in schedule_plan(config).formula


def check(draft: BranchDraft, device: str = "auto", here: Machine | None = None) -> dict[str, str]:
    """Returns the error of each invalid field, with the remedy; {} if the branch can start on the
    machine `here`, computing on `device`.
    """
    values, errors = read_numbers(draft, NUMBERS)
    if "steps" in values and values["steps"] <= draft.step:
        usual = draft.step + max(1, draft.step // 2)
        errors["steps"] = f"Use more than its {draft.step:,}, such as {usual:,}"
    if here is not None and (why := here.refusal(device, int(values.get("ranks", 1)))):
        errors.setdefault("ranks", f"{why[0].upper()}{why[1:]}")
    if not draft.name.strip():
        errors["name"] = f"A run needs a name; use {Path(draft.run).name}-at-{draft.step}"
    elif len(draft.name) > LONGEST_NAME:
        errors["name"] = f"Use at most {LONGEST_NAME} characters"
    return errors


def changes_of(draft: BranchDraft, config: TrainingConfig) -> dict[str, Any]:
    """Returns the changes to the run's config, for `core.training.runs.branch`. `check` must pass.

    A field that still shows its initial text changes nothing: its six digits are not exact.
    """
    typed = [name for name in NUMBERS if getattr(draft, name) != _written(config, name)]
    values, _ = read_numbers(draft, typed)
    chosen = {name: getattr(draft, name) for name in CHOICES}
    return values | {
        name: value for name, value in chosen.items() if value != getattr(config, name)
    }
