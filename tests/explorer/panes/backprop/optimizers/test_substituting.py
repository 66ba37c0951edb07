"""The formulas that are shown with numbers compute what core's lines compute."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from core.autograd import parse
from core.optimization.optimizer_trace import trace_update
from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.optimizers.experiment import Experiment
from explorer.panes.backprop.optimizers.explaining import of_line, of_update, vector
from explorer.panes.backprop.optimizers.letters import letters_of
from explorer.panes.backprop.optimizers.substituting import formula_of, names_of, written
from explorer.panes.backprop.optimizers.words import plain
from explorer.widgets.live_numbers import Equation
from tests.core.optimization.invented import add_to_the_list

LEFT_OUT = {"muon": {"optimizer.orthogonalize", "optimizer.scale"}}


def second_step(name):
    rule = OPTIMIZERS[name]
    shape = (1, 2) if rule.matrices_only else (2,)
    param, grad = np.array([0.5, -1.25]).reshape(shape), np.array([-3.0, 0.25]).reshape(shape)
    settings = rule.settings(learning_rate=0.1, weight_decay=0.2)
    _, state = rule.update(param, grad, rule.state(), 1, settings)
    return trace_update(name, param + 0.1, grad * 1.5, state, 2, settings)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_formula_makes_what_the_line_made(name):
    trace = second_step(name)
    names = names_of(trace)
    shown = set()
    for index in trace.children(None):
        line = trace[index]
        formula = formula_of(trace, line)
        if not formula:
            continue
        shown.add(line.name)
        parsed = parse(formula)
        made = parsed.evaluate({one: names[one] for one in parsed.names}).data
        np.testing.assert_allclose(made, np.ravel(next(iter(line.values.values()))), rtol=1e-12)
    lines = {trace[index].name for index in trace.children(None)}
    assert lines - shown == LEFT_OUT.get(name, set())


def test_numbers_are_written_as_people_write_them():
    trace = second_step("adam")
    names = names_of(trace)
    by_name = {trace[index].name: trace[index] for index in trace.children(None)}
    texts = {
        mark: written(formula_of(trace, by_name[f"optimizer.{mark}"]), names, 0)
        for mark in ("average", "square", "square_hat", "direction")
    }
    assert texts["average"] == "0.9 × (−0.29) + 0.1 × (−4.38)"
    assert texts["square"].endswith("0.001 × (−4.38)²")
    assert texts["square_hat"].endswith("/ (1 − 0.999²)")
    assert "√" in texts["direction"] and "sqrt" not in texts["direction"]


def lines_at(name, grad, step, **settings):
    """Each line with x's numbers, of a step whose gradient is the same as all before."""
    rule = OPTIMIZERS[name]
    shape = (1, 2) if rule.matrices_only else (2,)
    grad = np.full(shape, grad)
    state = rule.update(np.ones(shape), grad, rule.state(), 1, rule.settings(**settings))[1]
    trace = trace_update(name, np.ones(shape), grad, state, step, rule.settings(**settings))
    names = names_of(trace)
    return {
        trace[index].name.removeprefix("optimizer."): written(formula, names, 0)
        for index in trace.children(None)
        if (formula := formula_of(trace, trace[index]))
    }


@pytest.mark.parametrize("name", ("adagrad", "rmsprop", "adam", "adamw"))
@pytest.mark.parametrize(
    ("slope", "squared"),
    [(1.2e-5, "(1.2e−5)²"), (-1.2e-5, "(−1.2e−5)²"), (3e8, "(3.0e8)²"), (-2.5, "(−2.50)²")],
)
def test_a_number_with_a_sign_or_a_power_of_ten_is_squared_as_a_whole(name, slope, squared):
    lines = lines_at(name, slope, 2)
    line = lines["total" if name == "adagrad" else "square"]
    assert line.endswith(squared.replace("2.50", "2.5")), line
    assert "e(" not in " ".join(lines.values())


@pytest.mark.parametrize(("step", "raised"), [(7, "⁷"), (1000, "¹⁰⁰⁰"), (1234567, "¹²³⁴⁵⁶⁷")])
def test_a_step_is_an_exponent_without_commas(step, raised):
    for name in ("adam", "adamw"):
        lines = lines_at(name, 0.5, step)
        assert lines["average_hat"].endswith(f" / (1 − 0.9{raised})")
        assert lines["square_hat"].endswith(f" / (1 − 0.999{raised})")


def test_a_share_near_1_is_not_written_as_1(mode, change):
    lines = lines_at("adam", 0.5, 3, betas=(0.9, 0.9999))
    assert lines["square"].startswith("0.9999 ×")
    assert lines["square_hat"].endswith("(1 − 0.9999³)")
    change(Experiment(racers=("adam",), steps=5).with_setting("adam", "beta2", 0.9999))
    trace = mode.recording.lane("adam").trace(3)
    (square,) = [step for step in trace if step.name == "optimizer.square"]
    rows = {row.name: row.value for row in of_line(trace, square).rows if isinstance(row, Equation)}
    assert rows["β₂"] == "0.9999" and rows["1 − β₂"] == "1.0e−4"


def test_a_new_optimizer_has_no_formulas_yet(monkeypatch):
    rule = add_to_the_list(monkeypatch)
    trace = trace_update(rule.name, (1.0, 2.0), (0.5, 0.5))
    assert [formula_of(trace, line) for line in trace] == [""]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_number_of_a_step_stands_under_the_letter_of_its_formula(mode, change, name):
    change(Experiment(racers=(name,), steps=5))
    lane, rule = mode.recording.lane(name), OPTIMIZERS[name]
    rows = [row for row in of_update(mode.recording, lane, 3).rows if isinstance(row, Equation)]
    letters = [row.name for row in rows]
    assert letters[:3] == ["θ before", "g", "η"]
    made = {
        "s": "slope",
        "m": "average",
        "m̂": "average, corrected",
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
            assert len(re.sub(" (after|before)$", "", row.name).removeprefix("1 − ")) <= 2


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_letter_of_a_steps_formula_has_its_number(mode, change, name):
    """What is remembered from before, and the settings; the rate with how a schedule lowered it."""
    change(replace(Experiment(racers=(name,), steps=20), schedule="cosine"))
    lane, rule = mode.recording.lane(name), OPTIMIZERS[name]
    rows = of_update(mode.recording, lane, 11).rows
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
    assert rate.note == f"learning rate: 0.5 of its peak, {plain(lane.settings.learning_rate)}"


def test_muons_own_lines_are_told_in_numbers(mode, change):
    change(Experiment(racers=("muon",), steps=5).with_setting("muon", "iterations", 4))
    trace = mode.recording.lane("muon").trace(3)
    by_name = {line.name: line for line in trace}
    texts = {}
    for name in ("orthogonalize", "scale"):
        rows = of_line(trace, by_name[f"optimizer.{name}"]).rows
        told = [getattr(row, "text", row) for row in rows if not isinstance(row, Equation)]
        texts[name] = " ".join(told)
    ahead = np.ravel(by_name["optimizer.ahead"].value("ahead"))
    direction = np.ravel(by_name["optimizer.orthogonalize"].value("direction"))
    assert "4 iterations" in texts["orthogonalize"]
    assert vector(ahead / np.linalg.norm(ahead)) in texts["orthogonalize"]
    lengths = re.search("length: ([^U]+) U", texts["orthogonalize"])[1].split(", ")
    assert len(lengths) == 5 and lengths[0] in ("1", "1.00")
    assert lengths[-1] == plain(np.linalg.norm(direction))
    assert "√max(1, r / c), with r = 1 row and c = 2 columns" in texts["scale"]


def test_settings_are_one_number_for_x_and_y(mode, change):
    change(Experiment(racers=("adam",), steps=5))
    trace = mode.recording.lane("adam").trace(3)
    (average,) = [step for step in trace if step.name == "optimizer.average"]
    rows = {
        row.name: row.value for row in of_line(trace, average).rows if isinstance(row, Equation)
    }
    assert rows["β₁"] == "0.900" and rows["1 − β₁"] == "0.100"
    assert rows["m before"].startswith("(") and rows["s"].startswith("(")
