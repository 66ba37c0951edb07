"""What is worked out of a formula, and when each thing happens."""

from __future__ import annotations

import numpy as np
import pytest

from core.autograd import ExpressionError
from core.autograd.paths import paths_from
from core.jobs import to_the_end
from explorer.panes.backprop.expression import text
from explorer.panes.backprop.expression.compute import compute, with_names
from explorer.panes.backprop.expression.inspector import checked
from explorer.panes.backprop.expression.presets import EXAMPLES, NEURON
from explorer.panes.backprop.expression.what_if import (
    AT_ONCE,
    check_steps,
    is_cheap,
    try_steps,
    what_if,
)
from explorer.widgets.live_numbers import row_text


def check(computed):
    return to_the_end(check_steps(computed))


def curve_of(what):
    return to_the_end(try_steps(what)).curve


def example(name):
    one = next(one for one in EXAMPLES if one.id == name)
    return compute(one.text, one.values)


def test_micrograds_example_has_its_values():
    computed = example("micrograd")
    assert computed.result == pytest.approx(24.70408163265306, rel=1e-15)
    gradients = {name: computed.gradient(node) for name, node in computed.leaves.items()}
    assert float(gradients["a"]) == pytest.approx(138.83381924198252, rel=1e-14)
    assert float(gradients["b"]) == pytest.approx(645.5772594752186, rel=1e-14)


def test_the_neuron_of_the_lecture():
    computed = example("neuron")
    assert computed.result == pytest.approx(0.7071067811865476)
    found = {name: float(computed.gradient(node)) for name, node in computed.leaves.items()}
    expected = {"w1": 1.0, "x1": -1.5, "w2": 0.0, "x2": 0.5, "b": 0.5}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.id)
def test_every_example_tells_each_moment(one):
    computed = compute(one.text, one.values)
    with pytest.raises(IndexError):
        computed.step(len(computed.plan))
    for moment in range(len(computed.plan)):
        assert text.headline(computed, moment) and text.title(computed, moment)
        step = computed.step(moment)
        assert (step is None) == (moment == 0)
        assert (moment == 0) == (text.arithmetic(computed, moment) == [])


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.id)
def test_gradients_grow_as_the_trace_tells(one):
    computed = compute(one.text, one.values)
    for moment, place in enumerate(computed.plan.places):
        if place is None or place.phase in ("forward", "copies"):
            continue
        step = computed.step(moment)
        if place.phase == "seed":
            assert computed.gradient_at(place.node, moment).item() == 1.0
            continue
        target = computed.graph.nodes[place.node].inputs[place.input]
        if place.phase == "accumulate":
            before = computed.gradient_at(target, moment - 1)
            np.testing.assert_array_equal(before, step.value("grad"))
            now = computed.gradient_at(target, moment)
            np.testing.assert_array_equal(now, step.value("total"))
    last = len(computed.plan)
    for number in range(len(computed.graph.nodes)):
        end = computed.gradient_at(number, last)
        np.testing.assert_array_equal(end, computed.gradient(number))


def test_other_values_keep_the_plan_and_another_shape_does_not():
    computed = example("neuron")
    moved = compute(computed.text, {**NEURON.values, "w1": 0.5}, computed)
    assert moved.plan is computed.plan and moved.value(moved.leaves["w1"]) == 0.5
    matrices = example("matrices")
    values = {"b": [0.1, 0.2, 0.3], "y": 1.0}
    assert compute(matrices.text, values, matrices).plan is not matrices.plan


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.id)
def test_what_a_moved_input_changes_is_what_the_whole_formula_says(one):
    computed = compute(one.text, one.values)
    for name, number in computed.leaves.items():
        moved = computed.value(number) + 0.25
        values = computed.values | {name: moved}
        found, wanted = compute(one.text, values, computed), compute(one.text, values)
        assert found.plan is computed.plan and found.broken == wanted.broken
        for at in range(len(wanted.graph.nodes)):
            np.testing.assert_array_equal(found.value(at), wanted.value(at))
            np.testing.assert_array_equal(found.gradient(at), wanted.gradient(at))
            assert found.places(at) == wanted.places(at)
        for edge, flow in wanted.flows.along.items():
            np.testing.assert_array_equal(found.flows.along[edge], flow)
        assert computed.value(number).tobytes() != moved.tobytes(), "the old one stays as it was"


@pytest.mark.parametrize(
    ("text", "said", "marked"),
    [
        ("tanh(w * x", "complete formula", "("),
        ("w * cat(x)", "no function cat", "cat(x)"),
        ("a = [1, 2]\na + 1", "sum( ) or mean( )", "a + 1"),
        ("2 * 3", "no name", "2 * 3"),
        ("w", "not an operation", "w"),
        ("[1, 2] @ [1, 2, 3] * w", "cannot multiply", "[1, 2] @ [1, 2, 3]"),
        ("__import__('os')", "", "__import__('os')"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, said, marked):
    with pytest.raises(ExpressionError) as caught:
        compute(text, with_names(text, {}))
    error = caught.value
    assert said in str(error)
    assert text[error.start : error.start + error.length] == marked


def test_new_names_get_values_and_old_ones_keep_theirs():
    values = with_names("w * x", {})
    assert set(values) == {"w", "x"}
    more = with_names("b + w * x * pi", values)
    assert more["w"] == values["w"] and more["x"] == values["x"] and set(more) == {"w", "x", "b"}
    assert with_names("b + (", more) == more


def test_the_first_value_that_is_not_finite_is_told():
    computed = example("infinite")
    assert computed.graph.nodes[computed.broken].label == "v1"
    told = text.headline(computed, 0)
    assert "log(0) is \u2212\u221e" in told and "above 0" in told
    assert example("neuron").broken is None
    assert "divided by 0" in text.headline(compute("a / b", {"a": 1, "b": 0}), 0)


def test_a_nudge_compares_prediction_and_truth():
    computed = compute("x ** 2", {"x": 3.0})
    what = what_if(computed, "x", 0, 0.1)
    assert what.predicted == pytest.approx(0.6)
    assert what.true == pytest.approx(0.61) and what.error == pytest.approx(0.01)
    curve = curve_of(what)
    np.testing.assert_allclose(curve.ys, curve.xs**2)
    near = curve_of(what_if(compute("x ** 2", {"x": 3.5}), "x", 0, 0.1, curve))
    np.testing.assert_array_equal(near.xs, curve.xs)
    far = curve_of(what_if(compute("x ** 2", {"x": 30.0}), "x", 0, 0.1, curve))
    assert far.xs[0] < 30 < far.xs[-1]


@pytest.mark.parametrize("name", ["neuron", "matrices", "entropy", "attention", "twice"])
def test_every_gradient_agrees_with_nudging(name):
    computed = example(name)
    numeric = check(computed)
    wanted = [n for n in range(computed.output + 1) if computed.gradient(n) is not None]
    assert sorted(numeric) == wanted
    for number, found in numeric.items():
        np.testing.assert_allclose(found.slopes, computed.gradient(number), atol=1e-7)


def test_the_summary_names_who_matters_most():
    computed = compute("3 * a - b", {"a": 1, "b": 1})
    told = text.summary(computed)
    assert told.startswith("a matters most") and "raises v2" in told and "3 per unit" in told
    assert "All gradients are 0" in text.summary(compute("a * b", {"a": 0, "b": 0}))


def test_a_shape_that_stands_nowhere_in_the_text_is_told():
    with pytest.raises(ExpressionError, match=r"b has shape \(3,\); .* b = 1"):
        compute("sum([[1, 2]] + b)", {"b": [1.0, 2.0, 3.0]})
    assert compute("b = 1\nsum([[1, 2]] + b)", {"b": 1.0}).result == 5.0


def test_a_short_text_that_asks_for_many_numbers_is_refused_before_they_are_made():
    for formula in ("sum(exp(0.001 * transpose(x) * x))", "sum(transpose(x) @ x)"):
        with pytest.raises(ExpressionError, match="use smaller lists"):
            compute(formula, {"x": [list(range(1000))]})
    with pytest.raises(ExpressionError, match="use smaller lists"):
        compute("W = randn(300, 300)\nsum(W * x)", {"x": 1.0})


def test_what_has_many_numbers_is_not_tried_out_within_a_frame():
    many = compute("sum(exp(x))", {"x": [0.001 * n for n in range(2000)]})
    assert not is_cheap(many)
    assert set(check(many)) == {2}, "only the nodes whose numbers can be nudged in time"


@pytest.mark.parametrize(
    ("formula", "at", "role", "said"),
    [
        ("w ** 2", 3.0, "success", "agrees to"),
        ("w + 1e12", 1.0, "muted", "within rounding error"),
        ("sin(1000 * w) + 1e8", 0.3, "muted", "within rounding error"),
        ("relu(w) + 1", 0.0, "warning", "differs by 0.5"),
        ("w ** 0.5", 0.0, "warning", "cannot be compared"),
    ],
)
def test_a_gradient_is_as_wrong_as_nudging_can_tell(formula, at, role, said):
    """By the error of the nudge that was taken, which may be far below the first one."""
    computed = compute(formula, {"w": at})
    number = computed.leaves["w"]
    row = checked(computed.gradient(number), check(computed)[number])
    assert (row.role, said in row.note) == (role, True), row.note


def test_a_check_within_a_frame_is_one_whatever_nudges_it_needs(monkeypatch):
    """Nothing in these ever settles."""
    worked_out = []

    def counted(run):
        def forward(*arrays):
            worked_out.append(1)
            return run(*arrays)

        return forward

    cheap = []
    for terms in range(1, 9):
        computed = compute(f"sin(1e14 * ({' + '.join(f'w{n}' for n in range(terms))}))", {})
        worked_out.clear()
        with monkeypatch.context() as patch:
            operations = [one.tensor.operation for one in computed.graph.nodes]
            for kind in {type(one) for one in operations if one is not None}:
                patch.setattr(kind, "forward", counted(kind.forward))
            check(computed)
        assert worked_out
        cheap.append(is_cheap(computed))
        assert sum(worked_out) <= AT_ONCE or not cheap[-1]
    assert cheap[0] and not cheap[-1]


def test_a_long_sum_of_single_terms_is_no_mistake():
    computed = compute(" + ".join(f"x{one}" for one in range(101)), {})
    assert len(computed.graph.nodes) == 201


def test_a_graph_of_more_than_250_nodes_is_refused_with_the_remedy():
    assert len(compute("+".join(["x"] * 250), {}).graph.nodes) == 250
    with pytest.raises(ExpressionError, match="251 inputs and operations.*use fewer terms"):
        compute("+".join(["x"] * 251), {})


def test_a_negative_number_has_parentheses_in_what_went_wrong():
    computed = compute("w ** 2", {"w": -8.3e154 * 100})
    assert "(\u22128.3e156) ** 2 is" in text.headline(computed, 0)


def test_a_matrix_product_hands_back_sums_of_products():
    computed = compute(
        "W = [[1, 2], [3, 4], [5, 6]]\nx = [[1, -1]]\nsum(tanh(0.01 * W @ transpose(x)))", {}
    )
    places = computed.plan.places
    product = next(n for n, node in enumerate(computed.graph.nodes) if "@" in node.text)
    moment = next(
        at
        for at, one in enumerate(places)
        if one and one.phase == "backward" and one.node == product and one.input == 1
    )
    said = "".join(sentence for sentence, _ in text.arithmetic(computed, moment))
    assert said.startswith("v2[1, 0]: ") and said.count(" \u00d7 ") == 3 and "shape" not in said


def test_values_at_the_end_of_all_numbers_and_slopes_without_end_are_told():
    for value in (1e308, -1.7e308, 4e307, -3e307):
        found = curve_of(what_if(compute("w * x", {"w": value, "x": 1e-300}), "w", 0, 0.1))
        assert np.isfinite(found.xs).all() and (np.diff(found.xs) > 0).all()
        assert found.xs[0] <= value <= found.xs[-1]
    told = text.summary(compute("sqrt(w) + v", {"w": 0.0, "v": 1.0}))
    assert "infinitely steep in w" in told and " inf " not in f"{told} "


def test_the_summary_names_all_who_matter_alike():
    values = {"a": 1, "b": 1, "c": 0.5, "d": 1, "e": 1}
    told = text.summary(compute("a - b", values))
    assert told.startswith("All inputs matter equally") and "1 per unit" in told
    assert text.summary(compute("a + b + c*c*0.1", values)).startswith("a and b matter equally")
    told = text.summary(compute("a + b + c*c*0.1 + d + e", values))
    assert told.startswith("a, b and 2 more matter equally")


def test_what_goes_wrong_is_told_with_what_leads_out():
    def told(sentence, **values):
        return text.headline(compute(sentence, values), 0)

    assert "Move an input" in told("log(x) * 2", x=-1.0)
    assert "Change the formula" in told("log(-3) * x", x=1.0)
    assert "Change the formula" in told("9 ** 3.9e8 * x", x=1.0)
    assert "too large" in told("x ** 400", x=1e9) and "a real number" not in told("x ** 4", x=1e99)
    assert "not a real number" in told("x ** 0.5", x=-1.0)
    assert "divides by 0" in told("x ** -2", x=0.0)


def test_what_a_relu_stops_is_0_in_the_graph_along_the_path_and_in_words():
    computed = compute("sqrt(relu(x))", {"x": -1.0})
    (path,) = paths_from(computed.graph, computed.leaves["x"])
    assert path.factors == (0.0, np.inf) and path.product == 0
    assert computed.gradient(computed.leaves["x"]) == 0
    said = "".join(piece for piece, _ in text.arithmetic(computed, len(computed.plan) - 1))
    assert said == "blocked: 0"


def test_a_gradient_of_large_numbers_agrees_or_says_that_rounding_spoils_the_check():
    rng = np.random.default_rng(0)
    values = {"X": rng.normal(size=(3, 3)) * 3e3, "W": rng.normal(size=(3, 3)) / 1e3, "Y": 2.0}
    computed = compute("sum(softmax(X @ W) ** Y)", values)
    for number, numeric in check(computed).items():
        assert "agrees" in row_text(checked(computed.gradient(number), numeric))
    drowned = compute("sum(x) + 1e12", {"x": [1.0, 2.0]})
    number = drowned.leaves["x"]
    row = row_text(checked(drowned.gradient(number), check(drowned)[number]))
    assert "within rounding" in row
