"""Which examples are shown and what is asked, as a person has set it up. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.data.few_shot_tasks import FORMS, TASKS, lines_of
from core.fields import check, field

MOST = 4000  # characters
LINES = {name: lines_of(task) for name, task in TASKS.items()}


@dataclass(frozen=True)
class ExamplesDraft:
    """`lines` as core's `pairs_of` reads them; `form`: how the model sees an example written."""

    lines: str = field(LINES["Capitals"], longest=MOST)
    form: str = field("arrow", choices=tuple(FORMS))

    def __post_init__(self) -> None:
        check(self)
