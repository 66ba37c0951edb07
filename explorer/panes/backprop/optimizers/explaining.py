"""What the inspector says of a race: the whole update of the chosen one, or one line of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.optimization.optimizers import optimizer
from core.trace import Step, Trace
from explorer.panes.backprop.optimizers.racing import Lane, Recording
from explorer.panes.backprop.optimizers.substituting import formula_of, names_of, written
from explorer.panes.backprop.optimizers.words import place
from explorer.panes.base import Inspection, Row
from explorer.theme_numbers import format_number
from explorer.widgets.live_numbers import Equation

XY = ("x", "y")
SPELT = {
    "param": "\u03b8",
    "grad": "g",
    "rate": "\u03b7",
    "new": "\u03b8 after",
    "beta": "\u03b2",
    "beta1": "\u03b2\u2081",
    "beta2": "\u03b2\u2082",
    "step": "t",
}


def of_start(recording: Recording, lane: Lane | None) -> Inspection:
    """Before the first step."""
    if lane is None:
        told = recording.trouble or "tick an optimizer and choose it to see its steps"
        return Inspection(rows=[f"{told[:1].upper()}{told[1:]}."], title="The race")
    racer = lane.racers[0]
    rows: list[Any] = [
        Equation("start", place(racer.position), "accent"),
        Equation("height", racer.height, "text"),
        Equation("gradient", place(racer.gradient), "text", _noisy(recording)),
        Equation("learning rate", racer.settings.learning_rate, "text"),
    ]
    step = Step(
        "optimizer.update",
        f"{lane.title} at the start",
        optimizer(lane.name).formula,
        lane_marker(lane),
        {"param": racer.position, "grad": racer.gradient},
    )
    return Inspection(step=step, rows=rows, labels=_labels(step.values), plain=True)


def of_update(recording: Recording, lane: Lane, step: int) -> Inspection:
    """The step that led here, all its lines at once."""
    trace = lane.trace(step)
    step = int(trace.about["step"])
    values: dict[str, Any] = {"param": trace.about["param"], "grad": trace.about["grad"]}
    rows: list[Any] = [
        Equation("\u03b8 before", vector(trace.about["param"]), "text"),
        Equation("g", vector(trace.about["grad"]), "text", _noisy(recording)),
        Equation("\u03b7", trace.about["settings"].learning_rate, "text", "learning rate"),
    ]
    for index in trace.children(None):
        line = trace[index]
        name = made_of(line)
        values[name] = line.value(name)
        last = line.name == "optimizer.move"
        label = "\u03b8 after" if last else _spelt(name)
        rows.append(Equation(label, vector(line.value(name)), "accent" if last else "text"))
    title = f"{lane.title}, step {step}"
    if lane.lost_at is not None and step == lane.lost_at:
        title += ": it runs away"
    whole = Step("optimizer.update", title, optimizer(lane.name).formula, lane_marker(lane), values)
    return Inspection(step=whole, rows=rows, labels=_labels(values), plain=True)


def of_line(trace: Trace, line: Step) -> Inspection:
    """One line: what it reads, and what it makes."""
    made = made_of(line)
    rows: list[Any] = [
        Equation(_spelt(name), vector(line.value(name)), "text")
        for name in line.values
        if name != made
    ]
    rows.append(Equation(_spelt(made), vector(line.value(made)), "accent"))
    formula = formula_of(trace, line)
    if formula:
        names, result = names_of(trace), np.ravel(line.value(made))
        rows.append("With the numbers:")
        for axis, name in enumerate(XY):
            text = f"{written(formula, names, axis)} = {format_number(result[axis])}"
            rows.append(Row(f"{name}:  {text}", "text"))
    return Inspection(step=line, rows=rows, labels=_labels(line.values), plain=True)


def made_of(line: Step) -> str:
    """The name that a line makes: the first of its values."""
    return next(iter(line.values))


def lane_marker(lane: Lane) -> str:
    """Where the rule moves."""
    rule = optimizer(lane.name)
    return rule.marker(next(line for line in rule.lines if line.mark == "move"))


def vector(value: Any) -> str:
    """A number, (x, y), or the shape of what is larger."""
    array = np.asarray(value, dtype=float)
    if array.size == 1:
        return format_number(array.item())
    if array.size == 2:
        return place(array.reshape(-1))
    return " \u00d7 ".join(str(size) for size in array.shape)


def _spelt(name: str) -> str:
    return SPELT.get(name, name.replace("_hat", ", corrected").replace("_", " "))


def _noisy(recording: Recording) -> str:
    return "with noise" if recording.course.surface.noise else ""


def _labels(values: Any) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Rows or columns named x and y."""
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for name, value in values.items():
        shape = np.shape(value)
        if shape == (2,):
            found[name] = (XY, ())
        elif shape == (1, 2):
            found[name] = ((), XY)
    return found
