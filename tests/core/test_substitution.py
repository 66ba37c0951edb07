"""A marked line with its numbers: who works out what is written finds what is written as result."""

import ast
import importlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import core
from core.autograd import Tensor
from core.autograd import functional as F
from core.marked_line import marked_line
from core.numbers import format_number
from core.optimization import trace_update
from core.optimization.adam import AdamState
from core.substitution import Arithmetic, arithmetic
from core.trace import Step, marked_lines
from tests.core.autograd.test_backprop_trace import whole
from tests.core.calculator import within_its_digits, worked_out
from tests.core.formulas import written
from tests.core.real_steps import real_steps
from tests.core.test_marked_lines import TWIN_MODULES
from tests.core.test_trace import modules_of_core


def told(one: Arithmetic) -> None:
    """Asserts that a calculator finds the result, within the digits that are written."""
    found = worked_out(one.expression)
    assert within_its_digits(found, one.result), (str(one), found)


def some_cells(array: np.ndarray) -> set[int]:
    last = array.size - 1
    return {0, last // 2, last, int(np.abs(np.nan_to_num(array)).argmax())}


def test_the_printed_numbers_of_every_real_step_give_the_printed_result():
    """Of backprop, attention, optimizers, schedules, tokenizers and their analyses."""
    checked, near = 0, []
    for step in real_steps():
        line = marked_line(step.code)
        if not line.computes:
            continue
        made = step.value(line.made)
        for cell in some_cells(made):
            one = arithmetic(step, cell)
            if not one.exact:
                near.append((step.code, str(one), made.dtype))
                continue
            assert one.value == pytest.approx(float(made.reshape(-1)[cell]), nan_ok=True)
            told(one)
            checked += 1
    assert checked > 1200
    # Only what was worked out with 32 bits may be no more than near.
    assert [one for one in near if one[2] == np.float64] == []
    assert len(near) <= 0.01 * checked


@pytest.mark.parametrize("function", [F.total, F.mean, F.largest, F.softmax])
def test_a_single_number_is_the_whole_of_a_reduction(function):
    graph = core.autograd.graph_of(function(Tensor(np.array(2.0), name="x", requires_grad=True)))
    one = arithmetic(core.autograd.step_at(graph, 0))
    assert one.value == (1.0 if function is F.softmax else 2.0)
    told(one)


# By what the line computes: many compute the same.
COMPUTING = {
    ast.unparse(marked_line(marker).formula): marker
    for name in modules_of_core()
    if name not in TWIN_MODULES
    for marker in marked_lines(importlib.import_module(name))
    if marked_line(marker).computes
}
MAGNITUDES = st.one_of(
    st.just(0.0),
    st.tuples(
        st.sampled_from([-1.0, 1.0]),
        st.floats(1.0, 9.999999),
        st.integers(-12, 11),
    ).map(lambda parts: parts[0] * parts[1] * 10.0 ** parts[2]),
)
USUAL = st.floats(-9.0, 9.0).map(lambda value: round(value, 3))


def drawn(data: st.DataObject, marker: str, numbers: st.SearchStrategy[float]) -> dict:
    """Values for each name that a line reads: matrices where it multiplies them, settings where it
    reduces.
    """
    settings = {"axis": -1, "axes": (0,), "keepdims": True}
    found = {}
    for name in marked_line(marker).reads:
        if name in settings:
            found[name] = settings[name]
        else:
            cells = data.draw(st.lists(numbers, min_size=9, max_size=9), label=name)
            found[name] = np.array(cells).reshape(3, 3)
    return found


@pytest.mark.parametrize("formula", COMPUTING)
@settings(max_examples=12)
@given(data=st.data())
def test_the_printed_numbers_give_the_printed_result(formula, data):
    """For every marked line that computes, and numbers of 1e-12 to 1e12."""
    numbers = data.draw(st.sampled_from([MAGNITUDES, USUAL]))
    with np.errstate(all="ignore"):
        values = drawn(data, COMPUTING[formula], numbers)
        size = written(formula, values).size
        one = written(formula, values, data.draw(st.integers(0, size - 1)))
    if math.isfinite(one.value):
        if one.exact:
            told(one)
        else:  # next to nothing beside its parts: near is all that can be said
            assert str(one).count("\u2248") == 1
    else:
        assert one.result in ("nan", "\u221e", "\u2212\u221e")


def test_a_line_is_written_with_the_numbers_of_its_step():
    trace = trace_update(
        "adam", [1.0, 2.0], [0.5, 0.5], AdamState(np.array([0.1, 0.0]), np.array([0.0, 0.0])), 2
    )
    average = next(step for step in trace if step.name == "optimizer.average")
    one = core.arithmetic(average, 0)
    assert str(one) == "0.1 \u00d7 0.9 + 0.5 \u00d7 (1 \u2212 0.9) = 0.14"
    assert [(operand.name, operand.value) for operand in one.operands] == [
        ("average_before", 0.1),
        ("beta1", 0.9),
        ("slope", 0.5),
    ]
    named = [(piece.text, piece.name) for piece in one.pieces if piece.name]
    assert named[0] == ("0.1", "average_before") and named[-1] == ("0.9", "beta1")
    assert (one.name, one.cell, one.size, one.exact) == ("average", (0,), 2, True)


def test_of_a_product_the_three_largest_terms_are_written_and_what_the_others_come_to():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 16)), rng.normal(size=(16, 3))
    one = written("a @ b", {"a": a, "b": b}, (1, 2, 0))
    products = a[1, 2] * b[:, 0]
    largest = sorted(np.argsort(-np.abs(products))[:3])
    rest = np.delete(products, largest).sum()
    assert f"(13 more = {format_number(rest)[:4]}" in one.expression
    assert [operand.cell for operand in one.operands if operand.name == "a"] == [
        (1, 2, at) for at in largest
    ]
    assert one.products.names == ("a", "b")
    assert (one.products.left * one.products.right == products).all()
    assert one.value == pytest.approx((a @ b)[1, 2, 0])
    turned = written("b.mT @ a.mT", {"a": a, "b": b}, (1, 0, 2))
    assert turned.value == pytest.approx(one.value) and turned.exact


@pytest.mark.parametrize(
    ("formula", "cell", "expected"),
    [
        ("x.sum()", None, "1 + 2 + 4.5 + (\u22126) = 1.5"),
        ("x.mean(1)", 0, "(1 + 2) / 2 = 1.5"),
        ("x.max(0, keepdims=True)", (0, 1), "max(2, \u22126) = 2"),
        ("softmax(x)", (0, 1), "e^2 / (e^1 + e^2) = 0.731"),
        ("softmax(100 * x, 0)", (0, 0), "e^(100 \u00d7 1 \u2212 450) / "
         "(e^(100 \u00d7 1 \u2212 450) + e^(100 \u00d7 4.5 \u2212 450)) = 9.93e\u2212153"),
        ("logsumexp(x)", None, "log(e^1 + e^2 + e^4.5 + e^(\u22126)) = 4.61"),
        ("relu(x)", (1, 1), "max(0, \u22126) = 0"),
        ("exp(x) / abs(x)", (1, 1), "e^(\u22126) / |\u22126| = 4.13e\u22124"),
        ("(x - 1) ** 2", (1, 0), "(4.5 \u2212 1)\u00b2 = 12.25"),
        ("x ** y", (0, 1), "2^(\u22120.5) = 0.707"),
        ("sqrt(x) - -x", (0, 1), "\u221a2 \u2212 (\u22122) = 3.41"),
        ("x.mT @ y", None, "1 \u00d7 (\u22120.5) + 4.5 \u00d7 3 = 13"),
    ],
)  # fmt: skip
def test_every_sign_is_written_as_people_write_it(formula, cell, expected):
    values = {"x": np.array([[1.0, 2.0], [4.5, -6.0]]), "y": np.array([-0.5, 3.0])}
    if "@" in formula:
        cell = 0
    if "**" in formula and "y" in formula:
        values["y"] = -0.5
    one = written(formula, values, cell)
    assert str(one) == expected
    told(one)


def test_a_number_that_is_only_moved_says_where_it_came_from():
    a = Tensor(np.arange(6.0).reshape(2, 3), name="a")
    table = Tensor(np.arange(8.0).reshape(4, 2), name="E")
    loss = a.T.sum() + a.reshape(3, 2).sum() + F.masked(a, [[True, False, False]], 0.0).sum()
    loss = loss + F.embedding(table, [3, 1, 3]).sum() + F.concatenate([a, a], axis=0).sum()
    found = {}
    for step in whole(loss):
        line = marked_line(step.code)
        if not line.computes and line.made:
            for cell in np.ndindex(step.value(line.made).shape):
                one = arithmetic(step, cell)
                assert one.moves and one.value == float(step.value(line.made)[cell])
                if one.origins:
                    total = sum(float(step.value(name)[place]) for name, place in one.origins)
                    assert total == one.value
                found.setdefault(step.name, {})[cell] = one
    assert str(found["forward.Transpose"][2, 1]) == "a[1, 2] = 5"
    assert str(found["forward.Reshape"][2, 1]) == "a[1, 2] = 5"
    assert str(found["forward.Mask"][1, 1]) == "a[1, 1] = 4"
    assert str(found["forward.Mask"][1, 0]) == "0", "a fixed value comes from nowhere"
    assert str(found["forward.Embedding"][1, 0]) == "a[1, 0] = 2"
    assert str(found["forward.Concatenate"][3, 0]) == "parts[1][1, 0] = 3"
    assert str(found["backward.Embedding"][3, 1]) == "upstream[0, 1] + upstream[2, 1] = 2"
    assert found["backward.Embedding"][0, 0].origins == ()
    assert "backward.Transpose" in found and "backward.Concatenate" in found


def test_a_step_that_lacks_a_name_and_a_cell_that_is_not_there_are_refused_with_the_remedy():
    marker = "core.autograd.arithmetic:Add.forward#forward"
    values = {"out": np.ones((2, 3)), "a": np.ones((2, 3)), "b": np.ones(3)}
    step = Step("add", "", "", marker, values)
    for cell, why in (((2, 0), "its shape is"), (6, "its 6 count from 0"), ((0,), "no cell")):
        with pytest.raises(ValueError, match=why):
            arithmetic(step, cell)
    with pytest.raises(ValueError, match="lacks b, which its marked line reads"):
        arithmetic(Step("add", "", "", marker, {"out": values["out"], "a": values["a"]}))
    with pytest.raises(ValueError, match="values of one run"):
        arithmetic(Step("add", "", "", marker, {**values, "out": np.ones(3)}))
    with pytest.raises(ValueError, match="no number"):
        arithmetic(Step("add", "", "", marker, {name: np.ones((0, 3)) for name in values}))
    with pytest.raises(ValueError, match="real ones alone"):
        arithmetic(Step("add", "", "", marker, {name: np.array("word") for name in values}))


def test_without_a_cell_the_largest_number_is_told():
    one = written("a * 2", {"a": [[1.0, -5.0], [np.nan, 2.0]]})
    assert one.cell == (0, 1) and str(one) == "\u22125 \u00d7 2 = \u221210"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": np.inf, "b": 2.0}, "\u221e \u00d7 2 = \u221e"),
        ({"a": np.inf, "b": 0.0}, "\u221e \u00d7 0 = nan"),
        ({"a": np.nan, "b": 2.0}, "nan \u00d7 2 = nan"),
        ({"a": 1e200, "b": -1e200}, "1e200 \u00d7 (\u22121e200) = \u2212\u221e"),
    ],
)
def test_what_is_not_finite_is_written_plainly(values, expected):
    assert str(written("a * b", values)) == expected


def test_the_result_of_32_bits_is_only_near_where_rounding_shows():
    a, b = np.float32(1.0), np.float32(1e-9)
    step = Step(
        "add", "", "", "core.autograd.arithmetic:Subtract.forward#forward",
        {"out": np.float32(0.5), "a": a, "b": b},
    )  # fmt: skip
    one = arithmetic(step)
    assert not one.exact and str(one) == "1 \u2212 1e\u22129 \u2248 0.5"


def test_the_number_that_spoils_a_sum_or_a_maximum_is_among_those_shown():
    x = np.array([1.0, 5.0, 4.0, 3.0, 2.0, 6.0, np.nan, 2.0, 2.0])
    assert str(written("x.max()", {"x": x})) == "max(nan, 6, 5, 6 smaller) = nan"
    assert str(written("x.sum()", {"x": x})) == "5 + 6 + nan + (6 more = 14) = nan"


@pytest.mark.parametrize("cell", [1.5, "x", True, (0.5,), ("a",)])
def test_a_cell_that_is_no_index_is_refused(cell):
    with pytest.raises(ValueError, match=r"a cell of .* is a number or an index such as \(0, 1\)"):
        written("x * 2", {"x": [1.0, 2.0]}, cell)


def test_a_step_that_does_not_hold_what_its_line_makes_prints_no_other_number():
    step = Step("training.data", "", "", "core.training.attempt:Attempt._one_step#data",
                {"number": np.asarray(3)})  # fmt: skip
    with pytest.raises(ValueError, match="does not hold batch"):
        arithmetic(step)
