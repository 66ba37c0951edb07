"""What the inspector shows of a phase, of a part of the model, of a line of the optimizer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.marked_line import marked_line
from core.substitution import arithmetic
from core.trace import Step
from explorer.panes.base import Inspection, Row
from explorer.panes.training.phases import phase_inspection
from explorer.panes.training.run_data import RunNumbers
from explorer.panes.training.step import text
from explorer.panes.training.step.scene import Scene
from explorer.widgets.live_numbers import in_a_line

WAYS = ("input", "weight", "output", "gradient")


def of_phase(scene: Scene, numbers: RunNumbers, phase: str, step: Step) -> Inspection:
    """A phase as Run shows it, with all that was recorded inside it."""
    shown = phase_inspection(phase, numbers, scene.recording.facts.step)
    rows = [*shown.rows, *_calculated(step, None)]
    table: dict[str, np.ndarray] = {}
    labels: dict[str, Any] = {}
    facts = scene.recording.facts
    if phase in ("data", "loss"):
        names = ("ids", "targets") if phase == "data" else ("losses", "likeliest", "probabilities")
        table = {name: scene.batch(name) for name in names}
    elif phase == "forward":
        dtypes = [
            [layer.input, layer.weight, layer.output, layer.gradient] for layer in facts.layers
        ]
        table = {"dtypes": np.array(dtypes).reshape(-1, len(WAYS))}
        labels = {"dtypes": ([layer.name for layer in facts.layers], WAYS)}
    elif phase in ("backward", "unscale", "clip"):
        told = [[one.gradient, one.largest, one.norm] for one in facts.parameters.values()]
        table = {"parameters": np.array(told).reshape(-1, 3)}
        columns = ("gradient norm", "largest", "weight norm")
        labels = {"parameters": (list(facts.parameters), columns)}
        rows += map(text.exchange_row, scene.exchanges) if phase == "backward" else ()
    elif phase == "optimizer" and len(scene.updates[1]):
        first, counts = scene.updates
        powers = [text.power(first + at) for at in range(len(counts))]
        table, labels = {"updates": counts[:, None]}, {"updates": (powers, ("weights",))}
    table = {name: array for name, array in table.items() if array.size}
    if not table:
        return replace(shown, step=step, rows=rows)
    return replace(shown, step=step, rows=rows, table=table, labels=labels)


def of_part(scene: Scene, phase: str, inner: int, step: Step) -> Inspection:
    """A part of the model, forward or backward."""
    event = scene.recording.parts(phase)[inner]
    sizes = scene.recording.arrays.get(f"{phase}.0.{event.name}", np.zeros(0))
    part = (scene.forward if phase == "forward" else scene.backward)[inner]
    first, *others = text.part_rows(scene, event, part.mean)
    table = {"size": sizes} if sizes.size else {}
    output = scene.recording.arrays.get(f"output.{event.name}")
    if phase == "forward" and output is not None:
        table["output"] = output
    return Inspection(step=step, rows=[Row(first, "accent"), *others], table=table)


def of_line(scene: Scene, weight: int, step: Step) -> Inspection:
    """A line of the optimizer's rule with the numbers of one weight."""
    made = step.value(next(iter(step.values)))
    chosen = weight if made.size == len(scene.kept) else None
    cell = f"kept weight {weight + 1} of {len(scene.kept)} of {scene.parameter}"
    return Inspection(step=step, rows=_calculated(step, chosen), cell=cell)


def _calculated(step: Step, cell: int | None) -> list[Row]:
    """The step's line with its numbers, where it has them all."""
    try:
        if not marked_line(step.code).computes:
            return []
        return [Row(in_a_line(arithmetic(step, cell)), "accent")]
    except ValueError:  # an older run recorded less
        return []
