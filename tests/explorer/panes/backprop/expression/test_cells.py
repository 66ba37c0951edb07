"""One number of a tensor: what it came from, and upstream times local for all that it moves."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from explorer.panes.backprop.expression import inspector, text
from explorer.panes.backprop.expression.cells import share_of, source_of
from explorer.panes.backprop.expression.compute import Computed, compute
from explorer.panes.backprop.expression.draw_nodes import part
from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.expression.step_table import TOGETHER
from explorer.widgets.live_numbers import Equation, Terms, row_text
from explorer.widgets.numbers_table import NumbersTable
from tests.core.calculator import worked_out
from tests.explorer.panes.backprop.expression.conftest import told
from tests.explorer.waiting import until

LAYER = next(one for one in EXAMPLES if one.id == "matrices")
FORMULAS = (
    "A = randn(3, 2)\nB = randn(2, 4)\nsum(A @ B * 2)",
    "A = randn(2, 3, 2)\nB = randn(2, 4)\nmean(tanh(A @ B))",
    "x = [1, 2]\nW = randn(2, 2)\nsum((x @ W + 0.5) ** 2)",
    "A = randn(2, 3)\nb = [1, 2, 3]\nc = randn(2, 1)\nmean(A * b / c + A)",
    "s = randn(2, 3)\nmax(softmax(s) * s)",
    "A = randn(2, 3)\nsum(transpose(A) @ A)",
)


def at(computed: Computed, phase: str, label: str) -> int:
    """The first moment of a phase whose step changes a node."""
    nodes = computed.graph.nodes
    for moment, place in enumerate(computed.plan.places):
        if place is not None and place.phase == phase:
            about = place.node if place.input is None else nodes[place.node].inputs[place.input]
            if nodes[about].label == label:
                return moment
    raise AssertionError(f"no {phase} of {label}")


@pytest.mark.parametrize("text", FORMULAS)
def test_upstream_times_local_of_every_number_adds_up_to_its_gradient(text):
    computed = compute(text, {})
    for edge, flow in computed.flows.along.items():
        for element in range(flow.size):
            share = share_of(computed, edge, element)
            if share is None:
                assert computed.graph.nodes[edge[0]].tensor.operation.name == "Softmax"
                continue
            assert share.total == flow.reshape(-1)[element]
            assert (share.upstream * share.local).sum() == pytest.approx(share.total, abs=1e-12)


def test_an_infinite_number_of_a_matrix_leaves_the_others_their_locals():
    computed = compute(
        "A = randn(2, 2)\nB = [[1, 2], [3, 4]] * w\nsum(A @ B)", {"w": [[1, 1], [np.inf, 1]]}
    )
    product = next(n for n, node in enumerate(computed.graph.nodes) if "@" in node.text)
    share = share_of(computed, (product, 0), 0)  # meets the first row, which is finite
    assert share is not None and share.local.tolist() == [1.0, 2.0]


def test_a_number_of_a_matrix_product_is_told_as_its_sum():
    computed = compute(LAYER.text, LAYER.values)
    rows = inspector.of_step(computed, at(computed, "forward", "v2"), 1).rows
    (terms,) = [row for row in rows if isinstance(row, Terms)]
    assert terms.name == "v2[1, 0]" and terms.result == pytest.approx(1.5 * 1 + 0.3 * 2)
    assert terms.left.tolist() == [1.5, 0.3] and terms.right.tolist() == [1.0, 2.0]


def test_a_backward_step_of_tensors_has_numbers():
    computed = compute(LAYER.text, LAYER.values)
    moment = at(computed, "backward", "b")
    said = "\n".join(row_text(row) for row in inspector.of_step(computed, moment).rows)
    assert "(3)" not in said and "(\u22120.272, 0.0546, 0.0678)" in said
    rows = inspector.of_step(computed, moment, 1).rows
    last = [row for row in rows if isinstance(row, Equation)][-3:]
    flow = computed.gradient(computed.leaves["b"])[1]
    assert [row.name for row in last] == ["upstream", "local", "contribution"]
    assert last[0].value * last[1].value == last[2].value == flow


def test_a_mean_says_what_n_is():
    computed = compute("x = [1.0, 2.0, 6.0]\nmean(x)", {})
    for phase, label in (("forward", "v1"), ("backward", "x")):
        rows = inspector.of_step(computed, at(computed, phase, label)).rows
        assert [row.value for row in rows if isinstance(row, Equation) and row.name == "n"] == [3]


def test_softmax_backward_is_told_as_its_formula_goes():
    computed = compute("s = [[1.0, 0.2, -0.5]]\nsum(softmax(s) * [[1, 2, 3]])", {})
    rows = inspector.of_step(computed, at(computed, "backward", "s"), 2).rows
    (mean,) = [row for row in rows if isinstance(row, Terms)]
    weights = computed.value(1)[0]
    assert mean.result == pytest.approx(float(weights @ [1, 2, 3]))
    (line,) = [text for row in rows if (text := row_text(row)).startswith("= ")]
    assert f"({3} \u2212 " in line
    (last,) = [row.value for row in rows[3:] if getattr(row, "name", "") == "contribution"]
    assert worked_out(line.removeprefix("= ")) == pytest.approx(last, rel=5e-3)


def test_a_transposed_number_is_found_where_it_was():
    computed = compute("A = [[1, 2, 3], [4, 5, 6]]\nsum(transpose(A))", {})
    turned = next(n for n, node in enumerate(computed.graph.nodes) if "transpose" in node.text)
    value = computed.value(turned).reshape(-1)
    found = [source_of(computed, turned, 0, one) for one in range(6)]
    assert computed.value(computed.leaves["A"]).reshape(-1)[found].tolist() == value.tolist()


async def test_the_step_tells_the_number_that_is_pointed_at(pane, mode):
    found = told(pane)
    mode.show_example("matrices")
    moment = at(mode.computed, "backward", "W")
    pane.player.seek(moment)
    mode.choose(mode.computed.leaves["W"], 3)
    await until(lambda: found[-1].pinned)
    assert found[-1].step.name == "backward.MatMul"
    assert any(getattr(row, "text", "") == "W[1, 1]" for row in found[-1].rows)
    mode.choose(-1, -1)
    graph = mode.view.graph
    graph.hovered = mode.computed.leaves["b"], 2
    mode.inspect()
    await until(lambda: found[-1].title == "b")
    said = "\n".join(row_text(row) for row in found[-1].rows)
    assert "b[2] = 0.300" in said and "flows back to b[2]" in said


def test_a_gradient_can_be_pointed_at_in_the_picture(pane, mode):
    mode.show_example("matrices")
    graph, number = mode.view.graph, mode.computed.leaves["b"]
    area = part(graph.scene, number, graph.scene.nodes[number].grid(True))
    place = QPointF(area.right() - 3, area.center().y())
    assert graph.hit(QPointF(*graph.camera.seen(place.x(), place.y()))) == (number, 2)


def test_the_numbers_page_says_whose_a_is_meant():
    computed = compute("b = a + a\nL = b * a", {"a": 3.0})
    inspection = inspector.of_step(computed, at(computed, "backward", "b"))
    rows, _ = inspection.labels[TOGETHER]
    table = dict(zip(rows, inspection.table[TOGETHER], strict=True))
    assert table["a (first input): b"] == "6.0" and table["b (second input): a"] == "3.0"
    assert "upstream: \u2202L/\u2202L" in table


def test_a_local_derivative_and_a_gradient_have_two_signs():
    computed = compute("b = a + a\nL = b * a", {"a": 3.0})
    rows = inspector.of_step(computed, at(computed, "backward", "a")).rows
    (local,) = [row for row in rows if getattr(row, "name", "") == "local"]
    assert local.note == "\u2202(b \u00d7 a)/\u2202a"


def test_digits_are_all_there():
    computed = compute("L = a * b", {"a": 0.1, "b": 3.0})
    inspection = inspector.of_step(computed, 1)
    assert "0.30000000000000004" in inspection.table[TOGETHER].tolist()


def test_the_chosen_table_is_kept_from_step_to_step(qtbot):
    table = NumbersTable()
    qtbot.addWidget(table)
    table.set_tables({"upstream: dL/dv1": np.zeros(2), "out: v1": np.zeros(3)})
    table.names.setCurrentText("out: v1")
    table.set_tables({"upstream: dL/dv2": np.zeros(2), "out: v2": np.ones(4)})
    assert list(table.displayed()) == ["out: v2"]


def test_small_tensors_stand_in_one_table():
    computed = compute(LAYER.text, LAYER.values)
    inspection = inspector.of_step(computed, at(computed, "backward", "W"))
    rows, _ = inspection.labels[TOGETHER]
    table = inspection.table[TOGETHER]
    first = rows.index("a (first input): W")
    assert rows[first + 1 : first + 3] == ["row 1", "row 2"]
    assert table[first : first + 3].tolist() == [
        ["0.5", "\u22121"],
        ["1.5", "0.3"],
        ["\u22120.7", "0.8"],
    ]
    many = compute("x = randn(20, 20)\nsum(x * 2)", {})
    assert TOGETHER not in inspector.of_step(many, 1).table


def test_what_comes_to_copies_is_told_before_it_is_added_up():
    computed = compute("a = [1,2,3]\nb = [[1],[2]]\nc = a*b\nloss = max(c)+sum(abs(c-2))", {})
    back, copies = (at(computed, phase, "a") for phase in ("backward", "copies"))
    handed = [[-1, 0, 1], [0, 2, 4]]
    assert computed.step(back).value("contribution").tolist() == handed
    said = [row_text(row) for row in inspector.of_step(computed, back).rows]
    assert any("(2 × 3)" in row and "flows back to the copies of a" in row for row in said)
    assert any("a[2] has 2 copies" in row for row in said)
    assert any("1 × 1" in row and "c[0, 2]" in row for row in said)
    assert any("2 × 2" in row and "c[1, 2]" in row for row in said)
    assert not any("gradient so far" in row for row in said)
    assert (
        "".join(part for part, _ in text.arithmetic(computed, back)) == "element [1, 2]: 2 × 2 = 4"
    )
    said = [row_text(row) for row in inspector.of_step(computed, copies).rows]
    assert any("(−1, 2, 5)" in row for row in said) and any(
        "gradient so far" in row for row in said
    )
    assert "".join(part for part, _ in text.arithmetic(computed, copies)) == "a[2]: 1 + 4 = 5"
    assert computed.gradient_at(computed.leaves["a"], back) is None
    batches = compute(FORMULAS[1], {})
    moment = at(batches, "backward", "B")
    assert any("copy [" in row_text(row) for row in inspector.of_step(batches, moment).rows)
    first = at(batches, "copies", "B")
    said = "".join(part for part, _ in text.arithmetic(batches, first))
    assert said.startswith("B[") and said.count(" + ") == 1


def test_a_number_that_is_called_by_its_value_has_no_row():
    for formula in ("L = (a * 2) ** 2", "L = sum([1, 2] * a * 2)"):
        computed = compute(formula, {"a": 3.0})
        for moment in range(1, len(computed.plan)):
            names = [getattr(row, "name", "") for row in inspector.of_step(computed, moment).rows]
            assert "2" not in names and names


def test_equal_numbers_share_what_the_largest_gets():
    computed = compute("L = max([[2],[2]]*w)", {"w": 1.0})
    moment = at(computed, "forward", "L")
    said = "\n".join(row_text(row) for row in inspector.of_step(computed, moment).rows)
    assert "and 1 equal to it, which share its gradient" in said


def test_gelu_is_told_with_the_share_that_goes_on():
    for formula, element in (("L = gelu(w)", -1), ("L = sum(gelu([1, 2] * w))", 0)):
        computed = compute(formula, {"w": -3.0})
        gelu = next(n for n, node in enumerate(computed.graph.nodes) if "gelu" in node.text)
        rows = inspector.of_step(computed, computed.plan.appears[gelu], element).rows
        (share,) = [row for row in rows if getattr(row, "note", "") == "the share that goes on"]
        assert share.name == "\u03a6(\u22123)"
        assert share.value * -3.0 == pytest.approx(computed.value(gelu).reshape(-1)[0])
