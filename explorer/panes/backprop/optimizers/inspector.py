"""The inspector's content: a step of the selected optimizer, or one line of its rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.marked_line import marked_line
from core.numbers import format_number
from core.optimization.curvature import curvature
from core.optimization.optimizers import optimizer
from core.optimization.rule import Rule, numbers_of
from core.substitution import arithmetic
from core.trace import Step, Trace
from explorer.panes.backprop.optimizer_symbols import (
    BEFORE,
    SETTINGS,
    in_words,
    letter,
    letters_of,
)
from explorer.panes.backprop.optimizers.compute import Lane, Recording
from explorer.panes.backprop.optimizers.text import place, plain, share
from explorer.panes.base import Inspection, Row
from explorer.widgets.live_numbers import Equation, in_a_line

XY = ("x", "y")
NOTES = {
    "param": "position",
    "grad": "gradient",
    "slope": "slope: gradient + weight decay",
    "rate": "learning rate",
    "step": "the step number",
    "shrunk": "position after weight decay",
    "new": "new position",
} | SETTINGS
ITERATED = {  # notes for the lines inside Newton-Schulz
    "matrix": "matrix before this line",
    "norm": "its Frobenius norm",
    "unit": "matrix divided by its norm",
    "gram": "A: overlaps of the rows",
    "poly": "B: higher powers",
    "new": "matrix after this iteration",
    **dict.fromkeys("abc", "coefficient"),
}
SHARES = ("beta", "beta1", "beta2", "momentum")
ONE = ("rate", "step", "scale", "weight_decay", "eps", *SHARES)  # numbers shared by x and y


def of_start(recording: Recording, lane: Lane | None) -> Inspection:
    """Returns the content before the first step."""
    if lane is None:
        told = "Tick an optimizer and select it to see its steps."
        return Inspection(
            rows=["There is no race." if recording.trouble else told], title="The race"
        )
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
    """Returns the content for the step that led here, with all its lines."""
    trace = lane.trace(step)
    step = int(trace.about["step"])
    values: dict[str, Any] = {"param": trace.about["param"], "grad": trace.about["grad"]}
    noisy = _noisy(recording)
    rule = optimizer(lane.name)
    letters = letters_of(rule)
    rows: list[Any] = [
        Equation("\u03b8 before", vector(trace.about["param"]), "text", NOTES["param"]),
        Equation("g", vector(trace.about["grad"]), "text", f"gradient {noisy}".strip()),
        Equation("\u03b7", trace.about["settings"].learning_rate, "text", _rate_note(lane, trace)),
        *_remembered(trace, letters),
        Row(_settings(trace, rule), "muted"),
    ]
    for index in trace.children(None):
        line = trace[index]
        name = made_of(line)
        values[name] = line.value(name)
        role = "accent" if line.name == "optimizer.move" else "text"
        rows.append(Equation(letters[name], vector(line.value(name)), role, _note(name)))
    if lane.name == "sgd":
        rows += _rate_limit(recording, trace)
    title = f"{lane.title}, step {step}"
    if lane.lost_at is not None and step == lane.lost_at:
        title = (
            f"{lane.title} {'leaves the surface' if lane.fell_off else 'diverges'} at step {step}"
        )
    whole = Step("optimizer.update", title, optimizer(lane.name).formula, lane_marker(lane), values)
    return Inspection(step=whole, rows=rows, labels=_labels(values), plain=True)


def _rate_limit(recording: Recording, trace: Trace) -> list[Any]:
    """Returns the limit of SGD's learning rate at its position, and the share of the valley covered
    by a step. Empty where the surface curves down more than up, as no walls limit the rate there.
    """
    here = curvature(recording.course.surface, np.asarray(trace.about["param"], float))
    rate = trace.about["settings"].learning_rate
    if not 0 < here.steepest >= abs(here.flattest):
        return []
    rows: list[Any] = [
        "What limits the learning rate here:",
        Equation("steepest", here.steepest, "text", "curvature across the valley"),
        Equation("2 / steepest", here.largest_rate, "text", "above this rate SGD diverges"),
    ]
    if here.flattest > 0:
        told = "share of the valley covered by one step"
        rows += [
            Equation("flattest", here.flattest, "text", "curvature along the valley"),
            Equation("\u03b7 \u00d7 flattest", rate * here.flattest, "text", told),
        ]
    return rows


def _rate_note(lane: Lane, trace: Trace) -> str:
    """Describes the learning rate, with its share of the peak if the schedule lowers it."""
    rate, peak = trace.about["settings"].learning_rate, lane.settings.learning_rate
    if rate == peak or not peak:
        return "learning rate"
    return f"learning rate, {share(rate / peak)} of its peak of {plain(peak)}"


def _remembered(trace: Trace, letters: dict[str, str]) -> list[Any]:
    """Returns the optimizer's memory of earlier steps."""
    state = trace.about["state"]
    names = state.__dataclass_fields__ if hasattr(state, "__dataclass_fields__") else ()
    return [
        Equation(f"{letters[name]} before", vector(getattr(state, name)), "text", in_words(name))
        for name in names
        if name in letters
    ]


def _settings(trace: Trace, rule: Rule) -> str:
    """Returns the number of the step, and the settings in the formulas."""
    numbers = numbers_of(trace.about["settings"])
    told = [f"{sign} = {share(float(numbers[name]))}" for name, sign in rule.letters.items()]
    return ", ".join([f"t = {trace.about['step']}", *told])


def of_line(trace: Trace, line: Step) -> Inspection:
    """Returns the content for one line: its inputs, its result, and the arithmetic."""
    made = made_of(line)
    inner = line.parent is not None
    letters = {} if inner else letters_of(optimizer(trace.about["optimizer"]))
    notes = _iterated if inner else _note
    shape = np.shape(line.value(made))
    rows: list[Any] = [
        Equation(letter(name, letters), _number(name, line.value(name), shape), "text", notes(name))
        for name in line.values
        if name != made
    ]
    rows.append(Equation(letter(made, letters), vector(line.value(made)), "accent", notes(made)))
    rows += _with_numbers(line, made)
    rows += _about_the_matrix(trace, line)
    return Inspection(step=line, rows=rows, labels=_labels(line.values), plain=True)


def _with_numbers(line: Step, made: str) -> list[Any]:
    """Returns the line's arithmetic for x and y, or for its only result."""
    count = np.size(line.value(made))
    if not marked_line(line.code).computes or count > len(XY):
        return []
    told = [in_a_line(arithmetic(line, cell)) for cell in range(count)]
    if count == len(XY):
        told = [f"{name}:  {one}" for name, one in zip(XY, told, strict=True)]
    return ["With the numbers filled in:", *(Row(one, "text") for one in told)]


def _about_the_matrix(trace: Trace, line: Step) -> list[Any]:
    """Explains two of Muon's lines, which treat (x, y) as a matrix with one row."""
    param, settings = np.asarray(trace.about["param"]), trace.about["settings"]
    if line.name == "optimizer.scale":
        rows, columns = param.shape
        says = "0.2 \u221amax(r, c)" if settings.match_adamw else "\u221amax(1, r / c)"
        return [f"Here \u03b3 = {says}, with r = {rows} row and c = {columns} columns."]
    if line.name != "optimizer.orthogonalize":
        return []
    inner = [trace[index] for index in trace.children(list(trace).index(line))]
    made = [step.value(made_of(step)) for step in inner]
    kept = [one for step, one in zip(inner, made, strict=True) if made_of(step) in ("unit", "new")]
    lengths = [plain(float(np.linalg.norm(one))) for one in kept]
    exact = np.asarray(kept[0]) / max(float(np.linalg.norm(kept[0])), settings.eps)
    return [
        Row(
            "Here (x, y) is treated as a matrix with one row. Press Enter to see each iteration.",
            "muted",
        ),
        Row(f"lengths: {', '.join(lengths)}", "text"),
        Row(f"exact result: U V\u1d40 = {vector(exact)}, with length 1", "text"),
        Row("The iterations only come close to this, which is good enough.", "muted"),
    ]


def made_of(line: Step) -> str:
    """Returns the name that a line assigns: the first of its values."""
    return next(iter(line.values))


def formulas(rule: Rule) -> tuple[str, ...]:
    """Returns the formulas of a rule and of its lines, with and without weight decay."""
    other = [line.undecayed[1] for line in rule.lines if line.undecayed]
    return (rule.formula, *(line.formula for line in rule.lines), *other)


def lane_marker(lane: Lane) -> str:
    """Returns the marker of the line that moves the optimizer."""
    rule = optimizer(lane.name)
    return rule.marker(next(line for line in rule.lines if line.mark == "move"))


def vector(value: Any) -> str:
    """Formats a number, a pair (x, y), or the shape of a larger array."""
    array = np.asarray(value, dtype=float)
    if array.size == 1:
        return format_number(array.item())
    if array.size == 2:
        return place(array.reshape(-1))
    return " \u00d7 ".join(str(size) for size in array.shape)


def _number(name: str, value: Any, shape: tuple[int, ...]) -> str:
    """Formats an input of a line: a setting is one number for x and y; a memory that is still a
    scalar 0 is shown for both.
    """
    if name in SHARES:
        number = float(np.ravel(value)[0])
        told = format_number(number)
        return told if len(share(number)) <= len(told) else share(number)
    if name in ONE:
        return vector(np.ravel(value)[0])
    return vector(np.broadcast_to(value, shape) if name.endswith(BEFORE) else value)


def _note(name: str) -> str:
    return NOTES.get(name) or in_words(name)


def _iterated(name: str) -> str:
    return ITERATED.get(name) or _note(name)


def _noisy(recording: Recording) -> str:
    return "with noise" if recording.course.surface.noise else ""


def _labels(values: Any) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Returns the labels x and y for arrays with two rows or columns."""
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for name, value in values.items():
        shape = np.shape(value)
        if shape == (2,):
            found[name] = (XY, ())
        elif shape == (1, 2):
            found[name] = ((), XY)
    return found
