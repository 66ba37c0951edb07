"""What the inspector shows for a step of the choice: its line with a token's numbers."""

from __future__ import annotations

from dataclasses import replace

from core.marked_line import marked_line
from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.generate.scene import Scene


def inspection(step: Step, scene: Scene, token: int, quoted: str) -> Inspection:
    """Of the token that came, `quoted`."""
    made = marked_line(step.code).made
    is_array = made in step.values and step.value(made).ndim > 0
    shown = inspection_of(step, token if is_array else None)
    name = step.name.removeprefix("sampling.")
    stage = next(one for one in scene.stages if one.name == name)
    table = {name: value for name, value in shown.table.items() if value.size > 1}
    rows = [*shown.rows, f"{quoted}: {stage.words[scene.came]}"]
    return replace(shown, rows=rows, table=table)
