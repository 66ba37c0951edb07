"""Plain data: formulas whose lines are rewritten, steps downhill, sessions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.autograd import parse
from core.fields import lenient, to_json
from explorer.panes.backprop.expression.compute import compute
from explorer.panes.backprop.expression.draft import (
    ExpressionDraft,
    can_rewrite,
    with_values,
    written,
)
from explorer.panes.backprop.expression.presets import EXAMPLES


def solved(one: ExpressionDraft):
    return compute(one.text, one.values)


def test_a_line_is_rewritten_where_it_gives_a_name_its_numbers():
    text = "w = 0.5\n  b = [1, -2]\nsum(w * x + b)"
    expression = parse(text)
    assert with_values(expression, {"w": 1.25}) == text.replace("0.5", "1.25")
    both = with_values(expression, {"w": -1.25, "b": [3.0, 4.0]})
    assert both == "w = -1.25\n  b = [3, 4]\nsum(w * x + b)"
    assert with_values(expression, {}) == text and not can_rewrite(expression, "x")
    assert written([[0.1, -2], [3e-7, 4]]) == "[[0.1, -2], [3e-07, 4]]"
    assert not can_rewrite(parse("w = 0.5\nw * x"), "w", np.inf)
    assert not can_rewrite(parse("w = randn(9, 9)\nsum(w)"), "w", np.ones((9, 9)))


def test_moving_a_leaf_changes_its_line_or_its_value():
    one = ExpressionDraft("w = 0.5\nw * x", {"x": 2.0})
    moved = one.with_leaf("w", 0.75)
    assert moved.text == "w = 0.75\nw * x" and moved.values == {"x": 2.0}
    assert moved.with_leaf("x", 3.0).values == {"x": 3.0}


@pytest.mark.parametrize(
    ("text", "name", "moved"),
    [
        ("c = 2\nc = c*3\nc*c", "c", "c = 5\nc = c*3\nc*c"),
        ("\u00b5 = 3\n\u00b5*2", "\u03bc", "\u00b5 = 5\n\u00b5*2"),  # the keyboard's, the Greek's
        ("a = 1; c = (-2)  # two\na * c", "c", "a = 1; c = (5)  # two\na * c"),
    ],
)
def test_text_and_graph_say_the_same_number(text, name, moved):
    one = ExpressionDraft().with_text(text).with_leaf(name, 5.0)
    assert one.text == moved
    for later in (one, one.with_text(one.text + " + 1")):
        computed = solved(later)
        assert computed.value(computed.leaves[name]) == 5.0
        assert computed.expression.defaults[name] == 5.0


def test_what_cannot_be_read_is_not_rewritten():
    one = ExpressionDraft("w = 0.5\nw * x", {"x": 2.0}).with_text("w = 0.5\nw * (x")
    assert one.with_leaf("w", 3.0).text == one.text


def test_steps_go_downhill_for_what_is_not_fixed():
    one = ExpressionDraft("(y - w*x)**2", {"y": 3.0, "w": 0.0, "x": 1.0}, rate=0.25)
    computed = solved(one)
    assert one.learning(computed) == ["w"] and one.is_fixed("x")
    stepped = one.stepped(computed)
    assert stepped.values["w"] == pytest.approx(0.25 * 6) and stepped.values["x"] == 1.0
    assert stepped.pending and stepped.losses == (9.0,)
    learned = stepped.with_loss(solved(stepped).result)
    assert learned.losses == (9.0, 2.25) and not learned.pending
    assert learned.at_the_beginning().values == one.values
    both = one.with_fixed("x", False)
    assert both.learning(computed) == ["w", "x"]
    assert both.with_fixed("w", True).learning(computed) == ["x"]


def test_a_line_steps_too():
    one = ExpressionDraft("w = 1.0\n(w - 3)**2", {}, rate=0.5)
    assert one.stepped(solved(one)).text == "w = 3\n(w - 3)**2"


def test_a_step_through_a_line_is_as_exact_as_one_through_a_value():
    line = ExpressionDraft("w = 1.1\n(w * w - 3)**2", {}, rate=0.01)
    value = ExpressionDraft("(w * w - 3)**2", {"w": 1.1}, rate=0.01)
    for _ in range(5):
        line, value = line.stepped(solved(line)), value.stepped(solved(value))
    assert solved(line).result == solved(value).result
    assert line.text != "w = 1.1\n(w * w - 3)**2" and not line.values


def test_a_step_that_overflows_is_not_written_as_0():
    one = ExpressionDraft("w = 1\n1e307 * w", {}, rate=100.0)
    stepped = one.stepped(solved(one))
    assert stepped.text == one.text and np.isinf(stepped.values["w"])


def test_no_step_is_taken_along_a_gradient_without_end():
    one = ExpressionDraft("w = 0\nsqrt(w) + v", {"v": 1.0})
    assert one.endless(solved(one)) == "w"
    assert one.with_fixed("w", True).endless(solved(one)) == ""


def test_a_line_that_gives_a_name_other_numbers_counts_more_than_its_value():
    one = ExpressionDraft("w * x", {"w": -3.0, "x": 2.0}).with_text("w = 5\nw * x")
    assert solved(one).result == 10.0
    one = one.with_text("w = 6\nw * x")
    assert solved(one).result == 12.0
    learned = ExpressionDraft("W = randn(9, 9)\nsum(W * x)", {"x": 1.0})
    learned = learned.stepped(solved(learned))
    kept = learned.with_text("W = randn(9, 9)\nsum(W * x) / 2")
    assert kept.values["W"] == learned.values["W"]
    assert solved(kept).result == pytest.approx(np.sum(kept.values["W"]) / 2)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.id)
def test_a_session_keeps_it(example):
    one = ExpressionDraft(example.text, example.values)
    computed = solved(one)
    one = one.with_fixed(next(iter(computed.leaves)), True)
    assert lenient(ExpressionDraft, json.loads(json.dumps(to_json(one)))) == one


def test_what_does_not_fit_is_left_out():
    assert lenient(ExpressionDraft, {"text": 3, "values": 4}) == ExpressionDraft()
    bad = {"text": "w*x", "values": {"w": "cat", "x": [1, [2]], "z": 4.0}, "rate": -1, "losses": 7}
    one = lenient(ExpressionDraft, bad)
    assert one.rate == 0.1 and one.losses == ()
    assert one.values["z"] == 4.0 and isinstance(one.values["w"], float)


def test_many_inputs_are_asked_of_the_text_once():
    one = ExpressionDraft().with_text(" + ".join(f"x{n}" for n in range(600)))
    assert one.learning(solved(ExpressionDraft("x1 + x2", {}))) == ["x1", "x2"]
    assert not one.is_fixed("x5") and not replace(one, rate=0.5).is_fixed("x5")
    assert one.with_text(one.text + " + w").is_fixed("x5")
