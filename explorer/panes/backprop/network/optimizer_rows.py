"""One weight's optimizer step in numbers, named as in the formulas. No Qt here."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from core.marked_line import marked_line
from core.numbers import format_number
from core.optimization.optimizers import optimizer
from core.optimization.rule import Rule
from core.substitution import arithmetic
from core.trace import Step, Trace
from explorer.panes.backprop.network.elements import Weight, name_of
from explorer.panes.backprop.network.keyframe import Keyframe, Update
from explorer.panes.backprop.network.optimizer_step import Bias, optimizer_trace, parameter_of
from explorer.panes.backprop.optimizer_symbols import (
    BEFORE,
    SETTINGS,
    in_words,
    letter,
    letters_of,
)
from explorer.widgets.live_numbers import Equation, in_a_line

ROWS_BY_ROWS = ("gram", "poly")  # Muon's values with a row for each row of the matrix
NOT_KEPT = "The numbers of this step are not kept; take another step to see them."
SPELT = {
    "param": "the weight before this step",
    "grad": "gradient for this step's batch",
    "slope": "slope: gradient + weight decay",
    "rate": "learning rate",
    "step": "the step number",
    "shrunk": "the weight after weight decay",
    "new": "the weight after this step",
} | SETTINGS


def update_rows(keyframe: Keyframe, weight: Weight | Bias) -> tuple[Step | None, list[Any]]:
    """Returns the whole step of one weight or bias: the optimizer's formula and its numbers."""
    update, (parameter, place) = keyframe.update, parameter_of(weight)
    if update is None or parameter not in update.gradients:
        return None, [NOT_KEPT if keyframe.step else "No step has been taken yet."]
    trace = optimizer_trace(update, parameter)
    rule = optimizer(trace.about["optimizer"])
    letters, state = letters_of(rule), trace.about["state"]
    value = float(update.before[parameter][place])
    rows: list[Any] = [
        Equation(letters["param"], value, "text", _spelt("param", weight)),
        *_gradient_rows(update, parameter, place, letters["grad"]),
        Equation(letters["rate"], float(update.learning_rate), "text", SPELT["rate"]),
    ]
    kept = [field.name for field in fields(state)]
    moves = next(step for step in trace if step.name == "optimizer.move")
    for step in _lines(trace):
        made = next(iter(step.values))
        found = np.asarray(step.value(made))
        role = "accent" if step.name == "optimizer.move" else "text"
        for name in [one for one in kept if one + BEFORE in step.values]:
            kept.remove(name)  # once, where it is first read
            before = _at(np.asarray(getattr(state, name)), place)
            rows.append(
                Equation(letter(name + BEFORE, letters), before, "text", _words(name + BEFORE))
            )
        if found.shape in ((), update.before[parameter].shape):
            note, read = _spelt(made, weight), _settings(step, rule, update)
            note = f"{note} ({read})" if read else note
            rows.append(Equation(letters[made], _at(found, place), role, note))
    change = _at(np.asarray(moves.value("new")), place) - value
    note = "the change in this step"
    rows.append(Equation(f"\u0394{letters['param']}", change, "accent", note))
    values = {name: moves.value(name) for name in moves.values}
    whole = Step("optimizer.update", f"{rule.title}: one step", rule.formula, moves.code, values)
    return whole, rows


def _gradient_rows(
    update: Update, parameter: str, place: tuple[int, ...], letter: str
) -> list[Any]:
    """Returns the gradient g, and with a penalty its two parts."""
    whole = Equation(letter, float(update.gradients[parameter][place]), "text", SPELT["grad"])
    if update.penalty == "none" or not parameter.endswith("weight"):
        return [whole]
    theta = float(update.before[parameter][place])
    if update.penalty == "l2":
        price, why = (
            2 * update.strength * theta,
            f"2 \u00d7 {format_number(update.strength)} \u00d7 \u03b8",
        )
    else:
        price, why = (
            update.strength * float(np.sign(theta)),
            f"{format_number(update.strength)} \u00d7 the sign of \u03b8",
        )
    name = update.penalty.upper()
    return [
        Equation(
            f"{letter} of the batch",
            float(update.slopes[parameter][place]),
            "text",
            "from this step's loss",
        ),
        Equation(f"{letter} of {name}", price, "text", why),
        replace(whole, note="the sum of the two"),
    ]


def _spelt(name: str, one: Weight | Bias) -> str:
    words = _words(name)
    return words.replace("the weight", "the bias") if isinstance(one, Bias) else words


def line_rows(keyframe: Keyframe, layer: int, step: Step, weight: Weight) -> list[Any]:
    """Returns a line of the step: the values it reads, optimizer state included, and its result."""
    update = keyframe.update
    if update is None:
        return []
    first = name_of(weight.layer, weight.before, keyframe.sizes)
    then = name_of(weight.layer + 1, weight.after, keyframe.sizes)
    rows: list[Any] = [f"For the weight {first} \u2192 {then}:"]
    letters = letters_of(optimizer(update.optimizer))
    made = next(iter(step.values))
    if step.parent is not None or not marked_line(step.code).computes or not step.value(made).ndim:
        shape, inner = keyframe.weights[layer].shape, step.parent is not None
        for name in step.values:
            value, note = _told(name, np.asarray(step.value(name)), weight, shape, inner=inner)
            called = name if inner else letters.get(name, name)
            rows.append(Equation(called, value, "text", note or ("" if inner else _words(name))))
        return rows
    decay = step.name == "optimizer.decay"  # here the penalty is part of the loss
    names = [name for name in step.values if name != made]
    if decay:
        names = ["param"] if made == "shrunk" else ["grad"]
    place = (weight.before, weight.after)
    for name in names:
        if name == "grad":
            rows += _gradient_rows(update, f"{layer}.weight", place, letters[name])
        else:
            value = _at(np.asarray(step.value(name)), place)
            rows.append(Equation(letter(name, letters), value, "text", _words(name)))
    told = arithmetic(step, place)
    if not decay:
        rows.append(in_a_line(told))
    rows.append(Equation(letters[made], told.value, "accent", _words(made)))
    return rows


def _settings(step: Step, rule: Rule, update: Update) -> str:
    """Returns the settings that a line reads; weight decay is 0: the penalty is in the loss."""
    if step.name == "optimizer.decay":
        held = "" if update.penalty == "none" else f", since {update.penalty.upper()} is in g"
        return f"{rule.letters['weight_decay']} = 0{held}"
    letters = {**rule.letters, "step": "t"}
    read = {name: step.value(name) for name in step.values if name in letters}
    told = (f"{letters[name]} = {format_number(float(value))}" for name, value in read.items())
    return ", ".join(told)


def _words(name: str) -> str:
    """Returns the words for a name in the optimizer's code."""
    if name.endswith(BEFORE):
        return f"{_words(name.removesuffix(BEFORE))} before this step"
    return SPELT.get(name) or in_words(name)


def _lines(trace: Trace) -> list[Step]:
    """Returns the outermost lines, with the move last."""
    lines = [step for step in trace if step.parent is None]
    return sorted(lines, key=lambda step: step.name == "optimizer.move")


def _at(value: np.ndarray, place: tuple[int, ...]) -> float:
    return float(value[place]) if value.ndim else float(value)


def _told(
    name: str, value: np.ndarray, weight: Weight, shape: tuple[int, ...], *, inner: bool
) -> tuple[float | str, str]:
    """Returns a weight's number in a value of its layer, and a note; the shape if it has no number.

    Inside Muon's line a tall matrix is transposed, and some values compare rows with rows.
    """
    place = (weight.before, weight.after)
    if value.ndim == 0 or (value.shape == shape and not inner):
        return _at(value, place), ""
    tall = shape[0] > shape[1]
    if name not in ROWS_BY_ROWS and value.shape == (shape[::-1] if tall else shape):
        return _at(value, place[::-1] if tall else place), ""
    return " \u00d7 ".join(map(str, value.shape)), "see the Numbers tab"
