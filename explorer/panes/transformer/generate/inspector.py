"""What the inspector shows for a step of the choice: its line with a token's numbers."""

from __future__ import annotations

from core.marked_line import marked_line
from core.substitution import arithmetic
from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.transformer.generate.scene import Scene
from explorer.widgets.live_numbers import Equation, in_a_line


def inspection(step: Step, scene: Scene, token: int, quoted: str) -> Inspection:
    """Of the token that came, `quoted`."""
    name = step.name.removeprefix("sampling.")
    stage = next(one for one in scene.stages if one.name == name)
    line, rows = marked_line(step.code), []
    if line.computes:
        is_array = step.value(line.made).ndim > 0
        rows.append(in_a_line(arithmetic(step, token if is_array else None)))
    for value in step.values:
        if not step.value(value).ndim:
            rows.append(Equation(value.replace("_", " "), float(step.value(value)), "text"))
    rows.append(f"{quoted}: {stage.words[scene.came]}")
    table = {name: value for name, value in
             ((one, step.value(one)) for one in step.values) if value.ndim}  # fmt: skip
    return Inspection(step=step, rows=rows, table=table, title=step.title, plain=True)
