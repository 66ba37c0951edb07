"""The settings of a branch as typed, and what they change of its run. Knows no Qt and no torch."""

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
    """One of a run's choices; "": that of the run, as an older session kept none."""
    known: Collection[str] = ABOUT[name].choices
    return field("", choices=("", *known))


@dataclass(frozen=True)
class BranchDraft:
    """The fields as typed, and the checkpoint that they are about."""

    run: str = ""  # none: no branch is being set up
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
    floor: str = ""  # "by hand" once a person has set where the rate ends

    @classmethod
    def of(cls, data: RunData, step: int) -> BranchDraft:
        """The run's own settings; from its last step on, half as many steps again."""
        name = f"{data.name}-at-{step}"
        draft = cls(run=str(data.folder), step=step, name=name).filled(data.config)
        if step < data.config.steps:
            return draft
        return replace(draft, steps=str(step + max(1, data.config.steps // 2)))

    def filled(self, config: TrainingConfig) -> BranchDraft:
        """Takes from the run what is not set, as in an older session."""
        own = {name: _written(config, name) for name in NUMBERS}
        own |= {name: getattr(config, name) for name in CHOICES}
        return replace(self, **{name: own[name] for name in own if not getattr(self, name)})

    def change(self, name: str, value: str, config: TrainingConfig) -> BranchDraft:
        """Changes one field; the last learning rate follows the peak until a person sets it."""
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
    """A number of the run as a field shows it, in six digits."""
    value = getattr(config, name)
    return str(value) if isinstance(value, int) else f"{value:g}"


def has_last_rate(config: TrainingConfig) -> bool:
    """Whether its schedule falls to `min_learning_rate`, as its formula says."""
    return r"\eta_{min}" in schedule_plan(config).formula


def check(draft: BranchDraft, device: str = "auto", here: Machine | None = None) -> dict[str, str]:
    """Field -> what is wrong with it and the remedy; {} when the branch can start on the machine
    that is `here`, where its run computes on `device`.
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
    """What `core.training.runs.branch` is to change in the run's config; `check` has passed.

    A field that reads as it was filled changes nothing: its six digits are not the exact number.
    """
    typed = [name for name in NUMBERS if getattr(draft, name) != _written(config, name)]
    values, _ = read_numbers(draft, typed)
    chosen = {name: getattr(draft, name) for name in CHOICES}
    return values | {
        name: value for name, value in chosen.items() if value != getattr(config, name)
    }
