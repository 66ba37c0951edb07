"""The user's examples and question, and their form. Imports neither Qt nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.data.few_shot_tasks import FORMS, LOOKUPS, TASKS, lines_of
from core.fields import check, field

MOST = 4000  # characters
LOOKED_UP = {name: lines_of(task) for name, task in LOOKUPS.items()}
KNOWN = {name: lines_of(task.items()) for name, task in TASKS.items()}


@dataclass(frozen=True)
class ExamplesDraft:
    """`lines`: examples for core's `pairs_of`; `form`: how an example is written in the prompt."""

    lines: str = field(LOOKED_UP["Colors"], longest=MOST)
    form: str = field("arrow", choices=tuple(FORMS))

    def __post_init__(self) -> None:
        check(self)
