"""The inspector's content for a phase, a part of the model, or a line of the optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.numbers import format_power
from core.trace import Step
from core.training.recorded_step import RecordedStep, Table
from explorer.panes.base import Inspection, Row
from explorer.panes.step_inspection import calculated
from explorer.panes.training.phases import phase_inspection
from explorer.panes.training.step import text
from explorer.panes.training.step.scene import Place
from explorer.runs.run_data import RunNumbers

TOKENS = {"data": ("ids", "targets"), "loss": ("losses", "likeliest", "probabilities")}


def inspection(
    recorded: RecordedStep, place: Place, numbers: RunNumbers, weight: int
) -> Inspection:
    """Returns the content at a place; `weight` is the recorded weight in the optimizer's lines."""
    if place.inner is None:
        shown = _of_phase(recorded, place, numbers)
        lines = recorded.steps("optimizer") if place.phase == "optimizer" else []
        return _with_weight(shown, recorded, lines, weight) if lines else shown
    if place.phase == "optimizer":
        return _of_line(recorded, place.step, weight)
    return _of_part(recorded, place)


def _of_phase(recorded: RecordedStep, place: Place, numbers: RunNumbers) -> Inspection:
    """Returns a phase as Run shows it, plus all that was recorded inside it."""
    shown = phase_inspection(place.phase, numbers, recorded.recording.facts.step)
    rows = [*shown.rows, *calculated(place.step)]
    if place.phase == "backward":
        rows += text.exchange_rows(recorded.exchanges)
    tables = _tables(recorded, place.phase)
    arrays = {name: recorded.batch(name) for name in TOKENS.get(place.phase, ())}
    arrays |= {name: table.values for name, table in tables.items()}
    if any(array.size for array in arrays.values()):
        labels = {name: (table.rows, table.columns) for name, table in tables.items()}
        shown = replace(shown, table=arrays, labels=labels)
    return replace(shown, step=place.step, rows=rows)


def _with_weight(
    shown: Inspection, recorded: RecordedStep, lines: Sequence[Step], weight: int
) -> Inspection:
    """Adds each line of the optimizer's rule with the numbers of the selected weight; formula and
    code are those of the line that moves it.
    """
    rows = [Row(text.weight_name(recorded, weight), "text")]
    for line in lines:
        name = text.name_of(next(iter(line.values)))
        rows += [Row(f"{name}: {row.text}", row.role) for row in _line_rows(recorded, line, weight)]
    title = shown.step.title
    return replace(shown, step=lines[-1], rows=[*rows, *shown.rows], title=title)


def _line_rows(recorded: RecordedStep, line: Step, weight: int) -> list[Row]:
    made = line.value(next(iter(line.values)))
    return calculated(line, weight if made.size == len(recorded.kept) else None)


def _tables(recorded: RecordedStep, phase: str) -> dict[str, Table]:
    """Returns the recorded tables of a phase, besides the tokens."""
    match phase:
        case "forward":
            return {"dtypes": recorded.dtypes}
        case "backward" | "unscale" | "clip":
            return {"parameters": recorded.norms}
        case "optimizer":
            first, counts = recorded.updates
            powers = [format_power(first + at) for at in range(len(counts))]
            return {"updates": Table(powers, ("weights",), counts[:, None])}
    return {}


def _of_part(recorded: RecordedStep, place: Place) -> Inspection:
    """Returns a part of the model, forward or backward."""
    part = recorded.parts(place.phase)[place.inner or 0]
    first, *others = text.part_rows(part)
    arrays = {"size": part.sizes, "output": part.output}
    table = {name: array for name, array in arrays.items() if array.size}
    return Inspection(step=place.step, rows=[Row(first, "accent"), *others], table=table)


def _of_line(recorded: RecordedStep, step: Step, weight: int) -> Inspection:
    """Returns a line of the optimizer's rule with the numbers of one weight."""
    cell = text.weight_name(recorded, weight)
    return Inspection(step=step, rows=_line_rows(recorded, step, weight), cell=cell)
