"""Every line of a rule is told with the numbers of x and of y, under the letters of its formula."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from core.marked_line import marked_line
from core.optimization.optimizer_trace import trace_update
from core.optimization.optimizers import OPTIMIZERS
from core.substitution import arithmetic
from explorer.panes.backprop.optimizer_symbols import letters_of
from explorer.panes.backprop.optimizers.draft import OptimizersDraft
from explorer.panes.backprop.optimizers.inspector import of_line, of_update, vector
from explorer.panes.backprop.optimizers.text import plain
from explorer.widgets.live_numbers import Equation
from tests.core.calculator import within_its_digits, worked_out
from tests.explorer.panes.backprop.optimizers.races import race


def second_step(name):
    rule = OPTIMIZERS[name]
    shape = (1, 2) if rule.matrices_only else (2,)
    param, grad = np.array([0.5, -1.25]).reshape(shape), np.array([-3.0, 0.25]).reshape(shape)
    settings = rule.settings(learning_rate=0.1, weight_decay=0.2)
    _, state = rule.update(param, grad, rule.state(), 1, settings)
    return trace_update(name, param + 0.1, grad * 1.5, state, 2, settings)


def test_numbers_are_written_as_people_write_them():
    texts = lines_of(second_step("adam"))
    assert texts["average"].startswith("−0.29 × 0.9 + (−4.38) × (1 − 0.9) = ")
    assert " + (−4.38) × (−4.38) × (1 − 0.999) = " in texts["square"]
    assert " / (1 − 0.999²) = " in texts["square_hat"]
    assert "√" in texts["direction"] and "sqrt" not in texts["direction"]
    assert "+ 1e−8)" in texts["direction"]


def lines_of(trace, axis=0):
    """Each line with x's numbers, or y's, and its result."""
    return {
        line.name.removeprefix("optimizer."): str(arithmetic(line, axis))
        for line in (trace[index] for index in trace.children(None))
        if marked_line(line.code).computes and np.size(next(iter(line.values.values()))) == 2
    }


def lines_at(name, grad, step, **settings):
    """The same of a step whose gradient is the same as all before."""
    rule = OPTIMIZERS[name]
    shape = (1, 2) if rule.matrices_only else (2,)
    grad = np.full(shape, grad)
    state = rule.update(np.ones(shape), grad, rule.state(), 1, rule.settings(**settings))[1]
    return lines_of(
        trace_update(name, np.ones(shape), grad, state, step, rule.settings(**settings))
    )


SIZES = [10.0**power for power in range(-9, 10, 3)]


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_pocket_calculator_finds_the_result_that_is_written(name, decay):
    """Of small and large numbers, of both signs, and of results that are next to nothing."""
    rng, rule = np.random.default_rng(7), OPTIMIZERS[name]
    shape = (1, 2) if rule.matrices_only else (2,)
    settings = rule.settings(learning_rate=0.03, weight_decay=decay)
    for steep in SIZES:
        for far in (1e-6, 1.0, 1234.5, 3e7):
            grads = rng.normal(size=(2, *shape)) * steep
            param = rng.normal(size=shape) * far
            _, state = rule.update(param, grads[0], rule.state(), 1, settings)
            trace = trace_update(name, param, grads[1], state, 40, settings)
            for axis in (0, 1):
                for line in lines_of(trace, axis).values():
                    made, told = line.split(" = ")
                    assert within_its_digits(worked_out(made), told), line


@pytest.mark.parametrize(
    ("param", "slope", "expected"),
    [
        (1234.567, 5.4321, "1,234.57 − 5.4321 × 0.1 = 1,234.0"),
        (-54425.86, 1.0, "−54,425.9 − 1 × 0.1 = −54,426.0"),
        (1000.0, 10000.0, "1,000 − 10,000 × 0.1 = 0"),
        (1.0, 0.0, "1 − 0 × 0.1 = 1"),
        (1.0, 1e-14, "1 − 1e−14 × 0.1 = 1.00"),
        (1.0, np.inf, "1 − ∞ × 0.1 = −∞"),
        (1.0, np.nan, "1 − nan × 0.1 = nan"),
    ],
)
def test_a_move_is_to_be_seen_where_the_number_is_large(param, slope, expected):
    settings = OPTIMIZERS["sgd"].settings(learning_rate=0.1)
    trace = trace_update("sgd", (param, 0.0), (slope, 0.0), settings=settings)
    assert lines_of(trace)["move"] == expected


def test_what_is_next_to_nothing_beside_its_operands_is_told_as_about_that():
    settings = OPTIMIZERS["sgd"].settings(learning_rate=0.1)
    slope = 1.23456789012345
    trace = trace_update("sgd", (slope / 10 + 1e-15, 0.0), (slope, 0.0), settings=settings)
    line = lines_of(trace)["move"]
    assert line.startswith("0.1234568 − 1.234568 × 0.1 ≈ "), line


@pytest.mark.parametrize(("step", "raised"), [(7, "⁷"), (1000, "¹⁰⁰⁰"), (1234567, "¹²³⁴⁵⁶⁷")])
def test_a_step_is_an_exponent_without_commas(step, raised):
    for name in ("adam", "adamw"):
        lines = lines_at(name, 0.5, step)
        assert f" / (1 − 0.9{raised}) = " in lines["average_hat"]
        assert f" / (1 − 0.999{raised}) = " in lines["square_hat"]


def test_a_share_near_1_is_not_written_as_1():
    lines = lines_at("adam", 0.5, 3, betas=(0.9, 0.9999))
    assert " × 0.9999 + " in lines["square"] and lines["square"].split(" = ")[0].endswith(
        "(1 − 0.9999)"
    )
    assert "(1 − 0.9999³) = " in lines["square_hat"]
    recording = race(
        OptimizersDraft(racers=("adam",), steps=5).with_setting("adam", "beta2", 0.9999)
    )
    trace = recording.lane("adam").trace(3)
    (square,) = [step for step in trace if step.name == "optimizer.square"]
    rows = {row.name: row.value for row in of_line(trace, square).rows if isinstance(row, Equation)}
    assert rows["β₂"] == "0.9999"


def rows_of(recording, lane, step):
    """Of the rule: below those SGD has some about the surface."""
    rows = of_update(recording, lane, step).rows
    return rows[: next((at for at, row in enumerate(rows) if isinstance(row, str)), len(rows))]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_number_of_a_step_stands_under_the_letter_of_its_formula(name):
    recording = race(OptimizersDraft(racers=(name,), steps=5))
    lane, rule = recording.lane(name), OPTIMIZERS[name]
    rows = [row for row in rows_of(recording, lane, 3) if isinstance(row, Equation)]
    letters = [row.name for row in rows]
    assert letters[:3] == ["θ before", "g", "η"]
    made = {
        "s": "slope",
        "m": "average",
        "m̂": "corrected average",
        "u": "velocity",
        "d": "",
        "": "",
    }
    for row in rows[3:]:
        assert made.get(row.name, "") in row.note
        assert len(re.sub(" (after|before)$", "", row.name)) <= 2, row.name
    trace = lane.trace(3)
    for index, line in zip(trace.children(None), rule.lines, strict=True):
        rows = [row for row in of_line(trace, trace[index]).rows if isinstance(row, Equation)]
        left = rows[-1].name
        assert left == ("θ after" if line.mark == "move" else letters_of(rule)[line.made])
        for row in rows:
            letter = re.sub(" (after|before)$", "", row.name)
            assert len(letter) <= 2 or letter in ("zero", "factor", "ratio")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_letter_of_a_steps_formula_has_its_number(name):
    """What is remembered from before, and the settings; the rate with how a schedule lowered it."""
    recording = race(replace(OptimizersDraft(racers=(name,), steps=20), schedule="cosine"))
    lane, rule = recording.lane(name), OPTIMIZERS[name]
    rows = rows_of(recording, lane, 11)
    names = [row.name for row in rows if isinstance(row, Equation)]
    (settings,) = [row.text for row in rows if not isinstance(row, Equation)]
    assert settings.startswith("t = 11")
    for letter in rule.letters.values():
        assert f"{letter} = " in settings
    for kept in getattr(rule.state(), "__dataclass_fields__", ()):
        assert f"{letters_of(rule)[kept]} before" in names
    state = lane.racers[10].state
    shown = {row.name: row.value for row in rows if isinstance(row, Equation)}
    if name == "adam":
        assert shown["m before"] == vector(state.average)
        assert shown["v before"] == vector(state.square)
    rate = next(row for row in rows if row.name == "η")
    assert rate.note == f"learning rate, 0.5 of its peak of {plain(lane.settings.learning_rate)}"


def test_muons_own_lines_are_told_in_numbers():
    recording = race(
        OptimizersDraft(racers=("muon",), steps=5).with_setting("muon", "iterations", 4)
    )
    trace = recording.lane("muon").trace(3)
    by_name = {line.name: line for line in trace}
    texts = {}
    for name in ("orthogonalize", "scale"):
        rows = of_line(trace, by_name[f"optimizer.{name}"]).rows
        told = [getattr(row, "text", row) for row in rows if not isinstance(row, Equation)]
        texts[name] = " ".join(told)
    ahead = np.ravel(by_name["optimizer.ahead"].value("ahead"))
    direction = np.ravel(by_name["optimizer.orthogonalize"].value("direction"))
    assert vector(ahead / np.linalg.norm(ahead)) in texts["orthogonalize"]
    lengths = re.search("lengths: ([^a-z]+) exact", texts["orthogonalize"])[1].split(", ")
    assert len(lengths) == 5 and lengths[0] in ("1", "1.00")
    assert lengths[-1] == plain(np.linalg.norm(direction))
    assert "√max(1, r / c), with r = 1 row and c = 2 columns" in texts["scale"]


def test_settings_are_one_number_for_x_and_y():
    recording = race(OptimizersDraft(racers=("adam",), steps=5))
    trace = recording.lane("adam").trace(3)
    (average,) = [step for step in trace if step.name == "optimizer.average"]
    rows = {
        row.name: row.value for row in of_line(trace, average).rows if isinstance(row, Equation)
    }
    assert rows["β₁"] == "0.900"
    assert rows["m before"].startswith("(") and rows["s"].startswith("(")
