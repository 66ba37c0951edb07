"""A step of every optimizer as a Trace: what it shows is what the marked lines computed."""

import re

import numpy as np
import pytest

from core.optimization import OPTIMIZERS, trace_update
from core.optimization.adam import AdamSettings
from core.optimization.muon import MuonSettings, MuonState
from tests.core.test_trace import MarkedLines

SETTINGS = {"learning_rate": 0.05, "weight_decay": 0.1}


def given(shape: tuple[int, ...] = (3, 2)):
    rng = np.random.default_rng(0)
    return rng.normal(size=shape), rng.normal(size=shape)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_marked_lines_computed_the_values(name: str) -> None:
    """In the first step, and in one that remembers."""
    rule, (param, grad) = OPTIMIZERS[name], given()
    settings, state = rule.settings(**SETTINGS), None
    for step in (1, 2):
        with MarkedLines() as watched:
            trace = trace_update(name, param, grad, state, step, settings)
        for one in trace:
            watched.left(one)
        outer = [trace[index] for index in trace.children()]
        assert [one.code for one in outer] == [rule.marker(line) for line in rule.lines]
        assert {one.code for one in trace} == set(watched.locals)
        expected, after = rule.update(param, grad, state or rule.state(), step, settings)
        moved = next(one for one in outer if one.name == "optimizer.move")
        assert (moved.value("new") == expected).all() and (trace.about["new"] == expected).all()
        param, state, grad = expected, trace.about["after"], -2 * grad
        assert type(after) is type(state)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2)])
def test_muons_iterations_are_parts_of_its_step(shape: tuple[int, int]) -> None:
    param, grad = given(shape)
    settings = MuonSettings(iterations=3, match_adamw=True)
    with MarkedLines() as watched:
        trace = trace_update("muon", param, grad, MuonState(0.5 * grad), 4, settings)
    for one in trace:
        watched.left(one)
    even = next(i for i in trace.children() if trace[i].name == "optimizer.orthogonalize")
    inside = [trace[index] for index in trace.children(even)]
    lines = ["normalize", *["gram", "poly", "iterate"] * 3]
    assert [one.name for one in inside] == [f"optimizer.{line}" for line in lines]
    last, whole = inside[-1].value("new"), trace[even].value("direction")
    assert (last == whole).all() if shape == (2, 3) else (whole == last.T).all()
    assert inside[1].value("gram").shape == (2, 2)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_without_decay_its_step_says_so_and_later_ones_use_letters_that_it_made(name: str) -> None:
    rule, (param, grad) = OPTIMIZERS[name], given()
    settings = rule.settings(learning_rate=0.05, weight_decay=0.0)
    trace = trace_update(name, param, grad, settings=settings)
    outer = [trace[index] for index in trace.children()]
    assert [one.name for one in outer] == [f"optimizer.{line.mark}" for line in rule.lines]
    first = outer[0]
    assert first.title.startswith("Without weight decay") and r"\lambda" not in first.formula
    assert first.code == rule.marker(rule.lines[0])
    slope, made = first.formula == "s = g", first.value(rule.lines[0].made)
    assert (made == (grad if slope else param)).all()
    assert slope or first.formula == r"\theta' = \theta"
    written = " ".join(one.formula for one in outer)
    assert set(re.findall(r"\\theta'|\bs\b", written)) == {"s" if slope else r"\theta'"}


def test_a_trace_tells_the_settings_it_was_given() -> None:
    param, grad = given()
    trace = trace_update("adam", param, grad, settings=AdamSettings(betas=(0.8, 0.9)))
    assert trace[1].value("beta1") == 0.8 and trace.about["step"] == 1 and trace.complete


def test_what_is_not_finite_is_shown() -> None:
    trace = trace_update("rmsprop", [1.0, 1.0], [1e300, np.nan], settings=None)
    assert np.isinf(trace[1].value("square")[0]) and np.isnan(trace[-1].value("new")[1])


def test_bad_input_says_the_remedy() -> None:
    for arguments, remedy in [
        (("adamax", [1.0], [1.0]), "use 'sgd'"),
        (("sgd", [1.0], [1.0, 2.0]), "must be equal"),
        (("sgd", [1.0], [1.0], None, 1, AdamSettings()), "SGD takes SGDSettings"),
        (("lion", [1.0], [1.0], MuonState()), "takes LionState, not MuonState"),
        (("muon", [1.0], [1.0]), "leave vectors"),
        (("sgd", [1.0], [1.0], None, 0), "first step is 1"),
    ]:
        with pytest.raises(ValueError, match=remedy):
            trace_update(*arguments)
