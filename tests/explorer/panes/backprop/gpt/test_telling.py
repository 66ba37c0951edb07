"""What is told of a step or a number agrees with its formula, its title and itself."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.numbers import format_number
from explorer.panes.backprop.gpt import cell_arithmetic, closed_forms, inspector, text
from explorer.panes.backprop.gpt.operations import kind_of, short
from explorer.panes.backprop.gpt.scene import Cell, shape_text
from explorer.widgets.live_numbers import Equation, Terms
from tests.core.calculator import within_its_digits, worked_out


def timeline(worked):
    for one in worked.timeline:
        yield from (one, *one.inner)


def test_nothing_is_added_up_where_there_is_one_copy(worked):
    """A weight that served one sequence has one copy; a gain that served every token has many."""
    for one in timeline(worked):
        if one.phase == "copies":
            assert (
                worked.steps[one.step].value("contribution").size
                > worked.value(worked.target((one.node, one.input))).size
            )
            assert "every token" in text.headline(worked, one)


@pytest.mark.parametrize("kind", ["Softmax", "Normalize", "CrossEntropy", "MatMul"])
def test_a_gradient_that_a_formula_names_twice_has_a_letter(worked, kind):
    one = next(
        one
        for one in worked.timeline
        if one.phase == "backward" and kind_of(worked.graph, one.node) == kind
    )
    written = inspector.formula(worked, one.step)
    assert ("g = " in written) is (kind in ("Softmax", "Normalize"))
    name = inspector.latex(worked, one.node)
    assert written.count(rf"\frac{{\partial L}}{{\partial {name}}}") == 1


def test_no_formula_loses_the_name_in_a_denominator(worked):
    written = [inspector.formula(worked, number) for number in range(len(worked.steps))]
    slopes = [one for one in written if r"\frac" in one and r"\partial" in one]
    assert any(r"^\top}^\top" in one for one in slopes)  # dL/d(the transpose), transposed
    for one in slopes:
        assert not re.search(r"\}\\partial", one), one


def test_each_share_that_flows_back_has_its_own_formula_and_lines(worked):
    """A weight's gradient is what an optimizer uses: it is told no less than the other factor's."""
    kinds = set()
    for one in worked.timeline:
        shares = inspector.shares_of(worked, one)
        if one.phase != "backward" or len(shares) < 2:
            continue
        kinds.add(kind_of(worked.graph, one.node))
        whole = inspector.of_played(worked, one)
        for edge in shares:
            share = inspector.formula(worked, worked.edges[edge], whole=True)
            assert share in whole.step.formula
            told = inspector.of_played(worked, one, edge)
            assert told.step.formula == whole.step.formula
            assert told.step.code.endswith(f"#grad_{'ab'[edge[1]]}")
            step = worked.steps[worked.edges[edge]]
            assert np.array_equal(told.table["contribution"], step.value("contribution"))
        elsewhere = inspector.of_played(worked, one, (0, 0))
        assert elsewhere.step.code == whole.step.code
    assert kinds == {"MatMul", "Multiply", "Add"}


def rows_of(worked, kind, index=(1, 2), backward=True):
    """Name -> number of the rows that tell a number of a map."""
    node = [n for n in range(len(worked.graph.nodes)) if kind_of(worked.graph, n) == kind][-1]
    what = ("flow", (node, 0)) if backward else ("value", node)
    _, rows = cell_arithmetic.made(worked, Cell(what, 0, *index))
    found = {}
    for row in rows:
        if isinstance(row, Terms):
            found[row.name] = float((np.asarray(row.left) * np.asarray(row.right)).sum())
        elif isinstance(row, Equation):
            found[row.name] = row.value
    return found


def lines_of(worked, kind, index=(1, 2), backward=True):
    """The arithmetic of the marked line, as it is written."""
    node = [n for n in range(len(worked.graph.nodes)) if kind_of(worked.graph, n) == kind][-1]
    what = ("flow", (node, 0)) if backward else ("value", node)
    _, rows = cell_arithmetic.made(worked, Cell(what, 0, *index))
    return [row for row in rows if isinstance(row, str) and "\u00a0" in row]


@pytest.mark.parametrize("kind", ["Softmax", "Normalize", "CrossEntropy", "GELU", "Add"])
def test_the_line_of_a_number_gives_it_as_it_is_written(worked, kind):
    for backward in (False, True):
        for line in lines_of(worked, kind, backward=backward):
            made, result = re.split("[=\u2248]\u00a0", line)
            assert within_its_digits(worked_out(made), result), line


def test_the_rows_of_layer_norm_bear_the_letters_of_its_formula(worked):
    x, g = "x\u0302", "g\u0304"
    rows = rows_of(worked, "Normalize")
    mean = rows[f"mean of g {x}"]
    assert mean == pytest.approx(rows[f"sum of g {x}"] / 8)
    rest = rows["g"] - rows[g] - rows[x] * mean
    assert rows[f"g \u2212 {g} \u2212 {x} \u00d7 mean of g {x}"] == pytest.approx(rest)
    share = rows["contribution to \u2202L/\u2202residual"]
    rows = rows_of(worked, "Normalize", backward=False)
    centered = rows["residual"] - rows["\u03bc"]
    assert rows["residual \u2212 \u03bc"] == pytest.approx(centered)
    deviation = rows["\u221a(\u03c3\u00b2 + \u03b5)"]
    assert rows[x] == pytest.approx(centered / deviation)
    assert share == pytest.approx(rest / deviation)


def test_the_rows_of_softmax_bear_the_letters_of_its_formula(worked):
    i, j = "\u1d62", "\u2c7c"
    rows = rows_of(worked, "Softmax")
    mean = rows[f"\u03a3{j} weights{j} g{j}"]
    beats = rows[f"g{i}"] - mean
    assert rows[f"g{i} \u2212 \u03a3{j} weights{j} g{j}"] == pytest.approx(beats)
    told = rows["contribution to \u2202L/\u2202masked"]
    assert told == pytest.approx(rows[f"weights{i}"] * beats)
    rows = rows_of(worked, "Softmax", (2, 1), backward=False)
    (line,) = lines_of(worked, "Softmax", (2, 1), backward=False)
    assert f"e^{format_number(rows[f'masked{i}'])[:4]}" in line.replace("(", "")
    assert worked_out(line.split(" =\u00a0")[0]) == pytest.approx(rows["weights"], rel=2e-2)


def test_the_rows_of_cross_entropy_bear_the_letters_of_its_formula(worked):
    rows = rows_of(worked, "CrossEntropy")
    wrong = rows["softmax(logits)"] - rows["onehot(y)"]
    assert rows["softmax(logits) \u2212 onehot(y)"] == pytest.approx(wrong)
    share = rows["\u2202L/\u2202L"] * wrong / rows["N"]
    assert rows["contribution to \u2202L/\u2202logits"] == pytest.approx(share)
    rows = rows_of(worked, "CrossEntropy", (0, 0), backward=False)
    assert rows["L"] == pytest.approx(rows["sum of the losses"] / rows["N"])


def test_a_share_has_the_shape_that_its_name_has(worked):
    """q, k and v are cut out of one array, which lies there by head: k\u2019s share is of that."""
    for one in worked.timeline:
        operation = worked.operations[one.operation]
        if one.phase != "backward" or operation.name not in ("queries q", "keys k", "values v"):
            continue
        rows = inspector.of_played(worked, one).rows
        said = {row.name: row.value for row in rows if isinstance(row, Equation)}
        partial, T = "contribution to \u2202L/\u2202", worked.n_tokens
        shapes = {
            f"{partial}part of c_attn": shape_text((1, T, 2, 4)),
            f"{partial}c_attn by head": shape_text((1, T, 3, 2, 4)),
            f"{partial}c_attn": shape_text((1, T, 24)),
        }
        shares = [name for name in said if name.startswith("contribution")]
        assert len(shares) == 2 and shares[0] == f"{partial}part of c_attn"
        assert all(said[name] == shapes[name].replace(" ", "") for name in shares)


def test_another_order_of_an_array_has_another_name(worked):
    turned = [n for n in range(len(worked.graph.nodes)) if kind_of(worked.graph, n) == "Transpose"]
    for number in turned:
        (before,) = worked.graph.nodes[number].inputs
        assert short(worked.graph, number) != short(worked.graph, before)
    assert any(short(worked.graph, number) == "heads by token" for number in turned)


def test_what_is_used_by_one_sequence_is_not_said_to_be_used_for_every_token(worked):
    node = next(n for n, one in enumerate(worked.graph.nodes) if one.label == "residual.0")
    _, rows = cell_arithmetic.made(worked, Cell(("flow", (node, 1)), 0, 1, 2))
    assert not any(isinstance(row, str | Terms) for row in rows)


def test_what_stretching_moves_is_nothing_but_for_epsilon(worked):
    """Without it the facts would be 0; with it they are not, and that is said."""
    one = next(
        one
        for one in worked.timeline
        if one.phase == "backward" and kind_of(worked.graph, one.node) == "Normalize"
    )
    _, shift, why, stretch = closed_forms.facts(worked, one)
    assert shift.value < 1e-12 < stretch.value and "\u03b5" in why


@pytest.mark.parametrize(("kind", "parameter"), [("Add", "bias"), ("Multiply", "gain")])
def test_a_bias_and_a_gain_get_the_sum_over_all_tokens(worked, kind, parameter):
    """Each is one for all tokens: nothing of it passes on unchanged."""
    graph, shared, streams = worked.graph, 0, 0
    for one in worked.timeline:
        if one.phase != "backward" or one.input is not None or kind_of(graph, one.node) != kind:
            continue
        told, written = text.headline(worked, one), inspector.formula_of(worked, one)
        if text.shares_a_parameter(worked, one.node):
            shared += 1
            assert parameter in told and "summed over all tokens" in told
            assert written.count(r"\sum_{\text{tokens}}") == 1
        elif kind == "Add":
            streams += 1
            assert "unchanged to both" in told and r"\sum" not in written
    assert shared and (streams or kind == "Multiply")
