"""What the inspector shows for a step of the choice: its line with a token's numbers."""

from __future__ import annotations

from dataclasses import replace

from core.marked_line import marked_line
from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.step_inspection import inspection_of


def inspection(step: Step, token: int, told: str) -> Inspection:
    """Of the token that came; `told`: what it has at this step, in words."""
    made = marked_line(step.code).made
    is_array = made in step.values and step.value(made).ndim > 0
    shown = inspection_of(step, token if is_array else None)
    table = {name: value for name, value in shown.table.items() if value.size > 1}
    return replace(shown, rows=[*shown.rows, told], table=table)
